"""What markings mean: TLP, PAP, IEP, statements, releasability, and everything the hub does not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import pap, tlp
from hub.domain.markings import IEP_EXTENSION_ID, Meaning, effective, looks_like_tlp, meaning_of_definition, merge
from hub.domain.signature_profile import INLINE_EXTENSION_ID
from hub.domain.stix import facts
from tests.domain.policy.world import BB, TLP1_IDS, TLP_IDS, definition, incident, releasable, statement, uid

DATA = Path(__file__).parent / "data/markings"
PAP_AMBER = json.loads((DATA / "pap-amber.json").read_text())
IEP = json.loads((DATA / "iep-bundle-data-marking-example.json").read_text())["objects"][0]
ACS = definition(70, extensions={"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce": {"identifier": "x"}})


def iep(**policy: Any) -> dict[str, Any]:
    return definition(71, extensions={IEP_EXTENSION_ID: {"extension_type": "property-extension", **policy}})


def of(*markings: dict[str, Any] | str, known: tuple[dict[str, Any], ...] = ()) -> Meaning:
    """The meaning of an incident with these markings, given as ids or as definitions."""
    carried = [one for one in markings if isinstance(one, dict)]
    body = incident(*(one if isinstance(one, str) else one["id"] for one in markings))
    return effective(facts(body), body, {one["id"]: one for one in (*carried, *known)})


KNOWN = {
    "a statement": (statement(1), None),
    "PAP:AMBER as published": (PAP_AMBER, None),
    "PAP:RED by its id alone": ("marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e", None),
    "IEP as published": (IEP, "amber"),
    "IEP red": (iep(tlp="red"), "red"),
    "IEP white": (iep(tlp="white"), "clear"),
    "IEP without tlp": (iep(encrypt_in_transit="must"), None),
    "TLP 2.0 AMBER+STRICT": (TLP_IDS["amber+strict"], "amber+strict"),
    "TLP 1.0 WHITE": (TLP1_IDS["white"], "clear"),
    "TLP 1.0 AMBER": (TLP1_IDS["amber"], "amber"),
    "a statement signed inline": (
        statement(2) | {"extensions": {INLINE_EXTENSION_ID: {"extension_type": "toplevel-property-extension"}}},
        None,
    ),
    "a statement under TLP:GREEN": (statement(3, TLP_IDS["green"]), "green"),
}
UNKNOWN = {
    "an id nobody sent": (f"marking-definition--{uid(50)}", "include"),
    "ACS": (ACS, "extension"),
    "an extension beside a statement": (statement(4) | {"extensions": ACS["extensions"]}, "extension"),
    "another definition_type": (definition(51, definition_type="iep", definition={}), "definition_type"),
    "a definition_type that is no text": (definition(51, definition_type=1, definition={}), "definition_type"),
    "a TLP 1.0 look-alike": (definition(52, definition_type="tlp", definition={"tlp": "white"}), "published TLP"),
    "a TLP look-alike in capitals": (
        definition(53, definition_type="TLP", definition={"TLP": "TLP:CLEAR"}),
        "published TLP",
    ),
    "a TLP 2.0 look-alike": (definition(54, extensions={tlp.EXTENSION_ID: {"tlp_2_0": "clear"}}), "published TLP"),
    "a PAP look-alike": (definition(55, extensions={pap.EXTENSION_ID: {"pap": "clear"}}), "published PAP"),
    "an IEP policy kept elsewhere": (iep(id_ref=uid(9), url="https://example.org"), "elsewhere"),
    "an IEP with amber+strict": (iep(tlp="amber+strict"), "tlp of an IEP"),
    "an IEP with a list for tlp": (iep(tlp=["white"]), "tlp of an IEP"),
    "a statement without text": (definition(56, definition_type="statement", definition={}), "statement"),
    "an empty definition": (definition(57), "nothing"),
    "only a signature": (definition(58, extensions={INLINE_EXTENSION_ID: {}}), "nothing"),
    "extensions that are a list": (definition(59, extensions=[]), "extensions"),
    "a statement under an unknown marking": (statement(60, f"marking-definition--{uid(61)}"), "include"),
    "a marking of itself": (statement(62, f"marking-definition--{uid(62)}"), "circle"),
}


@pytest.mark.parametrize(("marking", "level"), KNOWN.values(), ids=KNOWN)
def test_a_known_marking_says_its_level_or_nothing(marking: dict[str, Any] | str, level: str | None) -> None:
    assert of(marking) == Meaning(tlp=level)


@pytest.mark.parametrize(("marking", "word"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_marking_is_unknown_with_a_reason(marking: dict[str, Any] | str, word: str) -> None:
    for meaning in (of(marking), of(marking, TLP_IDS["clear"], PAP_AMBER, statement(63))):
        assert meaning.unknown is not None
        assert word in meaning.unknown
        assert not any(secret in meaning.unknown for secret in ("--", "Copyright", "example.org"))


def test_the_strictest_of_several_levels_wins() -> None:
    assert of(TLP_IDS["clear"], TLP1_IDS["amber"], IEP).tlp == "amber"
    assert of(TLP1_IDS["amber"], TLP_IDS["amber+strict"]).tlp == "amber+strict"
    assert of(TLP_IDS["green"], iep(tlp="red")).tlp == "red"


def test_a_granular_marking_counts_for_the_whole_object() -> None:
    body = incident(TLP_IDS["clear"], granular_markings=[{"marking_ref": TLP_IDS["red"], "selectors": ["name"]}])
    assert effective(facts(body), body, {}).tlp == "red"


def test_a_granular_language_tag_is_no_marking() -> None:
    body = incident(granular_markings=[{"lang": "fr", "selectors": ["name"]}])
    assert effective(facts(body), body, {}) == Meaning()


def test_a_circle_of_markings_is_unknown() -> None:
    first, second = statement(64, f"marking-definition--{uid(65)}"), statement(65, f"marking-definition--{uid(64)}")
    assert "circle" in (of(first, known=(second,)).unknown or "")
    body = first
    assert "circle" in (effective(facts(body), body, {one["id"]: one for one in (first, second)}).unknown or "")


@pytest.mark.parametrize(("levels", "known"), [(4, True), (5, False)])
def test_markings_of_markings_are_followed_to_a_bounded_depth(levels: int, known: bool) -> None:
    chain = [statement(100 + n, f"marking-definition--{uid(101 + n)}") for n in range(levels - 1)]
    chain.append(statement(100 + levels - 1))
    assert (of(chain[0], known=tuple(chain)).unknown is None) is known


def test_many_markings_of_the_same_markings_are_looked_at_once() -> None:
    width = range(300)
    bottom = [statement(1000 + n) for n in width]
    middle = [statement(2000 + n, *(one["id"] for one in bottom)) for n in width]
    top = [statement(3000 + n, *(one["id"] for one in middle)) for n in width]
    assert of(*top, known=(*middle, *bottom)) == Meaning()


def test_a_reference_that_leads_to_something_else_is_unknown() -> None:
    wrong = {f"marking-definition--{uid(5)}": statement(6)}
    body = incident(f"marking-definition--{uid(5)}")
    assert effective(facts(body), body, wrong).unknown is not None
    broken: dict[str, Any] = {f"marking-definition--{uid(5)}": {"type": "marking-definition"}}
    assert effective(facts(body), body, broken).unknown is not None


def test_a_malformed_releasability_marking_is_known_and_not_carried_out() -> None:
    meaning = of(releasable(1, recipient_refs=[]))
    assert (meaning.unknown, meaning.releasabilities) == (None, ())
    assert meaning.malformed is not None


def test_a_releasability_marking_speaks_for_itself_without_its_embargo() -> None:
    body = releasable(1, recipient_refs=[BB.identity], embargo_until="2030-01-01T00:00:00Z")
    (own,) = effective(facts(body), body, {}).releasabilities
    assert (own.recipients, own.embargo_until) == ({BB.identity}, None)
    assert of(body).releasabilities[0].embargo_until is not None


def test_any_definition_may_be_published_unless_it_looks_like_tlp() -> None:
    assert effective(facts(ACS), ACS, {}) == Meaning()
    assert looks_like_tlp(definition(54, extensions={tlp.EXTENSION_ID: {"tlp_2_0": "clear"}}))
    assert not looks_like_tlp(ACS)
    assert not any(looks_like_tlp(one) for one in tlp.MARKING_DEFINITIONS)


_MEANINGS = st.builds(
    Meaning,
    tlp=st.sampled_from([None, *tlp.LEVELS]),
    unknown=st.sampled_from([None, "a", "b"]),
    malformed=st.sampled_from([None, "c"]),
)


@given(st.lists(_MEANINGS, max_size=5), st.randoms())
def test_the_order_of_markings_does_not_matter(meanings: list[Meaning], random: Any) -> None:
    shuffled = list(meanings)
    random.shuffle(shuffled)
    assert merge(shuffled) == merge(meanings)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from([IEP_EXTENSION_ID, tlp.EXTENSION_ID, pap.EXTENSION_ID, INLINE_EXTENSION_ID, "other"])


@given(_JSON, _JSON, st.dictionaries(_NAMES, _JSON, max_size=3) | _JSON)
def test_no_definition_makes_the_reader_fail(kind: Any, content: Any, extensions: Any) -> None:
    meaning_of_definition(definition(1, definition_type=kind, definition=content, extensions=extensions))
