"""From the hub to a MISP over HTTP: which events, how far they may go, once only, and withdrawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.misp.mapping.event_to_stix import event_to_stix
from connectors.sdk.exchange import Delivered, Outgoing
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Fate
from hub.domain import pap, releasability, tlp
from hub.domain.canonical import jcs
from tests.connectors.conftest import IDENTITY, Sessions
from tests.connectors.misp.conftest import CANDIRU, GHOST, Opened, named, real_events
from tests.connectors.misp.fake_misp import FakeMisp
from tests.connectors.misp.golden import ORIGIN, rules
from tests.connectors.misp.test_round_trip import kept, things

AA = "identity--0c1f3c43-3f0b-4b9f-9c4e-0a7d1a4b9a11"
TIME = "2026-02-03T04:05:06.000Z"
LATER = "2026-02-04T04:05:06.000Z"


def sdo(type_: str, key: str, level: str | None = "green", **more: Any) -> dict[str, Any]:
    """Return an object of AA."""
    marked = {} if level is None else {"object_marking_refs": [tlp.IDS[level]]}  # type: ignore[index] # a level
    return {
        "type": type_, "spec_version": "2.1", "id": f"{type_}--{named(f'{type_} {key}')}", "created_by_ref": AA,
        "created": TIME, "modified": TIME, **marked, **more,
    }  # fmt: skip


def indicator(value: str = "evil.example", level: str | None = "green", **more: Any) -> dict[str, Any]:
    """Return an indicator for a domain."""
    base = {"pattern": f"[domain-name:value = '{value}']", "pattern_type": "stix", "valid_from": TIME}
    return sdo("indicator", value, level, **(base | more))


def report(name: str, *contents: Mapping[str, Any], level: str | None = "green", **more: Any) -> dict[str, Any]:
    """Return a report."""
    refs = [one["id"] for one in contents]
    return sdo("report", name, level, name=name, published=TIME, object_refs=refs, **more)


AUTHOR = {
    "type": "identity", "spec_version": "2.1", "id": AA, "created": TIME, "modified": TIME, "name": "CERT AA",
    "identity_class": "organization",
}  # fmt: skip


def deliver(target: Any, *objects: Mapping[str, Any], withdrawn: tuple[str, ...] = ()) -> Delivered:
    """Hand over a batch."""
    result: Delivered = target.deliver(Outgoing([AUTHOR, *objects], withdrawn))
    return result


def values(event: Mapping[str, Any]) -> set[str]:
    """Return the values that are there and not deleted."""
    return {one["value"] for one in things(dict(event)) if not one.get("deleted")}


def tags(thing: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Return the names of tags."""
    return {tag["name"] for tag in thing.get("Tag", []) if tag["name"].lower().startswith(prefix)}


def only(misp: FakeMisp) -> dict[str, Any]:
    """Return the one event there is."""
    (event,) = misp.events.values()
    return event


def test_a_report_is_one_event_with_what_it_refers_to(opened: Opened, misp: FakeMisp) -> None:
    one, two, stray = indicator(), indicator("other.example"), indicator("stray.example")
    done = deliver(opened.target(misp, distribution=3), one, two, stray, report("Case", one, two))
    assert done.refused == ()
    assert done.taken == 5
    case = misp.events[named("report Case")]
    assert values(case) == {"evil.example", "other.example"}
    assert case["info"] == "Case"
    assert ORIGIN in tags(case)
    assert all(attribute["to_ids"] for attribute in case["Attribute"])
    (collection,) = (event for event in misp.events.values() if event is not case)
    assert values(collection) == {"stray.example"}
    assert collection["info"] == "Indicators of CERT AA, 2026-02-03, TLP:GREEN"


def test_an_incident_is_an_event_with_what_is_related_to_it(opened: Opened, misp: FakeMisp) -> None:
    incident = sdo("incident", "I", name="Break-in", description="What happened")
    one = indicator()
    related = sdo("relationship", "R", relationship_type="related-to", source_ref=incident["id"], target_ref=one["id"])
    done = deliver(opened.target(misp), one, related, incident)
    assert done.refused == ()
    assert only(misp)["info"] == "Break-in"
    assert values(only(misp)) == {"evil.example"}
    assert "What happened" in json.dumps(only(misp))


