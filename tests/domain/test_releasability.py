"""The releasability extension: what it says, and that its schema and its reader agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub.domain import limits
from hub.domain.releasability import EXTENSION_DEFINITION, EXTENSION_ID, MalformedReleasability, read
from tests.domain.policy.world import AA, BB, BEFORE, CC, LATER, SOON, identity, releasable

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/hub/releasability.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

GOOD: dict[str, dict[str, Any]] = {
    "nothing but a word on relay": {"onward_relay": True},
    "named recipients": {"recipient_refs": [BB.identity, CC.identity]},
    "exclusions": {"excluded_refs": [BB.identity]},
    "an embargo": {"embargo_until": SOON},
    "an expiry": {"permission_expires": SOON},
    "an expiry after the embargo": {"embargo_until": SOON, "permission_expires": LATER},
    "as many recipients as there may be": {
        "recipient_refs": [identity(n) for n in range(limits.MAX_RELEASABILITY_REFS)]
    },
}
BAD: dict[str, dict[str, Any]] = {
    "recipients and exclusions": {"recipient_refs": [BB.identity], "excluded_refs": [CC.identity]},
    "an empty list of recipients": {"recipient_refs": []},
    "an empty list of exclusions": {"excluded_refs": []},
    "null for recipients": {"recipient_refs": None},
    "a recipient twice": {"recipient_refs": [BB.identity, BB.identity]},
    "a recipient that is no identity": {"recipient_refs": [BB.identity.replace("identity", "tool")]},
    "a recipient with a line break": {"recipient_refs": [BB.identity + "\n"]},
    "a recipient that is no text": {"recipient_refs": [{}]},
    "recipients that are no list": {"recipient_refs": BB.identity},
    "too many recipients": {"recipient_refs": [identity(n) for n in range(limits.MAX_RELEASABILITY_REFS + 1)]},
    "a relay that is no boolean": {"onward_relay": 1},
    "an embargo without zone": {"embargo_until": "2027-01-01T00:00:00"},
    "an embargo that is a number": {"embargo_until": 1},
    "an expiry that is null": {"permission_expires": None},
    "a property of another version": {"recipients_any_of": ["x"]},
    "another extension type": {"extension_type": "new-sdo"},
}


@pytest.mark.parametrize("terms", GOOD.values(), ids=GOOD)
def test_a_good_marking_is_read_and_fits_the_schema(terms: dict[str, Any]) -> None:
    marking = releasable(1, **terms)
    VALIDATOR.validate(marking)
    said = read(marking)
    assert said.author == AA.identity
    assert said.recipients == (frozenset(terms["recipient_refs"]) if "recipient_refs" in terms else None)
    assert said.exclusions == frozenset(terms.get("excluded_refs", ()))
    assert said.onward_relay is terms.get("onward_relay", False)
    assert (said.embargo_until is not None, said.permission_expires is not None) == (
        "embargo_until" in terms,
        "permission_expires" in terms,
    )


@pytest.mark.parametrize("terms", BAD.values(), ids=BAD)
def test_a_bad_marking_is_refused_by_the_reader_and_by_the_schema(terms: dict[str, Any]) -> None:
    marking = releasable(1, **terms)
    assert not VALIDATOR.is_valid(marking) or any("\n" in ref for ref in terms.get("recipient_refs", ()))
    with pytest.raises(MalformedReleasability) as caught:
        read(marking)
    assert BB.identity not in str(caught.value)


def test_onward_relay_must_be_stated() -> None:
    marking = releasable(1)
    del marking["extensions"][EXTENSION_ID]["onward_relay"]
    assert not VALIDATOR.is_valid(marking)
    with pytest.raises(MalformedReleasability):
        read(marking)


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"embargo_until": SOON, "permission_expires": BEFORE}, id="before"),
        pytest.param({"embargo_until": SOON, "permission_expires": SOON}, id="at the same instant"),
        pytest.param({"embargo_until": "2026-02-30T00:00:00Z"}, id="on a day that does not exist"),
    ],
)
def test_times_that_contradict_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(MalformedReleasability):
        read(releasable(1, **terms))


def test_times_are_microseconds() -> None:
    assert read(releasable(1, embargo_until="1970-01-01T00:00:01.5Z")).embargo_until == 1_500_000


@pytest.mark.parametrize("extensions", [None, {}, [], {EXTENSION_ID: None}, {EXTENSION_ID: []}])
def test_what_is_no_releasability_marking_is_not_read_as_one(extensions: object) -> None:
    with pytest.raises(MalformedReleasability):
        read(releasable(1) | {"extensions": extensions})


def test_the_schema_names_our_extension_and_the_definition_names_the_schema() -> None:
    assert list(SCHEMA["properties"]["extensions"]["properties"]) == [EXTENSION_ID] == [EXTENSION_DEFINITION["id"]]
    assert EXTENSION_DEFINITION["schema"] == "schemas/hub/releasability.schema.json"
    assert SCHEMA["$defs"]["identities"]["maxItems"] == limits.MAX_RELEASABILITY_REFS
