"""One small, valid object of every STIX 2.1 type, and the published bundles, to build tests from."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

Object = dict[str, Any]

VECTORS = Path(__file__).parent.parent / "vectors" / "stix"
UUID4 = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
UUID5 = "28bb3599-77cd-5a82-a950-b5bc3caf07c4"


def ref(kind: str, number: int = 0) -> str:
    return f"{kind}--8e2e2d2b-17d4-4cbf-938f-{number:012x}"


def sdo(kind: str, **properties: Any) -> Object:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": ref(kind),
        "created_by_ref": ref("identity"),
        "created": "2026-01-02T03:04:05.678Z",
        "modified": "2026-01-03T03:04:05.678Z",
        **properties,
    }


def sco(kind: str, **properties: Any) -> Object:
    return {"type": kind, "spec_version": "2.1", "id": ref(kind), **properties}


_SPAN = {"first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-01-02T00:00:00.5Z"}

_EXAMPLES: list[Object] = [
    sdo("attack-pattern", name="a", kill_chain_phases=[{"kill_chain_name": "k", "phase_name": "p"}]),
    sdo("campaign", name="a", **_SPAN),
    sdo("course-of-action", name="a"),
    sdo("grouping", context="suspicious-activity", object_refs=[ref("indicator")]),
    sdo("identity", name="a", identity_class="organization", sectors=["energy"]),
    sdo("incident", name="a"),
    sdo(
        "indicator",
        name="a",
        indicator_types=["malicious-activity"],
        pattern="[ipv4-addr:value = '198.51.100.3']",
        pattern_type="stix",
        pattern_version="2.1",
        valid_from="2026-01-01T00:00:00Z",
        valid_until="2026-02-01T00:00:00Z",
        confidence=50,
        lang="en",
        labels=["x"],
        external_references=[{"source_name": "s", "url": "https://example.com/a", "hashes": {"MD5": "0" * 32}}],
        object_marking_refs=[ref("marking-definition")],
        granular_markings=[{"marking_ref": ref("marking-definition"), "selectors": ["name", "labels.[0]"]}],
    ),
    sdo("infrastructure", name="a", **_SPAN),
    sdo("intrusion-set", name="a", **_SPAN),
    sdo("location", latitude=1.5, longitude=2.5, region="eastern-africa", country="ke"),
    sdo("malware", is_family=False, sample_refs=[ref("file")], operating_system_refs=[ref("software")], **_SPAN),
    sdo(
        "malware-analysis",
        product="p",
        result="malicious",
        sample_ref=ref("file"),
        analysis_sco_refs=[ref("url")],
        analysis_started="2026-01-01T00:00:00Z",
    ),
    sdo("note", content="c", object_refs=[ref("indicator")]),
    sdo(
        "observed-data",
        first_observed="2026-01-01T00:00:00Z",
        last_observed="2026-01-01T00:00:00Z",
        number_observed=1,
        object_refs=[ref("url")],
    ),
    sdo("opinion", opinion="agree", object_refs=[ref("indicator")]),
    sdo("report", name="a", published="2026-01-01T00:00:00Z", object_refs=[ref("indicator")]),
    sdo("threat-actor", name="a", **_SPAN),
    sdo("tool", name="a"),
    sdo("vulnerability", name="a", external_references=[{"source_name": "cve", "external_id": "CVE-2026-1234"}]),
    sdo(
        "relationship",
        relationship_type="uses",
        source_ref=ref("malware"),
        target_ref=ref("tool"),
        start_time="2026-01-01T00:00:00Z",
        stop_time="2026-01-02T00:00:00Z",
    ),
    sdo(
        "sighting",
        sighting_of_ref=ref("indicator"),
        observed_data_refs=[ref("observed-data")],
        where_sighted_refs=[ref("identity")],
        count=0,
        **_SPAN,
    ),
    sdo(
        "language-content",
        object_ref=ref("indicator"),
        object_modified="2026-01-03T03:04:05.678Z",
        contents={"fr": {"name": "b"}},
    ),
    sdo(
        "extension-definition",
        name="a",
        schema="https://example.com/schema",
        version="1.0",
        extension_types=["toplevel-property-extension"],
        extension_properties=["toxicity"],
    ),
    {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": ref("marking-definition"),
        "created": "2026-01-02T03:04:05.678Z",
        "definition_type": "statement",
        "definition": {"statement": "s"},
    },
    sco("artifact", mime_type="image/png", payload_bin="aGVsbG8="),
    sco("autonomous-system", number=64496),
    sco("directory", path="/srv", contains_refs=[ref("file")], ctime="2026-01-01T00:00:00Z"),
    sco("domain-name", value="example.com", resolves_to_refs=[ref("ipv4-addr")]),
    sco("email-addr", value="someone@example.com", belongs_to_ref=ref("user-account")),
    sco(
        "email-message",
        is_multipart=True,
        date="2026-01-01T00:00:00Z",
        from_ref=ref("email-addr"),
        to_refs=[ref("email-addr")],
        body_multipart=[{"body_raw_ref": ref("file"), "content_type": "text/plain"}],
    ),
    sco(
        "file",
        name="a.exe",
        size=5,
        hashes={"SHA-256": "0" * 64},
        parent_directory_ref=ref("directory"),
        extensions={"archive-ext": {"contains_refs": [ref("file")]}, "ntfs-ext": {"sid": "1"}},
    ),
    sco("ipv4-addr", value="198.51.100.3", belongs_to_refs=[ref("autonomous-system")]),
    sco("ipv6-addr", value="2001:db8::1", resolves_to_refs=[ref("mac-addr")]),
    sco("mac-addr", value="d2:fb:49:24:37:18"),
    sco("mutex", name="a"),
    sco(
        "network-traffic",
        start="2026-01-01T00:00:00Z",
        end="2026-01-02T00:00:00Z",
        is_active=False,
        src_ref=ref("ipv4-addr"),
        dst_ref=ref("domain-name"),
        protocols=["tcp"],
    ),
    sco("process", pid=5, created_time="2026-01-01T00:00:00Z", image_ref=ref("file"), child_refs=[ref("process")]),
    sco("software", name="a", cpe="cpe:2.3:a:acme:word:2000:*:*:*:*:*:*:*", languages=["fra"]),
    sco("url", value="https://example.com/"),
    sco("user-account", user_id="1001", account_created="2026-01-01T00:00:00Z"),
    sco("windows-registry-key", key="hkey_local_machine\\a", creator_user_ref=ref("user-account")),
    sco("x509-certificate", serial_number="1", validity_not_before="2026-01-01T00:00:00Z"),
    sdo("x-acme-finding", name="a", x_acme_score=5),
    sco("x-acme-sensor", value="a"),
]


def examples() -> list[Object]:
    """Fresh copies, one of each type."""
    return copy.deepcopy(_EXAMPLES)


def example(kind: str, **properties: Any) -> Object:
    """A fresh copy of the example of a type, with properties set; None removes one."""
    found = copy.deepcopy(next(obj for obj in _EXAMPLES if obj["type"] == kind))
    found.update(properties)
    return {name: value for name, value in found.items() if value is not None}


@cache
def published() -> tuple[tuple[str, Object], ...]:
    """Every object of the published bundles, with the name of its file."""
    found: list[tuple[str, Object]] = []
    for path in sorted([*VECTORS.glob("*/*.json"), *VECTORS.glob("*/*.stix2")]):
        document = json.loads(path.read_bytes())
        objects = document["objects"] if isinstance(document, dict) and "objects" in document else [document]
        found.extend((path.name, obj) for obj in objects)
    return tuple(found)