@pytest.mark.parametrize("name", [GHOST, CANDIRU])
def test_what_came_from_one_misp_is_the_same_event_in_another(opened: Opened, misp: FakeMisp, name: str) -> None:
    source = real_events(name)[0]
    objects = event_to_stix(source, rules()).objects
    target = opened.target(misp)
    half = len(objects) // 2  # the report comes first, so later pages find their event
    first = target.deliver(Outgoing(objects[:half]))
    second = target.deliver(Outgoing(objects[half:]))
    assert (first.refused, second.refused) == ((), ())
    event = misp.events[source["uuid"]]
    assert len(misp.events) == 1
    assert {one["uuid"] for one in things(event)} == {one["uuid"] for one in things(source)}
    names = ("type", "value", "category", "to_ids", "comment", "tags")
    after = {one["uuid"]: {key: value for key, value in kept(one).items() if key in names} for one in things(event)}
    before = {one["uuid"]: {key: value for key, value in kept(one).items() if key in names} for one in things(source)}
    assert after == before


def test_delivered_twice_it_is_there_once_and_nothing_is_sent_again(opened: Opened, misp: FakeMisp) -> None:
    one = indicator()
    batch = (one, report("Case", one))
    deliver(opened.target(misp), *batch)
    misp.bodies.clear()
    deliver(opened.target(misp), *batch)
    assert values(only(misp)) == {"evil.example"}
    assert len(only(misp)["Attribute"]) == 1
    edits = [body for path, body in misp.bodies if path.startswith("/events/edit")]
    assert all(body["Attribute"] == body["Object"] == [] for body in edits)


@pytest.mark.parametrize("path", ["/events/add", "/events/edit"])
@pytest.mark.parametrize("fault", [1, -1], ids=["it failed", "it failed but it happened"])
def test_a_broken_delivery_is_repeated_to_the_same_event(opened: Opened, misp: FakeMisp, path: str, fault: int) -> None:
    one, two = indicator(), indicator("other.example")
    if path == "/events/edit":
        deliver(opened.target(misp), one, report("Case", one))
    misp.faults[path] = fault
    batch = (one, two, report("Case", one, two, modified=LATER))
    with pytest.raises(ConnectorError):
        deliver(opened.target(misp), *batch)
    assert deliver(opened.target(misp), *batch).refused == ()
    assert values(only(misp)) == {"evil.example", "other.example"}
    assert len(only(misp)["Attribute"]) == 2


@pytest.mark.parametrize(
    ("level", "configured", "expected"),
    [
        ("red", 3, "0"), ("amber+strict", 3, "0"), ("amber", 3, "1"), ("green", 3, "2"), ("clear", 3, "3"),
        ("clear", 0, "0"), ("green", 1, "1"), (None, 3, "1"),
    ],
    ids=str,
)  # fmt: skip
def test_no_event_goes_further_than_its_marking_and_the_settings(
    opened: Opened, misp: FakeMisp, level: str | None, configured: int, expected: str
) -> None:
    one = indicator(level=level)
    deliver(opened.target(misp, distribution=configured), one, report("Case", one, level=level))
    assert only(misp)["distribution"] == expected
    assert tags(only(misp), "tlp:") == {f"tlp:{level or 'amber'}"}
    assert [attribute["distribution"] for attribute in only(misp)["Attribute"]] == ["5"]


def test_by_default_everything_is_for_our_organisation_only_and_unpublished(opened: Opened, misp: FakeMisp) -> None:
    one = indicator(level="clear")
    deliver(opened.target(misp), one, report("Case", one, level="clear"))
    assert only(misp)["distribution"] == "0"
    assert only(misp)["published"] is False


def test_what_is_stricter_than_its_report_stays_stricter(opened: Opened, misp: FakeMisp) -> None:
    open_, closed = indicator(level="clear"), indicator("closed.example", "amber+strict")
    deliver(opened.target(misp, distribution=3), open_, closed, report("Case", open_, closed, level="green"))
    found = {one["value"]: (one["distribution"], tags(one, "tlp:")) for one in only(misp)["Attribute"]}
    assert found == {"evil.example": ("5", set()), "closed.example": ("0", {"tlp:amber+strict"})}
    assert tags(only(misp), "tlp:") == {"tlp:green"}


