"""One hostile request and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.web.taxii.world import OBJECTS, TAXII, indicator

CANARY = "zxcanary7f3a"
"""Stands in the hostile part of every request; no answer may repeat it."""

IDENTIFIER = "indicator--00000000-0000-4000-8000-0000000000ff"


@dataclass(frozen=True)
class Row:
    """A request and its answer.

    :param name: a sentence. :param status: every one of them is right.
    :param fails: for a 202: what stands in the one line under ``failures``, the rule or the property at fault.
    """

    name: str
    body: bytes = b""
    status: tuple[int, ...] = (202,)
    fails: str = ""
    method: str = "POST"
    target: str = OBJECTS
    headers: Mapping[str, str | None] = field(default_factory=dict)
    chunked: bool = False


def envelope(*objects: object) -> bytes:
    """Return an envelope of any values."""
    return json.dumps({"objects": list(objects)}).encode()


def spoiled(**changes: Any) -> bytes:
    """Return an envelope of one indicator with other members; ``...`` removes one."""
    obj = {**indicator(255), "description": CANARY, **changes}
    return envelope({name: value for name, value in obj.items() if value is not ...})


def posted(name: str, body: bytes, *status: int, **more: Any) -> Row:
    """Return a body that is refused as a whole."""
    return Row(name, body, status or (400,), headers={"Content-Type": TAXII}, **more)


def failing(name: str, body: bytes, fails: str) -> Row:
    """Return a good envelope around a bad object."""
    return Row(name, body, (202,), fails, headers={"Content-Type": TAXII})


def asked(name: str, query: str, *status: int, target: str = OBJECTS) -> Row:
    """Return a GET with this query string."""
    return Row(name, b"", status or (400,), method="GET", target=f"{target}?{query}")


def addressed(name: str, target: str, *status: int, method: str = "GET") -> Row:
    """Return a request to this path."""
    return Row(name, b"", status or (404,), method=method, target=target)


def headed(name: str, headers: Mapping[str, str | None], *status: int, method: str = "GET", body: bytes = b"") -> Row:
    """Return a request with these headers."""
    more = {"Content-Type": TAXII} if method == "POST" else {}
    return Row(name, body, status, method=method, headers={**more, **headers})
