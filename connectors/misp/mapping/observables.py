"""Ids of observables: misp-stix names them after the attribute, STIX after what they are."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from connectors.sdk.report import Report
from hub.domain.canonical import jcs
from hub.domain.sco_id import deterministic_id
from hub.domain.stix import is_sco


def settle(objects: list[dict[str, Any]], report: Report) -> None:
    """Give every observable the id of its content, and turn every reference to it, in place.

    An attribute of MISP keeps its uuid when its value is edited, and an observable has no versions: under the uuid one
    id would have two contents. What STIX 2.1 §2.9 gives no deterministic id (a process, say) gets one of the form of a
    random uuid made of the content, so that it, too, is the same in the next run.
    """
    waiting = {one["id"]: one for one in objects if is_sco(one) and "created" not in one}
    renamed: dict[str, str] = {}
    while waiting:
        # What refers to no observable that still waits for its id; of a circle, anything.
        ready = [one for one in waiting.values() if not _mentions(one, waiting)] or list(waiting.values())[:1]
        for one in ready:
            old = one["id"]
            _turn(one, renamed)
            one["id"] = deterministic_id(one) or _of_content(one)
            if one["id"] in renamed.values():
                report.merged(f"({one['type']})", one["type"], "several attributes have this value")
            renamed[old] = one["id"]
            del waiting[old]
    for one in objects:
        _turn(one, renamed)
        if isinstance(one.get("object_refs"), list):
            one["object_refs"] = list(dict.fromkeys(one["object_refs"]))


def _of_content(one: dict[str, Any]) -> str:
    content = {name: value for name, value in one.items() if name != "id"}
    return f"{one['type']}--{uuid.UUID(bytes=hashlib.sha256(jcs(content)).digest()[:16], version=4)}"


def _mentions(value: Any, ids: dict[str, Any], name: str = "") -> bool:
    if isinstance(value, dict):
        return any(_mentions(inner, ids, key) for key, inner in value.items() if key != "id")
    if isinstance(value, list):
        return any(_mentions(inner, ids, name) for inner in value)
    return isinstance(value, str) and name.endswith(("_ref", "_refs")) and value in ids


def _turn(value: Any, renamed: dict[str, str], name: str = "") -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            value[key] = _turn(inner, renamed, key)
    elif isinstance(value, list):
        value[:] = [_turn(inner, renamed, name) for inner in value]
    elif isinstance(value, str) and name.endswith(("_ref", "_refs")):
        return renamed.get(value, value)
    return value