def marking(**extension: Any) -> dict[str, Any]:
    """Return a releasability marking."""
    base = {"extension_type": "property-extension", "onward_relay": True}
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": f"marking-definition--{named(repr(extension))}",
        "created_by_ref": AA, "created": TIME, "extensions": {releasability.EXTENSION_ID: base | extension},
    }  # fmt: skip


@pytest.mark.parametrize(
    "extension",
    [{"recipient_refs": [IDENTITY]}, {"excluded_refs": [IDENTITY]}, {"onward_relay": False}],
    ids=["recipients", "exclusions", "no onward relay"],
)
def test_what_is_for_named_recipients_stays_with_our_organisation(
    opened: Opened, misp: FakeMisp, extension: dict[str, Any]
) -> None:
    definition = marking(**extension)
    one = indicator(level="clear", object_marking_refs=[tlp.IDS["clear"], definition["id"]])
    deliver(opened.target(misp, distribution=3), definition, one)
    assert only(misp)["distribution"] == "0"


def test_what_may_only_be_seen_for_a_time_is_refused(opened: Opened, misp: FakeMisp) -> None:
    definition = marking(permission_expires=LATER)
    one = indicator(level="clear", object_marking_refs=[definition["id"]])
    unknown = indicator("unknown.example", object_marking_refs=[f"marking-definition--{named('unknown')}"])
    done = deliver(opened.target(misp, distribution=3), definition, one, unknown)
    assert {one.stix_id: one.reason for one in done.refused} == {
        one["id"]: "it may only be seen until a certain time, which MISP cannot end",
        unknown["id"]: "it has a marking that is not understood here",
    }
    assert misp.events == {}


@pytest.mark.parametrize(("level", "acts"), [("RED", False), ("AMBER", False), ("GREEN", True), ("CLEAR", True)])
def test_what_must_not_be_acted_on_makes_no_rule(opened: Opened, misp: FakeMisp, level: str, acts: bool) -> None:
    pap_id = next(one["id"] for one in pap.MARKING_DEFINITIONS if one["name"] == f"PAP:{level}")
    one = indicator(object_marking_refs=[tlp.IDS["green"], pap_id])
    deliver(opened.target(misp), one)
    (attribute,) = only(misp)["Attribute"]
    assert attribute["to_ids"] is acts
    assert tags(only(misp), "pap:") == {f"PAP:{level}"}


def test_a_changed_level_leaves_one_tag_and_not_two(opened: Opened, misp: FakeMisp) -> None:
    one = indicator(level="amber")
    deliver(opened.target(misp, distribution=3), one, report("Case", one, level="amber"))
    relaxed = one | {"object_marking_refs": [tlp.IDS["clear"]], "modified": LATER}
    deliver(opened.target(misp, distribution=3), relaxed, report("Case", one, level="clear", modified=LATER))
    assert tags(only(misp), "tlp:") == {"tlp:clear"}
    assert only(misp)["distribution"] == "3"


def test_a_changed_indicator_changes_its_attribute(opened: Opened, misp: FakeMisp) -> None:
    one = indicator()
    deliver(opened.target(misp), one)
    deliver(opened.target(misp), one | {"pattern": "[domain-name:value = 'new.example']", "modified": LATER})
    assert values(only(misp)) == {"new.example"}
    assert len(only(misp)["Attribute"]) == 1
    deliver(opened.target(misp), one)
    assert values(only(misp)) == {"new.example"}, "an older version does not come back"


def test_a_withdrawn_indicator_is_deleted_softly(opened: Opened, misp: FakeMisp) -> None:
    one, two = indicator(), indicator("other.example")
    deliver(opened.target(misp), one, two, report("Case", one, two))
    deliver(opened.target(misp), withdrawn=(one["id"],))
    assert values(only(misp)) == {"other.example"}
    assert [one["value"] for one in only(misp)["Attribute"] if one.get("deleted")] == ["evil.example"]


def test_a_withdrawn_report_is_deleted_and_what_it_held_is_collected(opened: Opened, misp: FakeMisp) -> None:
    one, two = indicator(), indicator("other.example")
    case = report("Case", one, two)
    deliver(opened.target(misp), one, two, case)
    deliver(opened.target(misp), withdrawn=(case["id"], two["id"]))
    assert named("report Case") in misp.blocklist
    assert values(only(misp)) == {"evil.example"}
    assert only(misp)["info"].startswith("Indicators of CERT AA")


