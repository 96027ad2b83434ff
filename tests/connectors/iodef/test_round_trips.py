"""What the mapping claims to keep, it keeps: in both forms, and both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.iodef.mapping.documents import from_iodef, to_iodef
from connectors.iodef.mapping.reading import read_document
from connectors.iodef.mapping.to_json import write_json
from connectors.iodef.mapping.to_xml import write_xml
from connectors.iodef.mapping.values import instant
from hub.domain import tlp
from hub.domain.stix_amendments import EVENT, IMPACT, INCIDENT_CORE
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from tests.connectors.conftest import IDENTITY
from tests.connectors.iodef.strategies import TEXTS, incidents

_VALIDATOR = StixValidator(read_schemas())
_HEAD = {"lang": "en"}
_MANY = settings(
    max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)


def moments(value: Any) -> Any:
    """Return a value with its times as moments: the zone in which one was written is not kept."""
    if isinstance(value, dict):
        return {name: moments(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [moments(inner) for inner in value]
    return (instant(value) or value) if isinstance(value, str) else value


@_MANY
@given(incidents())
def test_both_forms_say_the_same(incident: dict[str, Any]) -> None:
    from_xml = read_document(write_xml(_HEAD, [incident]))
    from_json = read_document(write_json(_HEAD, [incident]))
    assert from_xml.incidents == from_json.incidents == [incident]
    assert from_xml.report.to_json()["dropped"] == 0


@_MANY
@given(incidents(), st.sampled_from(["xml", "json"]))
def test_iodef_comes_back_from_stix_as_it_went_in(incident: dict[str, Any], form: Any) -> None:
    read = from_iodef(write_json(_HEAD, [incident]), identity=IDENTITY)
    written, _ = to_iodef(read.objects, name="hub.example", form=form)
    assert moments(read_document(written[0].data).incidents) == moments([incident])


@_MANY
@given(incidents())
def test_every_object_is_good_stix_and_nobody_sees_more_than_the_incident_allows(incident: dict[str, Any]) -> None:
    read = from_iodef(write_json(_HEAD, [incident]), identity=IDENTITY)
    found = next(obj for obj in read.objects if obj["type"] == "incident")
    level = tlp.level_of(found["object_marking_refs"][0])
    assert level is not None
    for obj in read.objects:
        assert _VALIDATOR.problems(dict(obj)) == (), obj["type"]
        own = tlp.level_of(obj["object_marking_refs"][0])
        assert own is not None
        assert not tlp.stricter(level, own)
    again = from_iodef(write_json(_HEAD, [incident]), identity=IDENTITY)
    assert again.objects == read.objects


def _sdo(kind: str, number: int, **properties: Any) -> dict[str, Any]:
    moment = "2026-11-20T10:00:00.000Z"
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--00000000-0000-4000-8000-{number:012d}",
        "created_by_ref": IDENTITY,
        "created": moment,
        "modified": moment,
        **properties,
    }


_MOMENTS = st.integers(946_684_800, 1_893_456_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
)
_PATTERNS = st.sampled_from(
    [
        "[ipv4-addr:value = '192.0.2.1']",
        "[domain-name:value = 'a.example.org' OR domain-name:value = 'b.example.org']",
        "[file:hashes.'SHA-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']",
        "[url:value = 'https://example.org/a?b=\\'c\\'']",
        "[ipv4-addr:value = '192.0.2.0/24'] AND [file:name = 'x.exe']",
        "[process:command_line MATCHES 'a.*b'] FOLLOWEDBY [mutex:name = 'm'] WITHIN 60 SECONDS",
    ]
)


@_MANY
@given(
    TEXTS,
    st.sampled_from(sorted(tlp.IDS)),
    st.none() | st.integers(0, 100),
    _PATTERNS,
    _MOMENTS,
    st.sampled_from(["availability", "confidentiality", "integrity", "physical", "external"]),
    st.sampled_from(["xml", "json"]),
)
def test_stix_comes_back_from_iodef(
    text: str, level: Any, confidence: int | None, pattern: str, start: str, category: str, form: Any
) -> None:
    marked = {"object_marking_refs": [tlp.IDS[level]]}
    impact = _sdo(
        "impact",
        3,
        impact_category=category,
        extensions={IMPACT: {"extension_type": "new-sdo"}, category: {"impact_type": "x"}},
        **marked,
    )
    event = _sdo(
        "event",
        4,
        status="occurred",
        description=text,
        start_time=start,
        extensions={EVENT: {"extension_type": "new-sdo"}},
        **marked,
    )
    core = {"extension_type": "property-extension", "determination": "suspected", "investigation_status": "open"}
    core |= {"impact_refs": [impact["id"]], "events": [{"event_ref": event["id"]}], "incident_types": ["ransom"]}
    incident = _sdo("incident", 1, name="n", description=text, extensions={INCIDENT_CORE: core}, **marked)
    if confidence is not None:
        incident["confidence"] = confidence
    indicator = _sdo("indicator", 2, name="i", pattern=pattern, pattern_type="stix", valid_from=start, **marked)
    actor = _sdo("threat-actor", 5, name=text, **marked)
    links = [
        _sdo("relationship", 6, relationship_type="related-to", source_ref=indicator["id"], target_ref=incident["id"]),
        _sdo("relationship", 7, relationship_type="attributed-to", source_ref=incident["id"], target_ref=actor["id"]),
    ]
    written, _ = to_iodef([incident, indicator, impact, event, actor, *links], name="hub.example", form=form)
    back = {obj["type"]: obj for obj in from_iodef(written[0].data, identity=IDENTITY).objects}
    assert back["incident"]["description"] == text
    assert back["incident"].get("confidence") == confidence
    assert back["incident"]["external_references"][0]["external_id"] == incident["id"]
    assert back["incident"]["extensions"][INCIDENT_CORE]["incident_types"] == ["ransom"]
    assert back["incident"]["extensions"][INCIDENT_CORE]["investigation_status"] == "open"
    assert back["indicator"]["pattern"] == pattern
    assert instant(back["indicator"]["valid_from"]) == instant(start)
    assert instant(back["event"]["start_time"]) == instant(start)
    assert back["event"]["description"] == text
    assert back["threat-actor"]["name"] == text
    assert back["impact"]["impact_category"] == category
    assert {tlp.level_of(back[kind]["object_marking_refs"][0]) for kind in ("incident", "indicator", "impact")} == {
        level
    }
