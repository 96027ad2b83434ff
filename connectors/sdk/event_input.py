"""JSON events from a file or an address: arrays or lines; a bad event is counted by its reason and left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import requests

from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.client.remote import RemoteError
from hub.domain import limits
from hub.domain.canonical import parse
from hub.errors import ConfigError, MalformedJson

Event = Mapping[str, Any]

_HEAD: Final = 4_096
"""Octets by which a file that has grown is told from a new one of the same name."""
_SECRET_BYTES: Final = 4_096


def events(data: bytes, report: Report) -> Iterator[Event]:
    """Yield the objects of a JSON array, or of lines with one each. Raises ConnectorError for a broken array."""
    stripped = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if stripped.startswith(b"["):
        try:
            found = parse(stripped)
        except MalformedJson as error:
            raise ConnectorError(f"the events are not JSON: {error.detail}") from None
        for one in found if isinstance(found, list) else ():
            yield from _checked(one, report)
        return
    for line in stripped.split(b"\n"):
        line = line.strip()
        if not line:
            continue
        if len(line) > limits.EVENT_BYTES:
            report.dropped("event", f"it is longer than {limits.EVENT_BYTES} octets")
            continue
        try:
            yield from _checked(parse(line), report)
        except MalformedJson:
            report.dropped("event", "it is not JSON (RFC 7493)")


def _checked(found: object, report: Report) -> Iterator[Event]:
    if isinstance(found, dict):
        yield found
    else:
        report.dropped("event", "it is not a JSON object")


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new in a file. :param bookmark: where to go on behind it."""

    data: bytes
    bookmark: str


def new_lines(path: Path, bookmark: str | None) -> Piece | None:
    """Return what has come since a bookmark, None when nothing has.

    A file of lines is read from where it was left, as far as its lines are whole; one that was replaced, or that holds
    an array, is read from its beginning. Raises ConnectorError.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            offset = _offset(head, bookmark)
            array = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
            file.seek(0 if array else offset)
            data = file.read(limits.FEED_BYTES + 1)
    except OSError as error:
        raise ConnectorError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > limits.FEED_BYTES:
        if array:
            raise ConnectorError(f"{path} is longer than {limits.FEED_BYTES} octets; write lines instead of an array")
        data = data[: limits.FEED_BYTES]
    if array:
        digest = hashlib.sha256(data).hexdigest()
        return None if bookmark == digest else Piece(data, digest)
    data = data[: data.rfind(b"\n") + 1]  # a line that is being written is left for the next run
    if not data:
        return None
    end = offset + len(data)
    known = min(end, _HEAD)
    told = hashlib.sha256((head if offset or end >= _HEAD else data)[:known]).hexdigest()
    return Piece(data, orjson.dumps({"offset": end, "head": told, "known": known}).decode("ascii"))


def _offset(head: bytes, bookmark: str | None) -> int:
    try:
        found = orjson.loads(bookmark or "")
        offset, known = int(found["offset"]), int(found["known"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return 0
    same = len(head) >= known and hashlib.sha256(head[:known]).hexdigest() == found["head"]
    return offset if same else 0


def fetch(session: requests.Session, url: str, headers: Mapping[str, str]) -> bytes:
    """Return the body of an answer 200. Raises ConnectorError."""
    try:
        answer = session.get(url, headers=dict(headers), allow_redirects=False)
    except RemoteError as error:
        raise ConnectorError(error.detail) from None
    except requests.RequestException as error:
        raise ConnectorError(f"the server was not reached: {type(error).__name__}") from None
    if answer.status_code != 200:
        raise ConnectorError(f"the server answers {answer.status_code}; check the address and the token")
    return answer.content


def read_secret(path: Path, field: str) -> str:
    """Return the one line of a file with a token. Raises ConfigError."""
    try:
        with path.open("rb") as opened:
            text = opened.read(_SECRET_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read, or is not ASCII", field=field) from None
    if not text or not text.isprintable():
        raise ConfigError(f"{path} holds no token of one line", field=field)
    return text