def test_an_emptied_collection_stays_so_that_the_next_object_of_that_day_is_taken(
    opened: Opened, misp: FakeMisp
) -> None:
    one, two = indicator(), indicator("other.example")
    deliver(opened.target(misp), one)
    deliver(opened.target(misp), withdrawn=(one["id"],))
    assert values(only(misp)) == set()
    done = deliver(opened.target(misp), two)
    assert done.refused == ()
    assert values(only(misp)) == {"other.example"}
    assert tags(only(misp), "tlp:") == {"tlp:green"}


def test_what_came_before_its_report_moves_into_it(opened: Opened, misp: FakeMisp) -> None:
    one, two = indicator(), indicator("other.example")
    deliver(opened.target(misp), one, two)
    deliver(opened.target(misp), report("Case", one))
    assert values(misp.events[named("report Case")]) == {"evil.example"}
    (collection,) = (event for event in misp.events.values() if event["uuid"] != named("report Case"))
    assert values(collection) == {"other.example"}


def test_what_comes_after_its_report_goes_into_it(opened: Opened, misp: FakeMisp) -> None:
    one = indicator()
    note = sdo("note", "N", content="seen at the gateway", object_refs=[one["id"]])
    deliver(opened.target(misp), report("Case", one))
    deliver(opened.target(misp), one, note)
    assert values(only(misp)) == {"evil.example"}
    assert "seen at the gateway" in json.dumps(only(misp))


def test_somebody_elses_event_is_left_as_it_is(opened: Opened, misp: FakeMisp) -> None:
    theirs = misp.hold({"uuid": named("report Case"), "info": "Theirs", "Attribute": [], "Tag": []})
    before = jcs(theirs)
    one, stray = indicator(), indicator("stray.example")
    done = deliver(opened.target(misp), one, stray, report("Case", one))
    assert {one.stix_id for one in done.refused} == {one["id"], report("Case")["id"]}
    assert jcs(misp.events[named("report Case")]) == before
    deliver(opened.target(misp), withdrawn=(report("Case")["id"],))
    assert jcs(misp.events[named("report Case")]) == before
    assert len(misp.events) == 2, "the stray one was delivered"


def test_an_event_that_was_deleted_in_misp_is_refused_and_blocks_nothing(opened: Opened, misp: FakeMisp) -> None:
    misp.blocklist.add(named("report Case"))
    one, stray = indicator(), indicator("stray.example")
    done = deliver(opened.target(misp), one, stray, report("Case", one))
    assert {one.reason for one in done.refused} == {
        "MISP does not take the event: it was deleted there and is on its blocklist, or the user may not"
    }
    assert values(only(misp)) == {"stray.example"}


def test_what_misp_does_not_keep_is_told(opened: Opened, misp: FakeMisp) -> None:
    misp.forgets = lambda event: event["Attribute"].__delitem__(slice(1, None))
    several = [indicator(f"{number}.example") for number in range(4)]
    done = deliver(opened.target(misp), *several)
    assert len(done.refused) == 3
    assert ("Attribute", "MISP did not keep it", 3) in {
        (line.field, line.reason, line.count) for line in done.report.lines if line.fate is Fate.DROPPED
    }


def test_signatures_and_labels_that_would_lie_stay_out(opened: Opened, misp: FakeMisp) -> None:
    one = indicator(labels=["tlp:clear", "PAP:CLEAR", "misp:tool", 'rsit:fraud="phishing"'], signatures=[{"x": "y"}])
    signature = {"type": "jss-signature", "spec_version": "2.1", "id": f"jss-signature--{named('s')}", "created": TIME}
    done = deliver(opened.target(misp), one, signature)
    assert done.refused == ()
    (attribute,) = only(misp)["Attribute"]
    assert tags(attribute) == {'rsit:fraud="phishing"'}
    assert tags(only(misp), "tlp:") == {"tlp:green"}
    assert "signature" not in json.dumps(only(misp))


