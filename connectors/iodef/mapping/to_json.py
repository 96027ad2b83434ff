"""Incidents to JSON IODEF (RFC 8727): what its schema wants always, and the XML leaves out, is filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.iodef.mapping.classes import CLASSES, IMPACTS, RATINGS, SIMPLE


def write_json(head: Mapping[str, Any], incidents: list[Mapping[str, Any]]) -> bytes:
    """Return a document in UTF-8."""
    document = {"version": "2.00", **{name: head[name] for name in head if name != "version"}, "Incident": incidents}
    return json.dumps(_filled(document, "IODEF-Document"), ensure_ascii=False, indent=2).encode() + b"\n"


def _filled(value: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = CLASSES[kind]
    result: dict[str, Any] = dict(value)
    if kind == "Confidence" and "value" not in result:
        result["value"] = RATINGS.get(str(result.get("rating")), 0)
    for name, child in known.children.items():
        if name not in value:
            continue
        if name == "Impact":
            result[name] = [
                {impact: _filled(body, IMPACTS[impact]) for impact, body in one.items()} for one in value[name]
            ]
        elif child.kind not in SIMPLE:
            inner = value[name]
            result[name] = [_filled(one, child.kind) for one in inner] if child.many else _filled(inner, child.kind)
    return result
