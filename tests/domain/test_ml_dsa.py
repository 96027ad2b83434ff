"""ML-DSA-65 (FIPS 204): published vectors, exact lengths, one spelling of a key, weak and published keys refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.client import keyfile
from hub.domain import limits
from hub.domain.key_material import ML_DSA_65, private_key, public_key
from hub.errors import SignatureError

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "wycheproof_ml_dsa_65.json").read_bytes())
_PREFIX = bytes.fromhex("308207b2300b0609608648016503040312038207a100")
_CASES = [
    pytest.param(base64.b64decode(group["publicKey"]), test, id=f"{test['tcId']}-{test['comment'][:40]}")
    for group in _VECTORS["testGroups"]
    for test in group["tests"]
]
KEY = private_key(mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(range(1, 33))))


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode().rstrip("=")


def _spki(raw: bytes) -> str:
    return _text(_PREFIX + raw)


def _with_parameters(der: bytes) -> bytes:
    return b"\x30\x82\x07\xb4\x30\x0d" + der[6:17] + b"\x05\x00" + der[17:]


@pytest.mark.parametrize(("raw", "test"), _CASES)
def test_the_published_vectors_come_out_for_an_empty_context(raw: bytes, test: dict[str, Any]) -> None:
    # What is valid under another context, or under the key that everybody can sign with, is nothing here.
    expected = test["result"] == "valid" and not test["ctx"] and "ZeroPublicKey" not in test["flags"]
    try:
        key = public_key(_spki(raw))
    except SignatureError:
        verified = False
    else:
        verified = key.verifies(base64.b64decode(test["sig"]), bytes.fromhex(test["msg"]))

    assert verified is expected


def test_the_vectors_hold_both_verdicts_and_every_trap() -> None:
    flags = {flag for group in _VECTORS["testGroups"] for test in group["tests"] for flag in test["flags"]}

    assert {"ValidSignature", "ModifiedSignature", "InvalidHintsEncoding", "InfinityNormViolation"} <= flags
    assert {"IncorrectSignatureLength", "IncorrectPublicKeyLength", "ZeroPublicKey"} <= flags


def test_the_key_pair_that_is_printed_in_rfc_9881_is_refused() -> None:
    pair = mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(range(32)))
    text = _text(pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    for refused in (lambda: public_key(text), lambda: private_key(pair)):
        with pytest.raises(SignatureError, match="published test key"):
            refused()
    assert public_key(text, allow_test_key=True).text == text


def test_a_key_with_which_everybody_can_sign_is_refused() -> None:
    with pytest.raises(SignatureError, match="weak"):
        public_key(_spki(bytes(range(32)) + bytes(1920)))


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(lambda der: _with_parameters(der), id="NULL parameters"),
        pytest.param(lambda der: der + b"\x00", id="octet after it"),
        pytest.param(lambda der: der[:-1], id="cut off"),
        pytest.param(lambda der: b"\x30\x83\x00\x07\xb2" + der[4:], id="length in too many octets"),
        pytest.param(lambda der: der[:21] + b"\x01" + der[22:], id="unused bits"),
        pytest.param(lambda der: der.replace(bytes.fromhex("03040312"), bytes.fromhex("03040311")), id="ML-DSA-44"),
        pytest.param(lambda der: der.replace(bytes.fromhex("03040312"), bytes.fromhex("03040320")), id="HashML-DSA-65"),
    ],
)
def test_a_key_in_any_other_spelling_is_refused(der: Any) -> None:
    with pytest.raises(SignatureError):
        public_key(_text(der(_PREFIX + KEY.public._key.public_bytes_raw())))


def test_the_bounds_are_the_lengths_of_this_algorithm() -> None:
    assert len(KEY.public.text) == limits.MAX_PUBLIC_KEY_TEXT
    assert len(_text(KEY.sign(b"m"))) == limits.MAX_SIGNATURE_TEXT
    with pytest.raises(SignatureError, match="one line of base64"):
        public_key(KEY.public.text + "AAAA")


def test_a_signature_is_over_the_message_and_never_over_the_digest() -> None:
    digest = bytes(32)

    assert KEY.public.verifies(KEY.sign(b"message"), b"message")
    assert not KEY.public.verifies(KEY.sign(b"message"), b"massage")
    assert not KEY.public.verifies_digest(KEY.sign(digest), digest)


def test_signing_is_hedged() -> None:
    assert KEY.sign(b"message") != KEY.sign(b"message")


def test_a_key_file_gives_the_same_pair_back(tmp_path: Path) -> None:
    pair = keyfile.generate(ML_DSA_65)
    keyfile.write(tmp_path / "pq.pem", pair)

    assert keyfile.read(tmp_path / "pq.pem").public == pair.public
    assert keyfile.read(tmp_path / "pq.pem").algorithm == ML_DSA_65
