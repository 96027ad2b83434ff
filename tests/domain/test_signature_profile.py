"""Both STIX carriers: what is signed verifies, is valid STIX by our schemas, and proves who and when."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain import jss
from hub.domain.canonical import jcs, parse
from hub.domain.signature_extensions import PROJECT_IDENTITY
from hub.domain.signature_profile import (
    DETACHED_EXTENSION_ID,
    EXTENSION_DEFINITIONS,
    INLINE_EXTENSION_ID,
    Attestation,
    carries_inline,
    check_detached,
    check_inline,
    check_withdrawal,
    related_version,
    sign_inline,
)
from hub.errors import SignatureError
from tests.domain.signing import (
    AUTHOR,
    AUTHOR_KEY,
    AUTHOR_PEER,
    DOMAIN,
    INDICATOR,
    NOW,
    OTHER,
    OTHER_KEY,
    OTHER_PEER,
    SIGNED,
    SIGNED_US,
    UUID,
    detached,
    ed25519_key,
    enrolled,
    es256_key,
    inline,
    ring,
)

_ROOT = Path(__file__).parents[2]
_MARKING = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "created": "2017-01-20T00:00:00.000Z",
    "definition_type": "tlp",
    "definition": {"tlp": "green"},
}


def _schema(name: str) -> Any:
    return json.loads((_ROOT / "schemas/hub" / name).read_text())


def _fits(obj: Any, name: str) -> bool:
    return jsonschema.Draft202012Validator(_schema(name)).is_valid(obj)


@pytest.mark.parametrize("key", [AUTHOR_KEY, es256_key(42)], ids=lambda key: key.algorithm)
def test_an_inline_signature_proves_its_author_and_its_time(key: Any) -> None:
    result = check_inline(inline(key=key), ring(enrolled(key)), signer_peers=frozenset({AUTHOR_PEER}), now=NOW)

    assert result == Attestation(enrolled(key), "hex", SIGNED_US, "inline")


@pytest.mark.parametrize("target", [INDICATOR, DOMAIN, _MARKING], ids=lambda target: target["type"])
def test_a_detached_signature_proves_its_signer_for_every_kind_of_object(target: Any) -> None:
    result = check_detached(target, detached(target), ring(), signer_peers=frozenset({OTHER_PEER}), now=NOW)

    assert isinstance(result, Attestation)
    assert (result.key.identity, result.carrier, result.signed_at) == (OTHER, "detached", SIGNED_US)


def test_the_version_in_a_signature_is_modified_else_created_else_the_hash() -> None:
    assert related_version(INDICATOR) == INDICATOR["modified"]
    assert related_version(_MARKING) == _MARKING["created"]
    assert related_version(DOMAIN) == hashlib.sha256(jcs(dict(DOMAIN))).hexdigest()


def test_a_signature_survives_another_writer_of_the_same_json() -> None:
    rewritten: Any = parse(json.dumps(dict(reversed(inline().items())), indent=4, ensure_ascii=True).encode())

    assert isinstance(check_inline(rewritten, ring(), signer_peers=frozenset({AUTHOR_PEER}), now=NOW), Attestation)


def test_a_detached_signature_holds_whether_or_not_the_author_signed_inline() -> None:
    target = inline()
    beside = detached(target)

    for carried in (target, {name: value for name, value in target.items() if name != "signatures"}):
        assert isinstance(check_detached(carried, beside, ring(), signer_peers=None, now=NOW), Attestation)
    assert isinstance(check_inline(target, ring(), signer_peers=frozenset({AUTHOR_PEER}), now=NOW), Attestation)


def test_a_countersigned_object_verifies_at_level_0() -> None:
    for countersigner in (OTHER_KEY, ed25519_key("stranger")):
        signed = jss.countersign(inline(), 0, countersigner, metadata={"type": "jss"})
        result = check_inline(signed, ring(), signer_peers=frozenset({AUTHOR_PEER}), now=NOW)
        assert isinstance(result, Attestation)


def test_two_good_signatures_of_the_author_are_both_checked_and_the_last_is_reported() -> None:
    second = es256_key(43)
    metadata = {**inline()["signatures"][0], "created": SIGNED, "modified": "2026-01-10T08:00:02.000Z"}
    for name in ("value", "hash_algorithm", "algorithm", "public_key"):
        del metadata[name]
    signed = jss.sign(inline(), second, metadata=metadata)

    result = check_inline(
        signed, ring(enrolled(), enrolled(second, id=2)), signer_peers=frozenset({AUTHOR_PEER}), now=NOW
    )

    assert isinstance(result, Attestation)
    assert (result.key.id, result.signed_at) == (2, SIGNED_US + 1_000_000)


def test_the_type_of_another_implementation_is_taken() -> None:
    unsigned = {name: value for name, value in inline().items() if name != "signatures"}
    metadata = {**inline()["signatures"][0], "type": "x590"}
    for name in ("value", "hash_algorithm", "algorithm", "public_key"):
        del metadata[name]

    result = check_inline(
        jss.sign(unsigned, AUTHOR_KEY, metadata=metadata), ring(), signer_peers=frozenset({AUTHOR_PEER}), now=NOW
    )

    assert isinstance(result, Attestation)


def test_the_raw_form_is_recognised_and_reported() -> None:
    signed = inline()
    signature = signed["signatures"][0]
    digest = hashlib.sha256(jss.signed_bytes(signed, signature)).digest()
    value = base64.urlsafe_b64encode(AUTHOR_KEY.sign(digest)).decode().rstrip("=")

    result = check_inline(
        {**signed, "signatures": [{**signature, "value": value}]},
        ring(),
        signer_peers=frozenset({AUTHOR_PEER}),
        now=NOW,
    )

    assert isinstance(result, Attestation)
    assert result.form == "raw"


def test_a_key_enrolled_in_two_periods_counts_in_both() -> None:
    keys = ring(enrolled(valid_until=SIGNED_US - 1), enrolled(id=2, valid_from=SIGNED_US - 1))

    result = check_inline(inline(), keys, signer_peers=frozenset({AUTHOR_PEER}), now=NOW)

    assert isinstance(result, Attestation)
    assert result.key.id == 2


def test_a_withdrawal_is_told_from_a_signature() -> None:
    unsigned = {name: value for name, value in detached()["signature"].items() if name != "value"}
    metadata = {**unsigned, "revoked": True, "modified": "2026-01-10T09:00:00.000Z"}
    for name in ("hash_algorithm", "algorithm", "public_key"):
        del metadata[name]
    signature = jss.sign(dict(INDICATOR), OTHER_KEY, metadata=metadata)["signatures"][0]
    withdrawal = {**detached(), "modified": metadata["modified"], "revoked": True, "signature": signature}

    assert isinstance(check_withdrawal(INDICATOR, withdrawal, ring(), signer_peers=None, now=NOW), Attestation)
    assert not isinstance(check_detached(INDICATOR, withdrawal, ring(), signer_peers=None, now=NOW), Attestation)
    assert not isinstance(check_withdrawal(INDICATOR, detached(), ring(), signer_peers=None, now=NOW), Attestation)
    forged = {**withdrawal, "signature": {**signature, "value": detached()["signature"]["value"]}}
    assert not isinstance(check_withdrawal(INDICATOR, forged, ring(), signer_peers=None, now=NOW), Attestation)
    assert _fits(withdrawal, "jss-signature.schema.json")


def test_signing_leaves_the_object_and_its_other_extensions_alone() -> None:
    original = {**INDICATOR, "extensions": {"extension-definition--" + UUID: {"extension_type": "property-extension"}}}
    before = json.dumps(original)

    signed = inline(original)

    assert json.dumps(original) == before
    assert {name: signed[name] for name in INDICATOR} == dict(INDICATOR)
    assert set(signed["extensions"]) == {"extension-definition--" + UUID, INLINE_EXTENSION_ID}


def test_what_is_signed_already_is_not_signed_inline_again() -> None:
    with pytest.raises(SignatureError, match="already"):
        inline(inline())
    with pytest.raises(SignatureError, match="extensions"):
        sign_inline({**INDICATOR, "extensions": 1}, AUTHOR_KEY, identity=AUTHOR, created=SIGNED, signature_uuid=UUID)


@pytest.mark.parametrize(
    ("obj", "claims"),
    [
        pytest.param(INDICATOR, False, id="unsigned"),
        pytest.param(inline(), True, id="signed"),
        pytest.param({**INDICATOR, "signatures": []}, True, id="undeclared"),
        pytest.param({**inline(), "signatures": None}, True, id="null"),
        pytest.param({name: value for name, value in inline().items() if name != "signatures"}, True, id="stripped"),
        pytest.param({**INDICATOR, "extensions": 5}, False, id="extensions no object"),
    ],
)
def test_a_claim_to_be_signed_is_seen(obj: Any, claims: bool) -> None:
    assert carries_inline(obj) is claims


def test_both_carriers_fit_their_published_schemas() -> None:
    for target in (INDICATOR, DOMAIN, _MARKING):
        assert _fits(detached(target), "jss-signature.schema.json")
    assert _fits(inline(), "jss-inline.schema.json")
    assert _fits(inline(key=es256_key(1)), "jss-inline.schema.json")
    assert not _fits({**inline(), "signatures": []}, "jss-inline.schema.json")
    assert not _fits({**detached(), "description": "x"}, "jss-signature.schema.json")
    assert not _fits({**detached(), "signature": {}}, "jss-signature.schema.json")
    assert not _fits(INDICATOR, "jss-inline.schema.json")


def test_both_schemas_describe_one_signature_object() -> None:
    assert _schema("jss-inline.schema.json")["$defs"] == _schema("jss-signature.schema.json")["$defs"]


def test_the_extension_definitions_are_valid_stix_and_point_at_schemas_that_exist() -> None:
    assert {definition["id"] for definition in EXTENSION_DEFINITIONS} == {INLINE_EXTENSION_ID, DETACHED_EXTENSION_ID}
    schema = _schema_of_stix("extension-definition.json")
    for definition in EXTENSION_DEFINITIONS:
        schema.validate(definition)
        assert definition["created_by_ref"] == PROJECT_IDENTITY["id"]
        assert jsonschema.Draft202012Validator.check_schema(_load(definition["schema"])) is None
    assert definition_of(INLINE_EXTENSION_ID)["extension_properties"] == ["signatures"]


def definition_of(stix_id: str) -> Any:
    return next(definition for definition in EXTENSION_DEFINITIONS if definition["id"] == stix_id)


def _load(path: str) -> Any:
    return json.loads((_ROOT / path).read_text())


def _schema_of_stix(name: str) -> Any:
    folder = _ROOT / "schemas/stix/common"
    schemas = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    from referencing import Registry, Resource

    resources = [Resource.from_contents(schema) for schema in schemas.values()]
    registry = Registry().with_resources([(resource.id() or "", resource) for resource in resources])
    return jsonschema.Draft202012Validator(schemas[name], registry=registry)


_NAMES = ("id", "created", "modified", "signee", "value", "signature", "signatures", "extensions", "type", "x")
_NOISE = st.dictionaries(
    st.sampled_from(_NAMES),
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=4) | st.just([]) | st.just({}),
    max_size=3,
)
_INLINE, _DETACHED, _RING = inline(), detached(), ring()


@settings(deadline=None)
@given(_NOISE)
def test_no_object_makes_the_checks_raise(noise: Any) -> None:
    for obj in (noise, {**_INLINE, **noise}, {**_INLINE, "signatures": [{**_INLINE["signatures"][0], **noise}]}):
        result = check_inline(obj, _RING, signer_peers=frozenset({AUTHOR_PEER}), now=NOW)
        assert isinstance(result, Attestation) is (obj == _INLINE)
    for wrapper in (noise, {**_DETACHED, **noise}, {**_DETACHED, "signature": {**_DETACHED["signature"], **noise}}):
        result = check_detached(INDICATOR, wrapper, _RING, signer_peers=None, now=NOW)
        assert isinstance(result, Attestation) is (wrapper == _DETACHED)