def test_one_object_that_cannot_be_converted_blocks_no_other(
    opened: Opened, misp: FakeMisp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.misp.mapping import bundles

    convert = bundles.converted

    def fails(prepared: bundles.Prepared) -> bundles.Made:
        if any("poison" in str(one.get("pattern")) for one in prepared.objects):
            raise bundles.Unconvertible("ValueError")
        return convert(prepared)

    monkeypatch.setattr(bundles, "converted", fails)
    bad = indicator("poison.example")
    done = deliver(opened.target(misp), indicator(), bad)
    assert [one.stix_id for one in done.refused] == [bad["id"]]
    assert values(only(misp)) == {"evil.example"}


def test_what_an_analyst_deleted_in_misp_stays_deleted_until_its_author_changes_it(
    opened: Opened, misp: FakeMisp
) -> None:
    one, two = indicator(), indicator("other.example")
    deliver(opened.target(misp), one)
    only(misp)["Attribute"][0]["deleted"] = True
    assert deliver(opened.target(misp), two).refused == ()
    assert values(only(misp)) == {"other.example"}
    deliver(opened.target(misp), one | {"labels": ["confirmed"], "modified": LATER})
    assert values(only(misp)) == {"evil.example", "other.example"}


def test_what_was_withdrawn_may_be_shared_again(opened: Opened, misp: FakeMisp) -> None:
    one = indicator()
    deliver(opened.target(misp), one)
    deliver(opened.target(misp), withdrawn=(one["id"],))
    deliver(opened.target(misp), one | {"modified": LATER})
    assert values(only(misp)) == {"evil.example"}


def test_published_if_that_is_configured(opened: Opened, misp: FakeMisp) -> None:
    deliver(opened.target(misp, publish=True), indicator())
    assert only(misp)["published"] is True


def test_what_comes_after_a_report_that_is_too_strict_for_the_feed_stays_out_with_it(
    opened: Opened, tools_base: Path
) -> None:
    one, late = indicator(level="clear"), indicator("late.example", "clear")
    first = deliver(opened.target(feed="out"), one, report("Case", one, late, level="amber"))
    assert {refused.stix_id for refused in first.refused} == {one["id"], report("Case")["id"]}
    second = deliver(opened.target(feed="out"), late)
    assert {refused.stix_id for refused in second.refused} == {late["id"]}
    assert [path.name for path in (tools_base / "out").glob("*-*.json")] == []


def test_a_feed_holds_what_may_be_in_it_and_can_be_read_back(
    opened: Opened, tools_base: Path, sessions: Sessions
) -> None:
    one, amber = indicator(), indicator("amber.example", "amber")
    limited = marking(onward_relay=False)
    kept_back = indicator("limited.example", "clear", object_marking_refs=[tlp.IDS["clear"], limited["id"]])
    target = opened.target(feed="out")
    done = deliver(target, limited, one, amber, kept_back, report("Case", one, amber, kept_back))
    assert {one.stix_id for one in done.refused} == {amber["id"], kept_back["id"]}
    folder = tools_base / "out"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert list(manifest) == [named("report Case")]
    text = (folder / f"{named('report Case')}.json").read_text()
    assert "evil.example" in text
    assert "amber.example" not in text
    assert "limited.example" not in text
    deliver(opened.target(feed="out"), report("Case", one, amber, kept_back))
    assert (folder / f"{named('report Case')}.json").read_text() == text, "the same event is the same file"
    assert "distribution" not in text
    assert f",{named('report Case')}" in (folder / "hashes.csv").read_text()
    back = opened.source(feed="out", missing_distribution=3, origin_tag="another:tag")
    (batch,) = back.batches(None)
    assert any(made.get("pattern") == one["pattern"] for made in batch.objects)
    ours = [line.reason for batch in opened.source(feed="out", missing_distribution=3).batches(None)
            for line in batch.report.lines if line.field == "Event"]  # fmt: skip
    assert ours == ["it came from the hub"], "what the hub gave is not brought back to it"
    deliver(opened.target(feed="out"), withdrawn=(report("Case")["id"],))
    assert named("report Case") not in json.loads((folder / "manifest.json").read_text())
    assert not (folder / f"{named('report Case')}.json").exists()


def test_a_target_wants_a_place_that_can_take_something(opened: Opened, tools_base: Path) -> None:
    for where in ({"file": "event.json"}, {"feed": "https://feed.example/"}):
        with pytest.raises(ConnectorError, match="set url for a server, or feed for a folder"):
            opened.target(**where)
