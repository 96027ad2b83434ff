"""Sends the steps to one server and keeps what is comparable: values a server chooses freely are masked."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.acceptance.differential_requests import TAXII, Step

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_BASE = re.compile(r"https?://127\.0\.0\.1:\d+")
_TEXTS = frozenset({"title", "description", "message", "contact", "error_id", "error_code", "external_details"})
_STAMPED = frozenset({"date_added", "request_timestamp"})
_HEADERS = ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last", "WWW-Authenticate", "Allow", "Location")


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two ends, and who calls it."""

    host: str
    port: int
    username: str
    password: str
    api_root: str
    uuid: str
    alias: str
    unreadable: str
    unwritable: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is compared. ``raw`` is what came, for the next steps and for the reader of a failure."""

    status: int
    content_type: str
    headers: tuple[tuple[str, str], ...]
    body: Any
    raw: bytes

    def differs_from(self, other: Answer) -> frozenset[str]:
        """Return the names of the parts that are not the same."""
        parts = ("status", "content_type", "headers", "body")
        return frozenset(part for part in parts if getattr(self, part) != getattr(other, part))


def answers(server: Server, steps: Sequence[Step]) -> dict[str, Answer]:
    """Send every step in order, each on a connection of its own: medallion closes them, the hub keeps them."""
    kept: dict[str, Answer] = {}
    for step in steps:
        kept[step.name] = _send(server, step, kept)
    return kept


def _send(server: Server, step: Step, kept: Mapping[str, Answer]) -> Answer:
    values = {
        "root": server.api_root,
        "uuid": server.uuid,
        "alias": server.alias,
        "unreadable": server.unreadable,
        "unwritable": server.unwritable,
    }
    if step.after is not None:
        earlier = json.loads(kept[step.after].raw)
        values["status"], values["next"] = str(earlier.get("id")), quote(str(earlier.get("next")), safe="")
    path = step.path if step.path.startswith("/") else "/{root}/collections/{uuid}/" + step.path
    target = path.format(**values) + ("?" + step.query.format(**values) if step.query else "")
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.putrequest(step.method, target, skip_accept_encoding=True)
        for name, value in _headers(server, step).items():
            connection.putheader(name, value)
        connection.endheaders()
        if step.chunked and step.body is not None:
            connection.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(step.body), step.body))
        elif step.body:
            connection.send(step.body)
        response = connection.getresponse()
        body = response.read()
        return Answer(
            response.status,
            response.headers.get("Content-Type", "").replace(" ", ""),
            tuple((name, _header(name, response.headers[name])) for name in _HEADERS if name in response.headers),
            _comparable(body),
            body,
        )
    finally:
        connection.close()


def _headers(server: Server, step: Step) -> dict[str, str]:
    secret = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
    headers: dict[str, str | None] = {"Accept": TAXII, "Authorization": f"Basic {secret}"}
    if step.body is not None:
        headers["Content-Type"] = TAXII
        if step.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(step.body))
    headers |= step.headers
    return {name: value for name, value in headers.items() if value is not None}


def _header(name: str, value: str) -> str:
    if name == "Allow":
        return " ".join(sorted(set(value.replace(",", " ").split()) - {"OPTIONS"}))
    if _STAMP.fullmatch(value):
        return "<timestamp>"
    return value.split()[0] if value else value


def _comparable(body: bytes) -> Any:
    """Return the body with ids, times, texts and cursors masked; an error resource shrinks to its form."""
    if not body:
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return "<not JSON>"
    if isinstance(value, dict) and "http_status" in value:
        return {"error": value["http_status"], "title": isinstance(value.get("title"), str)}
    return _masked(value)


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, dict):
        return _BASE.sub("<base>", _STAMP.sub("<timestamp>", value)) if isinstance(value, str) else value
    if "type" in value and "id" in value:
        return value  # an author's object: every value counts
    return {name: _mask(name, item) for name, item in value.items() if not _is_optional(name)}


def _is_optional(name: str) -> bool:
    """Say whether a server may add the property to a TAXII resource as it likes (``x_...``: TAXII 2.1 §7.1)."""
    return name in ("description", "contact") or name.startswith("x_")


def _mask(name: str, value: Any) -> Any:
    if name in _TEXTS:
        return "<text>"
    if name in _STAMPED:
        return "<timestamp>" if isinstance(value, str) and _STAMP.fullmatch(value) else value
    if name == "next":
        return "<next>"
    if name == "max_content_length":
        return "<integer>"
    if name == "id" and isinstance(value, str) and "--" not in value:
        return "<uuid>"
    return _masked(value)
