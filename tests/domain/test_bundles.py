"""Signing and verifying whole bundles, and the key directory that verification uses."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from hub.domain.bundle_signing import sign_objects
from hub.domain.bundle_verification import Status, verify_objects
from hub.domain.canonical import parse
from hub.domain.key_directory import ListedKey, read_directory, write_directory
from hub.domain.keys import KeyRing
from hub.domain.stix_document import objects_of, with_objects
from hub.errors import InvalidRequest, SignatureError, Unprocessable
from tests.domain.signing import (
    AUTHOR,
    AUTHOR_KEY,
    DOMAIN,
    INDICATOR,
    NOW,
    OTHER,
    SIGNED,
    SIGNED_US,
    detached,
    ed25519_key,
    enrolled,
    inline,
    ring,
)

_FOREIGN = {**INDICATOR, "id": "indicator--0f7f2d3a-6d1e-4b2f-9a57-3c1f5f0e9b22", "created_by_ref": OTHER}
_MARKING = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "created_by_ref": AUTHOR,
    "created": "2017-01-20T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "x"},
}
_GRANULAR = {
    **_FOREIGN,
    "id": "indicator--0f7f2d3a-6d1e-4b2f-9a57-3c1f5f0e9b33",
    "granular_markings": [
        {"marking_ref": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "selectors": ["name"]},
        {"lang": "en", "selectors": ["name"]},
    ],
}
_ALL = [dict(INDICATOR), dict(DOMAIN), _FOREIGN, _MARKING, _GRANULAR]


def _sign(objects: list[Any]) -> tuple[list[dict[str, Any]], list[str]]:
    numbers = itertools.count()
    signed, done = sign_objects(
        objects,
        AUTHOR_KEY,
        identity=AUTHOR,
        created=SIGNED,
        new_uuid=lambda: f"00000000-0000-4000-8000-{next(numbers):012}",
    )
    return signed, [item.carrier for item in done]


def test_own_objects_are_signed_inside_and_all_others_beside() -> None:
    signed, carriers = _sign(_ALL)

    assert carriers == ["inline", "detached", "detached", "detached", "detached"]
    assert [obj["type"] for obj in signed].count("jss-signature") == 4
    assert {item.status for item in verify_objects(signed, ring(), now=NOW)} == {Status.VERIFIED}


def test_a_signature_beside_an_object_takes_over_all_its_markings() -> None:
    signed, _ = _sign([dict(DOMAIN), _FOREIGN, _GRANULAR])
    markings = [obj.get("object_marking_refs") for obj in signed if obj["type"] == "jss-signature"]

    whole = INDICATOR["object_marking_refs"]
    assert markings == [None, whole, [*whole, "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]]


def test_signing_twice_changes_nothing() -> None:
    once, _ = _sign(_ALL)
    twice, carriers = _sign(once)

    assert twice == once
    assert carriers == ["present"] * 5


def test_the_objects_that_were_given_are_not_changed() -> None:
    before = copy.deepcopy(_ALL)
    _sign(_ALL)

    assert before == _ALL


def test_an_object_that_stands_in_a_bundle_twice_is_signed_once_and_verified_twice() -> None:
    signed, _ = _sign([dict(DOMAIN), dict(DOMAIN)])

    assert [obj["type"] for obj in signed].count("jss-signature") == 1
    assert [item.status for item in verify_objects(signed, ring(), now=NOW)] == [Status.VERIFIED] * 2


def test_markings_that_are_no_lists_are_refused() -> None:
    with pytest.raises(SignatureError, match="markings"):
        _sign([{**_FOREIGN, "object_marking_refs": "x"}])


@pytest.mark.parametrize(
    ("objects", "status", "reason"),
    [
        pytest.param([INDICATOR], Status.UNSIGNED, "no signature", id="unsigned"),
        pytest.param([inline()], Status.VERIFIED, "enrolled", id="inline"),
        pytest.param([INDICATOR, detached()], Status.VERIFIED, "enrolled", id="beside"),
        pytest.param([detached(), INDICATOR], Status.VERIFIED, "enrolled", id="beside, before its target"),
        pytest.param([{**inline(), "name": "x"}], Status.FAILED, "does not match", id="changed"),
        pytest.param([inline(key=ed25519_key("x"))], Status.FAILED, "not an enrolled key", id="stranger"),
        pytest.param([detached()], Status.FAILED, "not here", id="target missing"),
        pytest.param([{**detached(), "related_to": []}], Status.FAILED, "not here", id="target no text"),
        pytest.param(
            [inline(), detached(inline(), key=ed25519_key("x"))], Status.FAILED, "not an enrolled", id="one of two bad"
        ),
        pytest.param(
            [{name: value for name, value in inline().items() if name != "signatures"}],
            Status.FAILED,
            "carries none",
            id="stripped",
        ),
        pytest.param(
            [{**INDICATOR, "name": "x"}, INDICATOR, detached()], Status.FAILED, "does not match", id="two contents"
        ),
    ],
)
def test_the_first_outcome_says_what_the_signatures_prove(objects: list[Any], status: Status, reason: str) -> None:
    first = verify_objects(objects, ring(), now=NOW)[0]

    assert first.status is status
    assert reason in first.reason


def test_an_outcome_names_the_signers_and_which_is_the_author() -> None:
    (outcome,) = verify_objects([inline(), detached(inline())], ring(), now=NOW)

    assert [(signer.identity, signer.author, signer.carrier, signer.signed_at) for signer in outcome.signers] == [
        (AUTHOR, True, "inline", SIGNED_US),
        (OTHER, False, "detached", SIGNED_US),
    ]


def test_without_a_directory_nothing_is_better_than_intact() -> None:
    stranger = inline(key=ed25519_key("x"))

    assert [item.status for item in verify_objects([stranger], None, now=NOW)] == [Status.INTACT]
    assert [item.status for item in verify_objects([{**stranger, "name": "x"}], None, now=NOW)] == [Status.FAILED]
    assert [item.status for item in verify_objects([INDICATOR], None, now=NOW)] == [Status.UNSIGNED]
    broken = {**stranger, "signatures": [{**stranger["signatures"][0], "public_key": "x"}]}
    assert [item.status for item in verify_objects([broken], None, now=NOW)] == [Status.FAILED]


def test_an_empty_ring_believes_nobody() -> None:
    assert [item.status for item in verify_objects([inline()], KeyRing([]), now=NOW)] == [Status.FAILED]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"type": "bundle", "id": "bundle--1", "objects": [dict(INDICATOR)]}, id="bundle"),
        pytest.param({"more": False, "objects": [dict(INDICATOR)]}, id="envelope"),
        pytest.param(dict(INDICATOR), id="object"),
        pytest.param({"type": "bundle", "id": "bundle--1"}, id="bundle without objects"),
    ],
)
def test_a_document_is_taken_apart_and_put_together(document: Any) -> None:
    objects = objects_of(document)

    assert objects in ([dict(INDICATOR)], [])
    assert with_objects(document, objects) in (document, {**document, "objects": []})


def test_a_single_object_with_a_signature_beside_it_becomes_an_envelope() -> None:
    signed, _ = _sign([dict(DOMAIN)])

    assert with_objects(dict(DOMAIN), signed) == {"objects": signed}


@pytest.mark.parametrize(
    "document",
    [[], 1, {}, {"objects": {}}, {"objects": [1]}, {"objects": [{"id": "x"}]}, {"type": "indicator"}, {"type": 5}],
    ids=str,
)
def test_what_is_no_stix_document_is_refused(document: Any) -> None:
    with pytest.raises(Unprocessable):
        objects_of(document)


def test_a_directory_is_read_as_it_was_written() -> None:
    listed = (
        ListedKey("aa", enrolled(peer_id=1, valid_until=NOW, revoked_at=NOW - 1, revocation_reason="superseded")),
        ListedKey("bb", enrolled(ed25519_key("b"), id=2, peer_id=2, identity=OTHER)),
        ListedKey("aa", enrolled(ed25519_key("c"), id=3, peer_id=1)),
    )

    assert read_directory(write_directory(listed)) == listed


def test_a_newer_directory_with_more_members_is_read() -> None:
    document = write_directory([ListedKey("aa", enrolled(peer_id=1))])
    document["keys"][0]["more"] = 1

    assert read_directory(document)[0].key == enrolled(peer_id=1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"identity": "x"}, "identity", id="identity"),
        pytest.param({"identity": None}, "identity", id="no identity"),
        pytest.param({"kid": "x"}, "kid", id="kid"),
        pytest.param({"algorithm": "RS256"}, "algorithm", id="algorithm"),
        pytest.param({"public_key": 5}, "public_key", id="public key"),
        pytest.param({"valid_from": None}, "valid_from", id="no valid_from"),
        pytest.param({"valid_from": "yesterday"}, "valid_from", id="valid_from"),
        pytest.param({"valid_until": 5}, "valid_until", id="valid_until"),
        pytest.param({"revoked_at": "x"}, "revoked_at", id="revoked_at"),
        pytest.param({"revocation_reason": 5}, "revocation_reason", id="reason"),
    ],
)
def test_a_damaged_directory_is_refused_by_the_name_of_the_member(change: dict[str, Any], field: str) -> None:
    document = write_directory([ListedKey("aa", enrolled())])
    document["keys"][0].update(change)

    with pytest.raises(InvalidRequest) as caught:
        read_directory(document)
    assert caught.value.field == f"keys[0].{field}"


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}'])
def test_what_is_no_directory_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_directory(parse(text))
