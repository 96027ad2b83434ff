"""The relay protocol under hostile hands: a stranger learns nothing, and no octets from outside cause a fault."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import zstandard
from flask import Flask
from werkzeug.test import TestResponse

from hub.domain import limits
from hub.domain.membership import PeerKind, Right, Role
from hub.services import members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.web.app import create_app
from hub.web.relay import ROUTES
from tests.services.cast import Cast
from tests.services.conftest import sqlite_cast, sqlite_copy

__all__ = ["sqlite_cast", "sqlite_copy"]

POSTS = sorted(name for name, (method, _) in ROUTES.items() if method == "POST")
JSON = {"Content-Type": "application/json"}
NOTHING: Mapping[str, Any] = {"answers": [], "reaches": [], "introduced": {}}
BATCH: Mapping[str, Any] = {"header": {"type": "x-cybex-batch", "format": "1"}, "objects": []}


class Caller:
    """Calls the relay as one of the cast, or as nobody."""

    def __init__(self, cast: Cast) -> None:
        self._app: Flask = create_app(cast.hub)
        self._logins = cast.logins

    def __call__(
        self, part: str | None, name: str, body: bytes | None = None, *, query: str = "", **more: Any
    ) -> TestResponse:
        method, path = ROUTES[name]
        headers: Mapping[str, str] = more.pop("headers", JSON if body is not None else {})
        login = None if part is None else self._logins[part]
        return self._app.test_client().open(
            f"{path}{query}", method=method, data=body, headers=dict(headers), auth=login, **more
        )


@pytest.fixture
def call(sqlite_copy: Cast) -> Caller:
    peers.add(sqlite_copy.hub, OPERATOR, handle="hub-b", name="Hub B", kind=PeerKind.HUB)
    members.put(sqlite_copy.hub, OPERATOR, "alpha", "hub-b", {Right.READ, Right.WRITE})
    sqlite_copy.issue("hub-b", "hub-b", Role.FEED)
    return Caller(sqlite_copy)


def problem(response: TestResponse) -> tuple[int, str]:
    """Return status and field of a problem, which it must be."""
    assert response.content_type == "application/problem+json"
    return response.status_code, str(json.loads(response.data).get("field", ""))


@pytest.mark.parametrize("name", ROUTES)
def test_who_presents_nothing_is_asked_for_a_credential(call: Caller, name: str) -> None:
    response = call(None, name, b"{}" if name in POSTS else None)
    assert problem(response) == (401, "")
    assert "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("part", ["analyst", "feed", "moderator", "operator", "hub-admin", "lonely"])
@pytest.mark.parametrize("name", ROUTES)
def test_for_whoever_is_no_other_hub_it_does_not_exist(call: Caller, name: str, part: str) -> None:
    response = call(part, name, b"not even JSON" if name in POSTS else None, query="" if name in POSTS else "?wrong=1")
    assert problem(response) == (404, "")


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("media_type", ["text/plain", "application/taxii+json;version=2.1", ""])
def test_another_media_type_is_refused(call: Caller, name: str, media_type: str) -> None:
    assert problem(call("hub-b", name, b"{}", headers={"Content-Type": media_type})) == (415, "Content-Type")


@pytest.mark.parametrize("name", POSTS)
def test_an_unknown_coding_is_refused(call: Caller, name: str) -> None:
    response = call("hub-b", name, b"{}", headers=JSON | {"Content-Encoding": "br"})
    assert problem(response) == (415, "Content-Encoding")


@pytest.mark.parametrize("name", POSTS)
def test_what_is_announced_as_too_large_is_not_read(call: Caller, name: str) -> None:
    body = io.BytesIO(b"{}")
    response = call(
        "hub-b", name, b"", input_stream=body, environ_overrides={"CONTENT_LENGTH": str(limits.RELAY_BODY_BYTES + 1)}
    )
    assert problem(response)[0] == 413
    assert body.tell() == 0


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_grows_too_large_when_it_is_unpacked_is_refused(call: Caller, name: str, coding: str) -> None:
    large = b" " * (limits.RELAY_BODY_BYTES + 1)
    packed = gzip.compress(large) if coding == "gzip" else zstandard.compress(large)
    assert problem(call("hub-b", name, packed, headers=JSON | {"Content-Encoding": coding}))[0] == 413


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_was_cut_off_while_packed_is_refused(call: Caller, name: str, coding: str) -> None:
    whole = json.dumps(BATCH).encode()
    packed = gzip.compress(whole) if coding == "gzip" else zstandard.compress(whole)
    response = call("hub-b", name, packed[: len(packed) // 2], headers=JSON | {"Content-Encoding": coding})
    assert problem(response)[0] == 400


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"batch",
        json.dumps(BATCH).encode()[:-1],
        b"[" * 100_000,
        b"\xff\xfe{}",
        b'{"header":1,"header":2}',
        b"[]",
        b"null",
        b"1e999",
        b'{"header":{"items":NaN}}',
        b'{"unknown":1}',
    ],
    ids=["empty", "text", "cut", "deep", "no-utf-8", "twice", "list", "null", "number", "nan", "unknown"],
)
def test_what_is_no_batch_or_report_is_refused_and_not_repeated(call: Caller, name: str, body: bytes) -> None:
    response = call("hub-b", name, body)
    assert problem(response)[0] == 400
    assert len(response.data) < 500


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (BATCH, "batch.header.items"),
        ({**BATCH, "objects": {}}, "batch.objects"),
        ({**BATCH, "more": 1}, "batch"),
        ({"header": {"type": "x"}, "objects": []}, "batch.header.type"),
        ({"header": "x", "objects": []}, "batch.header"),
    ],
)
def test_a_batch_that_is_not_whole_is_refused_by_the_name_of_what_is_wrong(
    call: Caller, body: Mapping[str, Any], field: str
) -> None:
    status, named = problem(call("hub-b", "push", json.dumps(body).encode()))
    assert (status, named) == (400, field)


@pytest.mark.parametrize(
    "body",
    [
        {"answers": [{"id": "x", "answer": {}}]},
        {"answers": [{"id": "3fa2b6b8-6c3c-4e53-8a35-2a1c8a3a3d0b", "answer": []}]},
        {"answers": [{}] * 101},
        {"reaches": {}},
        {"introduced": []},
        {"answers": None},
    ],
)
def test_a_report_that_is_not_whole_is_refused(call: Caller, body: Mapping[str, Any]) -> None:
    (name,) = body
    status, field = problem(call("hub-b", "reports", json.dumps({**NOTHING, **body}).encode()))
    assert status == 400
    assert field.startswith(f"reports.{name}")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reaches": [1, "x", {}, {"act": None}]},
        {"introduced": {"x": 1, "identity--x": "00"}},
        {"answers": [{"id": "3fa2b6b8-6c3c-4e53-8a35-2a1c8a3a3d0b", "answer": {"receipt": 7}}]},
    ],
    ids=["nothing", "reaches", "introduced", "unknown-batch"],
)
def test_a_report_that_proves_nothing_changes_nothing(call: Caller, body: Mapping[str, Any]) -> None:
    assert call("hub-b", "reports", json.dumps({**NOTHING, **body}).encode()).status_code == 204


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?positions=alpha", "positions"),
        ("?positions=alpha/indicators:-1", "positions"),
        ("?positions=alpha/indicators:9999999999999999999", "positions"),
        ("?positions=" + ",".join(f"a/b{number}:1" for number in range(1_001)), "positions"),
        ("?max_bytes=0", "max_bytes"),
        ("?max_bytes=1e3", "max_bytes"),
        ("?max_bytes=%D9%A1", "max_bytes"),
        ("?position=1", "query"),
    ],
)
def test_a_parameter_that_is_not_as_it_must_be_is_named(call: Caller, query: str, field: str) -> None:
    assert problem(call("hub-b", "batch", query=query)) == (400, field)


def test_without_an_agreement_a_hub_gets_nothing(call: Caller) -> None:
    assert problem(call("hub-b", "batch"))[0] == 403
