"""Keys are loaded strictly; weak and published ones are refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.domain.key_material import PUBLISHED_TEST_KEYS, private_key, public_key
from hub.errors import SignatureError
from tests.domain.signing import AUTHOR_KEY, es256_key

_ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")


def _spki(point: bytes) -> str:
    return base64.b64encode(_ED25519_PREFIX + point).decode().rstrip("=")


@pytest.mark.parametrize("key", [AUTHOR_KEY, es256_key(99)], ids=lambda key: key.algorithm)
def test_a_public_key_is_read_padded_or_not(key: object) -> None:
    text = key.public.text
    padded = text + "=" * (-len(text) % 4)

    assert public_key(text) == public_key(padded)
    assert public_key(text).kid == key.public.kid
    assert public_key(text).algorithm == key.algorithm


@pytest.mark.parametrize("text", sorted(PUBLISHED_TEST_KEYS))
def test_a_published_test_key_is_refused_unless_asked_for(text: str) -> None:
    with pytest.raises(SignatureError, match="published test key"):
        public_key(text)
    with pytest.raises(SignatureError, match="published test key"):
        public_key(text + "=")

    assert public_key(text, allow_test_key=True).text == text


def test_the_private_half_of_a_published_test_key_does_not_sign() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")

    with pytest.raises(SignatureError, match="published test key"):
        private_key(ed25519.Ed25519PrivateKey.from_private_bytes(seed))


@pytest.mark.parametrize("sign_bit", [0, 0x80], ids=["positive", "negative"])
@pytest.mark.parametrize(
    "point",
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ],
)
def test_a_key_of_small_order_is_refused(point: str, sign_bit: int) -> None:
    octets = bytearray.fromhex(point)
    octets[31] |= sign_bit

    with pytest.raises(SignatureError, match="weak"):
        public_key(_spki(bytes(octets)))


def test_a_key_of_small_order_would_verify_every_message() -> None:
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)

    ed25519.Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"any message")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(AUTHOR_KEY.public.text[:-1], id="cut off"),
        pytest.param(AUTHOR_KEY.public.text + "==", id="too much padding"),
        pytest.param(AUTHOR_KEY.public.text + "\n", id="newline"),
        pytest.param(AUTHOR_KEY.public.text.replace("MCow", "MC w"), id="space"),
        pytest.param(AUTHOR_KEY.public.text + "AAAA", id="octets after the key"),
        pytest.param("A" * 60, id="no key"),
        pytest.param("-----BEGIN PUBLIC KEY-----" + AUTHOR_KEY.public.text, id="PEM lines"),
        pytest.param("é" * 59, id="no ASCII"),
    ],
)
def test_what_is_no_single_line_of_a_key_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        public_key(text)


def test_stray_bits_in_the_last_character_are_refused() -> None:
    text = AUTHOR_KEY.public.text
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
    assert base64.b64decode(stray + "=") == base64.b64decode(text + "=")

    with pytest.raises(SignatureError, match="canonical"):
        public_key(stray)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048), id="RSA"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP256K1()), id="secp256k1"),
        pytest.param(ed448.Ed448PrivateKey.generate, id="Ed448"),
    ],
)
def test_keys_of_other_algorithms_are_refused(make: object) -> None:
    key = make()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(SignatureError):
        public_key(base64.b64encode(der).decode().rstrip("="))
    with pytest.raises(SignatureError):
        private_key(key)


def test_a_compressed_point_is_not_the_canonical_spelling_of_a_key() -> None:
    point = ec.derive_private_key(99, ec.SECP256R1()).public_key()
    compressed = point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")

    with pytest.raises(SignatureError, match="canonical DER"):
        public_key(base64.b64encode(header + compressed).decode().rstrip("="))


def test_a_private_key_is_not_shown() -> None:
    seed = "".join(AUTHOR_KEY.unprotected_pem().decode().splitlines()[1:-1])

    assert "PrivateKey object" not in repr(AUTHOR_KEY)
    assert seed not in repr(AUTHOR_KEY)
