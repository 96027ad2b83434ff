"""Events on their way to the hub: what leaves, for whom, under which ids and versions, and what the report says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.misp.mapping import shape
from connectors.misp.mapping.event_to_stix import event_to_stix, withdrawn_by
from connectors.misp.mapping.shape import MalformedEvent
from connectors.sdk.exchange import Conversion
from connectors.sdk.report import Fate
from hub.domain import pap, releasability, tlp
from hub.domain.canonical import jcs
from hub.domain.stix_validation import StixValidator
from tests.connectors.misp.conftest import CANDIRU, GHOST, ORGC, SMALL, THEN, attribute, event, named, real_events
from tests.connectors.misp.golden import GOLDEN, ORIGIN, all_golden, rules, text

PEER = "identity--5b0b8c3e-7b0a-4a57-9d3f-1d8f0c6f2b11"
MEMBER = {"Organisation": {"uuid": named("org member"), "name": "CERT YY"}, "extend": False}
SHARING = {"uuid": named("sharing group"), "name": "Gulf", "active": True, "SharingGroupOrg": [MEMBER]}


def dropped(conversion: Conversion) -> dict[str, str]:
    """Return the reason by field of what was dropped."""
    return {line.field: line.reason for line in conversion.report.lines if line.fate is Fate.DROPPED}


def of_type(conversion: Conversion, type_: str) -> list[Any]:
    """Return the objects of a type."""
    return [one for one in conversion.objects if one["type"] == type_]


def markings(conversion: Conversion) -> set[frozenset[str]]:
    """Return the sets of markings there are, of all but identities and the definitions themselves."""
    return {
        frozenset(one["object_marking_refs"])
        for one in conversion.objects
        if one["type"] not in ("identity", "marking-definition")
    }


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_real_events_become_what_the_golden_file_says(name: str) -> None:
    assert text(all_golden_once()[name]) == (GOLDEN / name).read_text(encoding="utf-8")


_made: dict[str, Any] = {}


def all_golden_once() -> dict[str, Any]:
    """Return all golden content, made once."""
    if not _made:
        _made.update(all_golden())
    return _made


@pytest.mark.parametrize("name", [GHOST, CANDIRU, SMALL])
def test_everything_made_of_a_real_event_is_valid_and_the_same_again(name: str) -> None:
    root = Path(__file__).parents[3] / "schemas" / "stix"
    schemas = {str(path.relative_to(root)): json.loads(path.read_text("utf-8")) for path in root.rglob("*.json")}
    validator = StixValidator(schemas)
    for one in real_events(name):
        before = jcs(one)
        conversion = event_to_stix({"Event": one}, rules())
        assert [validator.problems(made) for made in conversion.objects if validator.problems(made)] == []
        assert jcs(list(conversion.objects)) == jcs(list(event_to_stix(one, rules()).objects))
        assert jcs(one) == before, "the source is untouched"
        assert len({made["id"] for made in conversion.objects}) == len(conversion.objects)


@pytest.mark.parametrize(
    ("distribution", "more", "reason"),
    [
        ("0", {}, "distribution `your organisation only` never leaves"),
        ("1", {}, "distribution 1 is not sent to the hub by this configuration"),
        ("4", {}, "its sharing group is not in the configuration (sharing_groups)"),
        ("4", {"SharingGroup": SHARING}, "its sharing group is not in the configuration (sharing_groups)"),
        ("5", {}, "an event has nothing to inherit a distribution from"),
        ("9", {}, "its distribution is not one that MISP has"),
        (True, {}, "its distribution is not one that MISP has"),
        (None, {}, "it does not say its distribution, and the configuration gives none (missing_distribution)"),
        ("3", {"Tag": [{"name": "tlp:red"}]}, "TLP:RED without named recipients is not sent"),
        ("3", {"Tag": [{"name": ORIGIN}, {"name": "tlp:clear"}]}, "it came from the hub"),
    ],
)
def test_what_may_not_leave_does_not_and_the_report_says_why(
    distribution: Any, more: dict[str, Any], reason: str
) -> None:
    strict = rules(levels={1: "withhold", 2: "group", 3: "relay"}, unstated=None)
    conversion = event_to_stix(event(distribution=distribution, **more), strict)
    assert conversion.objects == ()
    assert dropped(conversion)["Event"] == reason


def test_an_organisation_only_attribute_stays_and_the_others_go() -> None:
    hidden = attribute("secret.example", distribution="0")
    conversion = event_to_stix(event("one", attribute(), hidden), rules())
    assert "secret.example" not in json.dumps(list(conversion.objects))
    assert dropped(conversion)["Attribute.domain"] == "distribution `your organisation only` never leaves"
    assert len(of_type(conversion, "indicator")) == 1


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [("3", None), ("2", {"extension_type": "property-extension", "onward_relay": False})],
    ids=["all communities go on by their TLP", "connected communities end at the hub's group"],
)
def test_the_distribution_says_how_far_it_goes_on(distribution: str, expected: dict[str, Any] | None) -> None:
    conversion = event_to_stix(event(distribution=distribution), rules())
    definitions = of_type(conversion, "marking-definition")
    found = [one["extensions"][releasability.EXTENSION_ID] for one in definitions]
    assert found == ([] if expected is None else [expected])
    assert len(markings(conversion)) == 1
    (refs,) = markings(conversion)
    assert refs == {tlp.IDS["green"], *(one["id"] for one in definitions)}
    for one in definitions:
        releasability.read(one)


def test_a_sharing_group_becomes_its_members_by_uuid_and_nobody_else() -> None:
    stranger = {"Organisation": {"uuid": named("stranger"), "name": "Stranger"}}
    group = SHARING | {"SharingGroupOrg": [MEMBER, stranger]}
    allowed = rules(organisations={named("org member"): PEER}, sharing_groups={SHARING["uuid"]: "members"})
    conversion = event_to_stix(event(distribution="4", SharingGroup=group, Tag=[{"name": "tlp:red"}]), allowed)
    (definition,) = of_type(conversion, "marking-definition")
    assert definition["extensions"][releasability.EXTENSION_ID]["recipient_refs"] == [PEER]
    assert definition["extensions"][releasability.EXTENSION_ID]["onward_relay"] is False
    assert all(definition["id"] in refs and tlp.IDS["red"] in refs for refs in markings(conversion))
    assert dropped(conversion)["Event.SharingGroup.SharingGroupOrg"] == "no peer of the hub is configured for it"
    assert of_type(conversion, "identity") == [], "the group may not hear who wrote what only some may read"


def test_a_sharing_group_without_a_configured_member_reaches_nobody() -> None:
    allowed = rules(sharing_groups={SHARING["uuid"]: "members"})
    for group in (SHARING, SHARING | {"SharingGroupOrg": []}, {"uuid": SHARING["uuid"]}):
        conversion = event_to_stix(event(distribution="4", SharingGroup=group), allowed)
        assert conversion.objects == ()


def test_an_object_is_for_those_who_may_have_all_of_its_attributes() -> None:
    inside = [
        attribute("evil.example", object_relation="domain", Tag=[{"name": "tlp:amber+strict"}]),
        attribute("198.51.100.7", "ip-dst", object_relation="ip"),
    ]
    thing = {"uuid": named("object"), "name": "domain-ip", "meta-category": "network", "distribution": "5",
             "timestamp": str(THEN), "Attribute": inside}  # fmt: skip
    conversion = event_to_stix(event("one", attribute("other.example"), Object=[thing]), rules())
    made = next(one for one in conversion.objects if one["id"] == f"indicator--{named('object')}")
    assert made["object_marking_refs"] == [tlp.IDS["amber+strict"]]
    values = {one.get("value"): one["object_marking_refs"] for one in conversion.objects if "value" in one}
    assert values["198.51.100.7"] == values["evil.example"] == [tlp.IDS["amber+strict"]], "observables are marked too"
    assert values["other.example"] == [tlp.IDS["green"]]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["tlp:white"], "clear"),
        (["TLP:CLEAR"], "clear"),
        (["tlp:amber"], "amber"),
        (["tlp:amber+strict"], "amber+strict"),
        (["tlp:green", "tlp:amber", "tlp:clear"], "amber"),
        ([], "amber"),
    ],
    ids=str,
)
def test_of_the_tlp_tags_exactly_one_level_remains_the_strictest(tags: list[str], expected: tlp.Level) -> None:
    conversion = event_to_stix(event(Tag=[{"name": name} for name in tags]), rules())
    assert markings(conversion) == {frozenset({tlp.IDS[expected]})}
    assert not any(label.lower().startswith("tlp:") for one in conversion.objects for label in one.get("labels", []))


@pytest.mark.parametrize("name", ["tlp:ex:chr", "tlp:unclear", "tlp:orange"])
def test_a_tlp_tag_that_is_not_understood_is_taken_as_red(name: str) -> None:
    conversion = event_to_stix(event(Tag=[{"name": "tlp:clear"}, {"name": name}]), rules())
    assert conversion.objects == ()
    assert any(line.fate is Fate.GUESSED and line.field == "Event.Tag.tlp" for line in conversion.report.lines)


def test_a_local_tag_stays_unless_it_restricts() -> None:
    tags = [
        {"name": "our-case=17", "local": True},
        {"name": "tlp:amber", "local": True},
        {"name": "PAP:RED"},
        {"name": "shared"},
    ]
    conversion = event_to_stix(event(Tag=tags), rules())
    assert "our-case=17" not in json.dumps(list(conversion.objects))
    red = next(one["id"] for one in pap.MARKING_DEFINITIONS if one["name"] == "PAP:RED")
    assert markings(conversion) == {frozenset({tlp.IDS["amber"], red})}
    assert "shared" in of_type(conversion, "report")[0]["labels"]


def test_proposals_and_mail_addresses_are_counted_and_stay() -> None:
    source = event("one", attribute(ShadowAttribute=[{"value": "proposed.example"}]))
    source |= {"ShadowAttribute": [{"value": "proposed.example"}], "event_creator_email": "someone@cert.example"}
    conversion = event_to_stix(source, rules())
    everything = json.dumps(list(conversion.objects)) + json.dumps(conversion.report.to_json())
    assert "proposed.example" not in everything
    assert "someone@" not in everything
    counts = {line.field: line.count for line in conversion.report.lines if line.fate is Fate.DROPPED}
    assert counts["ShadowAttribute"] == 2
    assert counts["Event.event_creator_email"] == 1


def test_the_report_names_fields_and_never_content() -> None:
    odd = {"unheard_of": "content-of-it", "a field <b>": "content-of-it"}
    source = event(
        "one", attribute("content-of-it.example", **odd), attribute("content-of-it", "md5"), info="content-of-it"
    )
    conversion = event_to_stix(source | odd, rules())
    report = json.dumps(conversion.report.to_json())
    assert "content-of-it" not in report
    assert "<b>" not in report
    assert dropped(conversion)["Event.unheard_of"] == "STIX has no place for it"
    assert conversion.report.count(Fate.MERGED) > 0, "what misp-stix could not take as a hash is told"


def test_who_saw_something_is_only_told_of_configured_organisations() -> None:
    seen = [
        {"uuid": named("s1"), "type": "0", "date_sighting": str(THEN), "Organisation": MEMBER["Organisation"]},
        {
            "uuid": named("s2"),
            "type": "0",
            "date_sighting": str(THEN),
            "Organisation": {"uuid": named("victim"), "name": "Victim"},
        },
        {"uuid": named("s3"), "type": "1", "date_sighting": str(THEN)},
        {"uuid": named("s4"), "type": "2", "date_sighting": str(THEN)},
    ]
    source = event("one", attribute(Sighting=seen))
    conversion = event_to_stix(source, rules(organisations={named("org member"): PEER}))
    assert [one.get("where_sighted_refs") for one in of_type(conversion, "sighting")] == [[PEER], None]
    assert len(of_type(conversion, "opinion")) == 1
    assert "Victim" not in json.dumps(list(conversion.objects))
    assert dropped(conversion)["Sighting.Organisation"] == "no peer of the hub is configured for it"


def test_the_author_is_the_organisation_or_the_peer_it_is() -> None:
    plain = event_to_stix(event(), rules())
    assert of_type(plain, "report")[0]["created_by_ref"] == f"identity--{ORGC['uuid']}"
    assert [one["name"] for one in of_type(plain, "identity")] == ["CERT ZZ"]
    known = event_to_stix(event(), rules(organisations={ORGC["uuid"]: PEER}))
    assert {one["created_by_ref"] for one in known.objects if "created" in one} == {PEER}
    assert of_type(known, "identity") == [], "a peer publishes its own identity"
    by_name = event_to_stix(event(), rules(organisations={ORGC["name"]: PEER}))
    assert PEER not in json.dumps(list(by_name.objects)), "anybody can take a name: it makes nobody an author"


def test_versions_follow_the_event_so_that_one_version_has_one_content() -> None:
    first = event_to_stix(event(), rules())
    retagged = event_to_stix(event(Tag=[{"name": "tlp:clear"}], timestamp=str(THEN + 60)), rules())
    old = {one["id"]: one for one in first.objects if "modified" in one and one["type"] != "identity"}
    new = {one["id"]: one for one in retagged.objects if "modified" in one and one["type"] != "identity"}
    assert old.keys() == new.keys()
    assert all(new[name]["modified"] > old[name]["modified"] for name in old)
    assert all(new[name]["created"] == old[name]["created"] == "2026-01-15T00:00:00.000Z" for name in old)


def test_an_edited_value_is_another_observable() -> None:
    same = named("attribute")
    values = []
    for value in ("one.example", "two.example"):
        conversion = event_to_stix(event("one", attribute(value, uuid=same)), rules())
        values.append(of_type(conversion, "domain-name")[0]["id"])
        assert of_type(conversion, "observed-data")[0]["object_refs"] == [values[-1]]
    assert values[0] != values[1]


def test_objects_of_galaxies_have_ids_of_their_own_and_not_those_of_others() -> None:
    source = real_events(GHOST)[0]
    clusters = {cluster["uuid"] for galaxy in source["Galaxy"] for cluster in galaxy["GalaxyCluster"]}
    conversion = event_to_stix(source, rules())
    patterns = of_type(conversion, "attack-pattern")
    assert len(patterns) == 30
    assert not any(one["id"][-36:] in clusters for one in conversion.objects)
    named_by = [{ref.get("external_id") for ref in one["external_references"]} & clusters for one in patterns]
    assert all(len(found) == 1 for found in named_by), "each says which cluster it was made of"
    assert all(one["created_by_ref"] == f"identity--{source['Orgc']['uuid']}" for one in patterns)


def test_a_cluster_that_stays_takes_its_tag_along() -> None:
    cluster = {"uuid": named("cluster"), "value": "Ours", "tag_name": 'misp-galaxy:actors="Ours"', "distribution": "0"}
    galaxy = {"type": "actors", "name": "Actors", "GalaxyCluster": [cluster]}
    source = event(Tag=[{"name": "tlp:green"}, {"name": cluster["tag_name"]}], Galaxy=[galaxy])
    assert "Ours" not in json.dumps(list(event_to_stix(source, rules()).objects))


def test_deleted_things_stay_and_their_ids_are_withdrawn() -> None:
    gone = attribute("gone.example", deleted=True)
    source = event("one", attribute(), gone)
    assert "gone.example" not in json.dumps(list(event_to_stix(source, rules()).objects))
    assert f"indicator--{gone['uuid']}" in withdrawn_by(source)
    assert not any(attribute()["uuid"] in one for one in withdrawn_by(source))


@pytest.mark.parametrize(
    "source",
    [
        None, [], "text", {}, {"Event": None}, event() | {"uuid": "../../etc/passwd"}, event() | {"info": 5},
        event() | {"Orgc": None}, event() | {"Orgc": {"uuid": "x", "name": "y"}}, event() | {"timestamp": "-1"},
        event() | {"timestamp": "9" * 13}, event() | {"date": "2026-13-01"}, event() | {"Attribute": {}},
        event() | {"Attribute": [None]}, event() | {"Attribute": [{"uuid": None}]}, event() | {"Tag": "tlp:red"},
        event() | {"Object": [{"uuid": named("o"), "Attribute": [{}]}]},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_event_is_refused_by_the_name_of_the_field(source: Any) -> None:
    with pytest.raises(MalformedEvent):
        event_to_stix(source, rules())


def test_an_event_with_too_many_attributes_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "MAX_RECORDS", 2)
    with pytest.raises(MalformedEvent, match="divide it"):
        event_to_stix(event("one", *(attribute(f"{n}.example") for n in range(3))), rules())
