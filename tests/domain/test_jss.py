"""X.590: the published vectors, and what must be refused."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import jss, limits
from hub.domain.canonical import parse
from hub.domain.key_material import PrivateKey, private_key, public_key
from hub.errors import MalformedJson, SignatureError
from tests.domain.signing import AUTHOR_KEY, OTHER_KEY, es256_key

_ROOT = Path(__file__).parents[2]
_DOCUMENT: Any = parse((_ROOT / "tests/vectors/x590_vectors.json").read_bytes())
_VECTORS = [pytest.param(vector, id=vector["name"]) for vector in _DOCUMENT["vectors"]]
_OUTPUTS = sorted((_ROOT / "tests/vectors/x590").glob("output*.json"))
_TEST_KEY = _DOCUMENT["key"]["public_key"]
_PAYLOAD = {"statement": "Hello signed world!", "otherProperties": ["home", "food"]}


def _test_private_key() -> PrivateKey:
    der = base64.b64decode(_DOCUMENT["key"]["private_pkcs8_b64"])
    return private_key(load_der_private_key(der, None), allow_test_key=True)


def _depth(vector: dict[str, Any]) -> int:
    return len(jss.levels(vector["signed_hex_form"]["signatures"][-1])) - 1


@pytest.mark.parametrize("vector", _VECTORS)
def test_a_vector_is_verified_and_its_form_is_recognised(vector: dict[str, Any]) -> None:
    key = public_key(_TEST_KEY, allow_test_key=True)
    signed = vector["signed_hex_form"]
    signature = signed["signatures"][-1]
    level = _depth(vector)

    text = jss.signed_bytes(signed, signature, level=level)

    assert text.decode() == vector["canonical"]
    assert hashlib.new(jss.HASHES[vector["hash_algorithm"]], text).hexdigest() == vector["hash_hex"]
    assert jss.verify(signed, signature, key, level=level) == "hex"
    raw = copy.deepcopy(signature)
    jss.levels(raw)[level]["value"] = vector["value_raw_form"]
    assert jss.verify(signed, raw, key, level=level) == "raw"


@pytest.mark.parametrize("vector", _VECTORS)
def test_a_vector_is_reproduced_by_signing(vector: dict[str, Any]) -> None:
    expected = vector["signed_hex_form"]["signatures"][-1]
    level = _depth(vector)
    made = jss.levels(expected)[level]
    metadata = {name: made[name] for name in made if name not in ("value", "hash_algorithm", "algorithm", "public_key")}
    options: dict[str, Any] = {"metadata": metadata, "hash_algorithm": vector["hash_algorithm"]}

    if level:
        signed = jss.countersign(vector["input"], 0, _test_private_key(), **options)
    else:
        signed = jss.sign(vector["input"], _test_private_key(), **options)

    assert jss.levels(signed["signatures"][-1])[level]["value"] == vector["value_hex_form"]
    assert signed == vector["signed_hex_form"]


@pytest.mark.parametrize("path", _OUTPUTS, ids=lambda path: path.stem)
def test_another_implementation_s_output_is_verified_and_fits_its_schema(path: Path) -> None:
    signed: Any = parse(path.read_bytes())
    key = public_key(_TEST_KEY, allow_test_key=True)
    schema = json.loads((_ROOT / "schemas/x590/x590schema.json").read_text())

    jsonschema.validate(signed, schema)
    assert jss.verify(signed, signed["signatures"][0], key) == "hex"


def test_what_we_sign_fits_the_published_schema() -> None:
    schema = json.loads((_ROOT / "schemas/x590/x590schema.json").read_text())

    jsonschema.validate(jss.sign(_PAYLOAD, AUTHOR_KEY, metadata={"type": "x590", "signee": "AA"}), schema)


@pytest.mark.parametrize("key", [AUTHOR_KEY, es256_key(12345)], ids=lambda key: key.algorithm)
@pytest.mark.parametrize("hash_algorithm", sorted(jss.HASHES))
def test_what_was_signed_verifies_and_a_changed_payload_does_not(key: PrivateKey, hash_algorithm: str) -> None:
    signed = jss.sign(_PAYLOAD, key, metadata={"type": "jss"}, hash_algorithm=hash_algorithm)
    signature = signed["signatures"][0]

    assert jss.verify(signed, signature, key.public) == "hex"
    assert jss.verify(_PAYLOAD, signature, key.public) == "hex"
    assert jss.verify({**signed, "statement": "Hello signed world?"}, signature, key.public) is None
    assert jss.verify({**signed, "more": None}, signature, key.public) is None
    assert jss.sign(_PAYLOAD, key, metadata={"type": "jss"}, hash_algorithm=hash_algorithm) == signed


def test_raw_es256_takes_a_sha_256_digest_in_the_place_of_its_own_hash() -> None:
    raw_key = ec.derive_private_key(12345, ec.SECP256R1())
    key = private_key(raw_key)
    for hash_algorithm, expected in (("sha-256", "raw"), ("sha-512", None)):
        signature = {"hash_algorithm": hash_algorithm, "algorithm": "ES256", "public_key": key.public.text}
        digest = hashlib.sha256(jss.signed_bytes(_PAYLOAD, signature)).digest()
        r, s = decode_dss_signature(raw_key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
        octets = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        value = base64.urlsafe_b64encode(octets).decode().rstrip("=")

        assert jss.verify(_PAYLOAD, {**signature, "value": value}, key.public) == expected


def test_each_signature_covers_itself_and_no_sibling() -> None:
    once = jss.sign(_PAYLOAD, AUTHOR_KEY)
    twice = jss.sign(once, OTHER_KEY, metadata={"signee": "other"})

    assert twice["signatures"][0] == once["signatures"][0]
    assert jss.verify(twice, twice["signatures"][0], AUTHOR_KEY.public) == "hex"
    assert jss.verify(twice, twice["signatures"][1], OTHER_KEY.public) == "hex"
    assert jss.verify(twice, twice["signatures"][1], AUTHOR_KEY.public) is None


def test_signatures_in_sub_objects_are_signed_as_ordinary_data() -> None:
    payload = {**_PAYLOAD, "part": {"signatures": [{"value": "x"}, {"value": "x"}]}}
    signed = jss.sign(payload, AUTHOR_KEY)
    changed = {**signed, "part": {"signatures": [{"value": "x"}]}}

    assert jss.verify(signed, signed["signatures"][0], AUTHOR_KEY.public) == "hex"
    assert jss.verify(changed, signed["signatures"][0], AUTHOR_KEY.public) is None


def test_a_countersigned_object_verifies_at_every_level() -> None:
    signed = jss.sign(_PAYLOAD, AUTHOR_KEY)
    twice = jss.countersign(jss.countersign(signed, 0, OTHER_KEY), 0, AUTHOR_KEY, metadata={"signee": "again"})
    signature = twice["signatures"][0]

    assert [
        jss.verify(twice, signature, key.public, level=level)
        for level, key in enumerate((AUTHOR_KEY, OTHER_KEY, AUTHOR_KEY))
    ] == ["hex", "hex", "hex"]
    assert jss.verify(twice, signature, OTHER_KEY.public, level=2) is None
    with pytest.raises(SignatureError):
        jss.verify(twice, signature, AUTHOR_KEY.public, level=3)


def test_a_countersignature_covers_the_value_it_countersigns() -> None:
    signed = jss.countersign(jss.sign(_PAYLOAD, AUTHOR_KEY), 0, OTHER_KEY)
    outer = jss.sign({**_PAYLOAD, "x": 1}, AUTHOR_KEY)["signatures"][0]
    moved = {**outer, "signature": signed["signatures"][0]["signature"]}

    assert jss.verify(_PAYLOAD, moved, OTHER_KEY.public, level=1) is None


def test_padding_the_public_key_breaks_the_signature() -> None:
    signature = jss.sign(_PAYLOAD, AUTHOR_KEY)["signatures"][0]

    assert jss.verify(_PAYLOAD, {**signature, "public_key": signature["public_key"] + "="}, AUTHOR_KEY.public) is None


_GOOD = jss.sign(_PAYLOAD, AUTHOR_KEY, metadata={"type": "jss"})["signatures"][0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"algorithm": "HS256"}, "MAC", id="HMAC"),
        pytest.param({"algorithm": "hs512"}, "MAC", id="HMAC, lower case"),
        pytest.param({"algorithm": "RS256"}, "algorithm must be one of", id="RSA"),
        pytest.param({"algorithm": "none"}, "algorithm must be one of", id="none"),
        pytest.param({"algorithm": "EdDSA"}, "algorithm must be one of", id="the name of JOSE"),
        pytest.param({"algorithm": None}, "algorithm must be one of", id="null"),
        pytest.param({"algorithm": ["Ed25519"]}, "algorithm must be one of", id="a list"),
        pytest.param({"algorithm": "ES256"}, "not the algorithm of the key", id="confused"),
        pytest.param({"hash_algorithm": "md5"}, "hash_algorithm", id="MD5"),
        pytest.param({"hash_algorithm": "sha-1"}, "hash_algorithm", id="SHA-1"),
        pytest.param({"hash_algorithm": "SHA-256"}, "hash_algorithm", id="upper case"),
        pytest.param({"hash_algorithm": {}}, "hash_algorithm", id="an object"),
        pytest.param({"type": "jws"}, "type", id="another type"),
        pytest.param({"cert_url": "https://example.com/"}, "exactly one", id="two keys"),
        pytest.param({"value": _GOOD["value"] + "=="}, "base64url", id="padded"),
        pytest.param({"value": _GOOD["value"][:-1] + "B"}, "stray bits|base64url", id="stray bits"),
        pytest.param({"value": _GOOD["value"] + "\n"}, "base64url", id="newline"),
        pytest.param({"value": " " + _GOOD["value"]}, "base64url", id="space"),
        pytest.param({"value": "+/" + _GOOD["value"][2:]}, "base64url", id="standard alphabet"),
        pytest.param({"value": _GOOD["value"][:85]}, "base64url", id="impossible length"),
        pytest.param({"value": ""}, "base64url", id="empty"),
        pytest.param({"value": 5}, "base64url", id="a number"),
        pytest.param({"value": None}, "base64url", id="null value"),
        pytest.param({"signature": "x"}, "countersignature", id="countersignature is no object"),
    ],
)
def test_a_signature_object_that_is_not_well_formed_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(SignatureError, match=reason):
        jss.verify(_PAYLOAD, {**_GOOD, **change}, AUTHOR_KEY.public)


def test_an_encoding_with_stray_bits_is_refused_although_it_decodes_to_the_same_octets() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    value = _GOOD["value"]
    stray = value[:-1] + alphabet[alphabet.index(value[-1]) + 1]
    assert base64.urlsafe_b64decode(stray + "==") == base64.urlsafe_b64decode(value + "==")

    with pytest.raises(SignatureError, match="stray bits"):
        jss.verify(_PAYLOAD, {**_GOOD, "value": stray}, AUTHOR_KEY.public)


def test_a_signature_of_the_wrong_length_does_not_verify() -> None:
    assert jss.verify(_PAYLOAD, {**_GOOD, "value": "AAAA"}, AUTHOR_KEY.public) is None
    es256 = es256_key(7)
    signature = jss.sign(_PAYLOAD, es256)["signatures"][0]
    assert jss.verify(_PAYLOAD, {**signature, "value": signature["value"] + "AAAA"}, es256.public) is None
    assert jss.verify(_PAYLOAD, {**signature, "value": "A" * 86}, es256.public) is None


def test_an_es256_signature_in_der_does_not_verify() -> None:
    raw_key = ec.derive_private_key(7, ec.SECP256R1())
    key = private_key(raw_key)
    unsigned = {"hash_algorithm": "sha-256", "algorithm": "ES256", "public_key": key.public.text}
    message = hashlib.sha256(jss.signed_bytes(_PAYLOAD, unsigned)).hexdigest().encode()
    der = base64.urlsafe_b64encode(raw_key.sign(message, ec.ECDSA(SHA256()))).decode().rstrip("=")

    assert jss.verify(_PAYLOAD, {**unsigned, "value": der}, key.public) is None


def test_an_ed25519_signature_has_one_spelling_only() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    octets = base64.urlsafe_b64decode(_GOOD["value"] + "==")
    other = octets[:32] + (int.from_bytes(octets[32:], "little") + order).to_bytes(32, "little")
    value = base64.urlsafe_b64encode(other).decode().rstrip("=")

    assert jss.verify(_PAYLOAD, {**_GOOD, "value": value}, AUTHOR_KEY.public) is None


def test_signatures_and_countersignatures_are_bounded() -> None:
    full = {**_PAYLOAD, "signatures": [_GOOD] * limits.MAX_SIGNATURES}
    with pytest.raises(SignatureError, match="at most"):
        jss.sign(full, AUTHOR_KEY)

    signed = jss.sign(_PAYLOAD, AUTHOR_KEY)
    for _ in range(limits.MAX_COUNTERSIGNATURES):
        signed = jss.countersign(signed, 0, OTHER_KEY)
    assert jss.verify(signed, signed["signatures"][0], AUTHOR_KEY.public) == "hex"
    with pytest.raises(SignatureError, match="nest at most"):
        jss.countersign(signed, 0, OTHER_KEY)
    signature: dict[str, Any] = dict(_GOOD)
    for _ in range(10_000):
        signature = {**_GOOD, "signature": signature}
    with pytest.raises(SignatureError, match="nest at most"):
        jss.verify(_PAYLOAD, signature, AUTHOR_KEY.public)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"signatures": {}}, id="an object"),
        pytest.param({"signatures": [1]}, id="a list of numbers"),
        pytest.param({"signatures": None}, id="null"),
    ],
)
def test_nothing_is_added_to_signatures_that_are_no_list_of_objects(payload: dict[str, Any]) -> None:
    with pytest.raises(SignatureError, match="signatures"):
        jss.sign(payload, AUTHOR_KEY)


def test_metadata_cannot_replace_core_properties() -> None:
    with pytest.raises(SignatureError, match="core"):
        jss.sign(_PAYLOAD, AUTHOR_KEY, metadata={"public_key": "x"})


def test_a_payload_that_json_cannot_carry_is_not_signed() -> None:
    with pytest.raises(MalformedJson):
        jss.sign({"n": 2**60}, AUTHOR_KEY)


def test_countersigning_needs_a_signature_with_a_value() -> None:
    with pytest.raises(SignatureError, match="no such"):
        jss.countersign(_PAYLOAD, 0, AUTHOR_KEY)
    with pytest.raises(SignatureError, match="without value"):
        jss.countersign({**_PAYLOAD, "signatures": [{}]}, 0, AUTHOR_KEY)


@given(
    st.dictionaries(st.text(max_size=5), st.integers(0, 9) | st.text(max_size=5), max_size=5), st.binary(max_size=70)
)
def test_random_octets_never_verify_and_never_crash(payload: dict[str, Any], octets: bytes) -> None:
    value = base64.urlsafe_b64encode(octets).decode().rstrip("=")
    try:
        form = jss.verify(payload, {**_GOOD, "value": value}, AUTHOR_KEY.public)
    except (SignatureError, MalformedJson):
        return
    assert form is None


def test_the_ed25519_message_is_the_hexadecimal_text_of_the_digest() -> None:
    unsigned = {"hash_algorithm": "sha-256", "algorithm": "Ed25519", "public_key": AUTHOR_KEY.public.text}
    digest = hashlib.sha256(jss.signed_bytes(_PAYLOAD, unsigned))
    seed = hashlib.sha256(b"author").digest()
    octets = ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(digest.hexdigest().encode())

    made = jss.sign(_PAYLOAD, AUTHOR_KEY)["signatures"][0]["value"]

    assert made == base64.urlsafe_b64encode(octets).decode().rstrip("=")
