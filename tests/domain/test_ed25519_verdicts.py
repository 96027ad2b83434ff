"""The hub's Ed25519 verdict against OpenSSL's: the same on honest and broken signatures, stricter on crafted ones."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.key_material import PublicKey, private_key, public_key
from hub.errors import SignatureError

# RFC 8032 §5.1, plainly and slowly: only so can signatures be made that no library would make.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
SCALAR, NONCE = 123456789, 987654321
MESSAGE = b"x" * 64


def _add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def _times(factor: int, point: Point) -> Point:
    result = (0, 1)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point, factor = _add(point, point), factor >> 1
    return result


def _decoded(octets: bytes) -> Point:
    y = int.from_bytes(octets, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x & 1 != octets[31] >> 7 else x), y


def _encoded(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = _decoded(bytes.fromhex("58" + "66" * 31))
SMALL = _decoded(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
A = _encoded(_times(SCALAR, BASE))
MIXED_A = _encoded(_add(_times(SCALAR, BASE), SMALL))
R = _encoded(_times(NONCE, BASE))
MIXED_R = _encoded(_add(_times(NONCE, BASE), SMALL))


def _signature(nonce: int, r: bytes, a: bytes = A, message: bytes = MESSAGE) -> bytes:
    challenge = int.from_bytes(hashlib.sha512(r + a + message).digest(), "little")
    return r + ((nonce + challenge * SCALAR) % ORDER).to_bytes(32, "little")


def _unreduced(signature: bytes) -> bytes:
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


def _text(point: bytes) -> str:
    return base64.b64encode(bytes.fromhex("302a300506032b6570032100") + point).decode().rstrip("=")


def _openssl(point: bytes, signature: bytes, message: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(point).verify(signature, message)
    except InvalidSignature:
        return False
    return True


KEY: PublicKey = public_key(_text(A))


def test_the_plain_arithmetic_makes_good_signatures() -> None:
    assert _times(8, SMALL) == (0, 1)
    assert _openssl(A, _signature(NONCE, R), MESSAGE)
    assert KEY.verifies(_signature(NONCE, R), MESSAGE)
    assert KEY.verifies_digest(_signature(NONCE, R), MESSAGE)


@pytest.mark.parametrize(
    ("signature", "openssl"),
    [
        pytest.param(_unreduced(_signature(NONCE, R)), False, id="S not reduced"),
        pytest.param(_signature(NONCE, MIXED_R), False, id="R with a part of small order"),
        pytest.param(_signature(0, _encoded((0, 1))), True, id="R the identity"),
        pytest.param(_signature(0, _encoded(SMALL)), False, id="R of small order"),
        pytest.param(_signature(0, (P + 1).to_bytes(32, "little")), False, id="R the identity, spelled another way"),
        pytest.param(_signature(NONCE, b"\xff" * 32), False, id="R no point"),
        pytest.param(_signature(NONCE, R)[:63], False, id="one octet short"),
        pytest.param(_signature(NONCE, R) + MESSAGE[:1], False, id="the first octet of the message twice"),
        pytest.param(b"", False, id="empty"),
    ],
)
def test_a_crafted_signature_is_refused_even_where_openssl_takes_it(signature: bytes, openssl: bool) -> None:
    assert _openssl(A, signature, MESSAGE) is openssl
    assert not KEY.verifies(signature, MESSAGE)


def test_a_signature_and_a_message_do_not_share_octets() -> None:
    whole = _signature(NONCE, R) + MESSAGE

    for seam in (0, 32, 63, 65, 96, len(whole)):
        assert not KEY.verifies(whole[:seam], whole[seam:])


def test_a_key_with_a_part_of_small_order_is_refused_though_openssl_loads_it() -> None:
    messages = [MESSAGE + bytes([number]) for number in range(64)]
    assert any(_openssl(MIXED_A, _signature(NONCE, R, MIXED_A, message), message) for message in messages)

    with pytest.raises(SignatureError, match="no point"):
        public_key(_text(MIXED_A))


def test_a_key_that_is_spelled_another_way_or_is_no_point_is_refused() -> None:
    for point in ((P + 3).to_bytes(32, "little"), (2).to_bytes(32, "little"), b"\xff" * 32):
        with pytest.raises(SignatureError):
            public_key(_text(point))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=200),
    flips=st.lists(st.tuples(st.integers(0, 63), st.integers(1, 255)), max_size=2),
    other=st.booleans(),
)
def test_both_libraries_give_one_verdict(
    seed: bytes, message: bytes, flips: list[tuple[int, int]], other: bool
) -> None:
    signer = private_key(ed25519.Ed25519PrivateKey.from_private_bytes(seed), allow_test_key=True)
    signature = bytearray(signer.sign(message))
    for place, bits in flips:
        signature[place] ^= bits
    verified = message + b"!" if other else message
    point = base64.b64decode(signer.public.text + "=" * (-len(signer.public.text) % 4))[-32:]

    verdict = signer.public.verifies(bytes(signature), verified)

    assert verdict == _openssl(point, bytes(signature), verified)
    assert verdict or flips or other
