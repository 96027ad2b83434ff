"""A MISP, events to put on it, and connectors opened with few words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.misp.connector import KIND
from connectors.misp.settings import MispSettings
from connectors.sdk.exchange import Source, Target, Tools
from tests.connectors.misp.fake_misp import KEY, FakeMisp, serving

EVENTS = Path(__file__).parent / "events"
GHOST, CANDIRU, SMALL = (
    "misp-dukes-operation-ghost-event.json",
    "swc-candiru_misp.json",
    "test_events_collection_1.json",
)
ORGC = {"uuid": "9f0e3a84-3a1c-4d5e-8a55-0c9f3a1b7d21", "name": "CERT ZZ"}
DATE, THEN = "2026-01-15", 1_768_500_000


def real_events(name: str) -> list[dict[str, Any]]:
    """Return the events of a file of the data set."""
    document = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    document = document["response"] if isinstance(document, dict) and "response" in document else document
    return [one.get("Event", one) for one in (document if isinstance(document, list) else [document])]


def named(text: str) -> str:
    """Return the same uuid for the same text."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, text))


def attribute(value: str = "evil.example", type_: str = "domain", **more: Any) -> dict[str, Any]:
    """Return an attribute; its uuid follows from its value unless given."""
    return {
        "uuid": named(f"{type_} {value}"), "type": type_, "category": "Network activity", "value": value,
        "to_ids": True, "distribution": "5", "timestamp": str(THEN), **more,
    }  # fmt: skip


def event(name: str = "one", *attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a published event with TLP:GREEN for all communities, unless told otherwise."""
    return {
        "uuid": named(f"event {name}"), "info": f"Event {name}", "date": DATE, "timestamp": str(THEN),
        "publish_timestamp": str(THEN), "published": True, "distribution": "3", "sharing_group_id": "0",
        "threat_level_id": "2", "analysis": "1", "Orgc": ORGC, "Org": ORGC, "Tag": [{"name": "tlp:green"}],
        "Attribute": list(attributes) or [attribute()], "Object": [], **more,
    }  # fmt: skip


@pytest.fixture
def misp() -> Iterator[FakeMisp]:
    """A MISP server on loopback."""
    with serving(FakeMisp()) as fake:
        yield fake


class Opened:
    """Connectors of one folder; what a test does not set is as small as it may be."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        (tools.base / "misp.key").write_text(f"{KEY}\n")

    def settings(self, misp: FakeMisp | None, **more: Any) -> MispSettings:
        """Return settings for a server, or for what ``more`` names."""
        where = {} if misp is None else {"url": misp.url, "key_file": "misp.key"}
        return MispSettings(**(where | more))

    def source(self, misp: FakeMisp | None = None, **more: Any) -> Source:
        """Open the direction to the hub."""
        assert KIND.source is not None
        return KIND.source(self.settings(misp, **more), self.tools)

    def target(self, misp: FakeMisp | None = None, **more: Any) -> Target:
        """Open the direction to MISP."""
        assert KIND.target is not None
        return KIND.target(self.settings(misp, **more), self.tools)


@pytest.fixture
def opened(tools: Tools) -> Opened:
    """Connectors of one folder."""
    return Opened(tools)


@pytest.fixture
def tools_base(opened: Opened) -> Path:
    """Where relative paths of settings start."""
    return opened.tools.base
