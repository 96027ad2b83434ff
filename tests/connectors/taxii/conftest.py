"""Tools as the runner lends them, with hardened sessions that reach a scripted server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.exchange import Tools
from hub.client.outgoing import guarded_session
from tests.client.scripted_server import TAXII, Asked, Reply, ScriptedServer, scripted_server

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server."""
    with scripted_server() as served:
        yield served


@pytest.fixture
def taxii_tools(tools: Tools) -> Tools:
    """The same tools, with real sessions that do not wait."""

    def session(base: str) -> Any:
        return guarded_session(base=base, allow_private=True, sleep=lambda _: None, attempts=2)

    return replace(tools, session=session)


def taxii_server(objects: Callable[[Asked], Reply], **rights: bool) -> Callable[[Asked], Reply]:
    """Return a script: discovery, one API root, one collection with an alias, and what ``objects`` answers."""
    entry = {"id": COLLECTION, "alias": "feed", "title": "Feed", "can_read": True, "can_write": True, **rights}
    fixed = {
        "/taxii2/": {"title": "x", "api_roots": ["/other/", "/root/"], "default": "/root/"},
        "/root/": {"title": "x", "versions": [TAXII], "max_content_length": 10_000},
        "/root/collections/": {"collections": [{"id": "another", "alias": "x"}, entry]},
        f"/root/collections/{COLLECTION}/": entry,
    }

    def script(asked: Asked) -> Reply:
        path = asked.target.partition("?")[0]
        if path in fixed:
            return Reply(200, json.dumps(fixed[path]).encode(), {"Content-Type": TAXII})
        return objects(asked)

    return script
