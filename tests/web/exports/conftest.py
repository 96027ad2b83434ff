"""A desk with indicators, behind a web application, on each database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from hub.services import export_tokens
from hub.web.app import create_app
from tests.exports.world import PAP
from tests.services.conftest import cast, desk, hub, postgresql_cast, postgresql_copy, sqlite_cast, sqlite_copy
from tests.services.desk import Desk, Stix

__all__ = ["cast", "desk", "hub", "postgresql_cast", "postgresql_copy", "sqlite_cast", "sqlite_copy"]

Get = Callable[..., TestResponse]


def pattern(desk: Desk, text: str, author: str = "aa", **more: Any) -> Stix:
    """Return an indicator of a peer, made now."""
    made = desk.incident(author)
    made |= {"type": "indicator", "id": made["id"].replace("incident", "indicator"), "pattern_type": "stix"}
    return made | {"pattern": text, "valid_from": desk.stamp(-60)} | more


@pytest.fixture
def get(desk: Desk) -> Get:
    """Return how to get a path of the hub."""
    client = create_app(desk.hub).test_client()

    def call(path: str, method: str = "GET", **headers: str) -> TestResponse:
        return client.open(
            path, method=method, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    return call


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Share five indicators in alpha: four to be seen by bb, three of them to be blocked by anybody."""
    marking = desk.releasability("aa", recipient_refs=[desk.identity["ee"]])
    desk.share(
        "aa",
        marking,
        pattern(desk, "[ipv4-addr:value = '5.6.7.8']"),
        pattern(desk, "[ipv4-addr:value = '5.6.9.1']", valid_until=desk.stamp(3600)),
        pattern(desk, "[domain-name:value = 'evil.net']"),
        pattern(desk, "[ipv4-addr:value = '7.7.7.7']", object_marking_refs=[PAP["red"]]),
        pattern(desk, "[ipv4-addr:value = '66.66.66.66']", object_marking_refs=[marking["id"]]),
        alias="indicators",
    )
    return desk


def token(desk: Desk, handle: str = "bb", **more: Any) -> tuple[str, str]:
    """Return (id, text) of a new export token."""
    asked: dict[str, Any] = {"slug": "alpha", "collection": None, "format_": "ip", "options": {}, "label": "firewall"}
    made = export_tokens.add(desk.hub, desk.callers[handle], handle=None, **(asked | more))
    return made.token.uuid, made.secret


def lines(answer: TestResponse) -> list[str]:
    """Return the entries of a list."""
    assert answer.status_code == 200, answer.data
    return [line for line in answer.text.splitlines() if not line.startswith("#")]
