"""The golden files, and how they are written anew: ``python -m tests.connectors.misp.golden`` (then read the diff)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.misp.mapping.audience import Rules
from connectors.misp.mapping.event_to_stix import event_to_stix
from connectors.misp.mapping.stix_to_event import Draft, Drawn, OutRules, event_uuid, stix_to_event
from connectors.sdk.exchange import Conversion
from tests.connectors.conftest import IDENTITY
from tests.connectors.misp.conftest import CANDIRU, GHOST, SMALL, real_events

GOLDEN = Path(__file__).parent / "golden"
ORIGIN = 'cybex:origin="hub"'
OUT = OutRules(distribution=3, default_tlp="amber", origin_tag=ORIGIN)


def rules(**more: Any) -> Rules:
    """Return rules under which every event of the data set may leave."""
    base: dict[str, Any] = {
        "identity": IDENTITY, "organisations": {}, "levels": {1: "group", 2: "group", 3: "relay"}, "unstated": 3,
        "sharing_groups": {}, "default_tlp": "amber", "origin_tag": ORIGIN,
    }  # fmt: skip
    return Rules(**(base | more))


def back(conversion: Conversion, out: OutRules = OUT) -> Drawn:
    """Return the event that the objects of one event make again."""
    objects = list(conversion.objects)
    container = next(one for one in objects if one["type"] in ("report", "grouping"))
    around = {one["id"]: one for one in objects if one["type"] in ("identity", "marking-definition")}
    members = [one for one in objects if one["id"] not in around and one is not container]
    author = around.get(container["created_by_ref"])
    return stix_to_event(Draft(event_uuid(container["id"]), container, members, around, author), out)


def all_golden() -> Mapping[str, Any]:
    """Return the content of each golden file by name."""
    found: dict[str, Any] = {}
    for name in (GHOST, CANDIRU):
        conversion = event_to_stix(real_events(name)[0], rules())
        stem = name.removesuffix(".json")
        found[f"{stem}.in.report.json"] = conversion.report.to_json()
        found[f"{stem}.out.report.json"] = back(conversion).report.to_json()
    small = [event_to_stix(one, rules()) for one in real_events(SMALL)]
    found["small.stix.json"] = [list(one.objects) for one in small]
    found["small.event.json"] = [back(one).event for one in small]
    return found


def text(content: Any) -> str:
    """Return a golden file's content as it stands in the file."""
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name, content in all_golden().items():
        (GOLDEN / name).write_text(text(content), encoding="utf-8")
