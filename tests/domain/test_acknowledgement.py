"""An acknowledgement is read strictly, and counts as of its signing time by a key of who it says it is by."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from hub.domain.acknowledgement import (
    EVERY_VERSION,
    OUTCOMES,
    Acknowledgement,
    octets,
    read,
    signed,
    verify,
)
from hub.domain.canonical import parse
from hub.domain.keys import KeyRing
from hub.errors import CybexError, InvalidRequest, SignatureError
from tests.domain.signing import AUTHOR, INDICATOR, NOW, OTHER, OTHER_KEY, UUID, enrolled

SCHEMA = Path(__file__).parents[2] / "schemas" / "hub" / "acknowledgement.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))
READER = enrolled(OTHER_KEY, identity=OTHER)
RING = KeyRing([READER])
SAID = Acknowledgement(
    uuid="3c1f5f0e-6d1e-4b2f-9a57-0f7f2d3a9b11",
    hub=AUTHOR,
    group="alpha",
    stix_id=INDICATOR["id"],
    version=INDICATOR["modified"],
    outcome="refused",
    created=NOW - 1_234_567,
    by=OTHER,
    reason="a false positive here",
)


def made(**changes: Any) -> dict[str, Any]:
    return signed(replace(SAID, **changes), OTHER_KEY, uuid=UUID)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_signed_is_read_back_and_has_the_published_form(outcome: Any) -> None:
    document = made(outcome=outcome)
    VALIDATOR.validate(document)
    assert read(document) == replace(SAID, outcome=outcome)
    assert verify(document, RING, now=NOW).key == READER


def test_everything_may_be_removed_and_nothing_else_be_said_of_every_version() -> None:
    assert read(made(outcome="removed", version=EVERY_VERSION, reason=None)).version == EVERY_VERSION
    with pytest.raises(InvalidRequest) as caught:
        read(made(outcome="used", version=EVERY_VERSION))
    assert caught.value.field == "version"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda one: one.update(type="x"), "type"),
        (lambda one: one.update(format="2"), "format"),
        (lambda one: one.pop("by"), "by"),
        (lambda one: one.update(more=1), None),
        (lambda one: one.update(outcome="read"), "outcome"),
        (lambda one: one.update(outcome=[]), "outcome"),
        (lambda one: one.pop("reason"), "reason"),
        (lambda one: one.update(reason=None), "reason"),
        (lambda one: one.update(reason="x" * 501), "reason"),
        (lambda one: one.update(reason="two\nlines"), "reason"),
        (lambda one: one.update(version=""), "version"),
        (lambda one: one.update(version="x" * 65), "version"),
        (lambda one: one.update(id="3c1f5f0e"), "id"),
        (lambda one: one.update(object="indicator"), "object"),
        (lambda one: one.update(group="../alpha"), "group"),
        (lambda one: one.update(hub=OTHER + "0"), "hub"),
        (lambda one: one.update(created="2026-01-10T08:00:00Z"), "created"),
        (lambda one: one.update(created=7), "created"),
    ],
)
def test_another_form_is_refused_by_name(change: Callable[[Any], Any], field: str | None) -> None:
    document = made()
    change(document)
    with pytest.raises(InvalidRequest) as caught:
        read(document)
    assert caught.value.field == field


@pytest.mark.parametrize("value", [None, [], "x", 1, {}])
def test_what_is_no_acknowledgement_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        read(value)


def taken(data: bytes) -> None:
    document = parse(data)
    read(document)
    assert isinstance(document, dict)
    verify(document, RING, now=NOW)


@given(st.integers(0, 5_000), st.integers(1, 255))
def test_any_changed_byte_is_caught(position: int, mask: int) -> None:
    text = bytearray(octets(made()))
    text[position % len(text)] ^= mask
    with pytest.raises(CybexError):
        taken(bytes(text))


@pytest.mark.parametrize(
    "ring",
    [
        KeyRing([]),
        KeyRing([enrolled(OTHER_KEY, identity=AUTHOR)]),
        KeyRing([enrolled(OTHER_KEY, identity=OTHER, valid_until=NOW - 2_000_000)]),
        KeyRing([enrolled(OTHER_KEY, identity=OTHER, revoked_at=NOW - 2_000_000, revocation_reason="retired")]),
    ],
    ids=["nobody's", "another's", "expired", "revoked"],
)
def test_a_key_that_was_not_his_at_the_time_does_not_count(ring: KeyRing) -> None:
    with pytest.raises(SignatureError):
        verify(made(), ring, now=NOW)


def test_a_key_that_was_rotated_since_still_counts() -> None:
    verify(made(), KeyRing([enrolled(OTHER_KEY, identity=OTHER, valid_until=NOW)]), now=NOW + 1)


def test_a_signing_time_of_its_own_is_refused() -> None:
    document = made()
    stamp = "2026-01-10T08:00:01.000Z"
    later = signed(replace(SAID, created=NOW), OTHER_KEY, uuid=UUID)
    document["signatures"] = later["signatures"]
    document["signatures"][0] |= {"created": stamp, "modified": stamp}
    with pytest.raises(SignatureError):
        verify(document, RING, now=NOW)
