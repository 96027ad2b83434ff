"""What a TAXII answer holds: every object that can be read, byte for byte in meaning, and a word about each other.

`taxii2-client` reads answers with the standard library, which takes the last of two equal names, rounds long integers
and accepts NaN: an author's signature over such an object would no longer hold, or hold for something else. So answers
are read here, as I-JSON (RFC 7493). One object that is none does not spoil its page: it is cut out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from connectors.sdk.report import Report
from hub.domain import limits
from hub.domain.canonical import Json, parse
from hub.domain.stix import SCO_TYPES, STANDARD_TYPES
from hub.errors import MalformedJson

_ENVELOPE_DEPTH: Final = limits.MAX_DEPTH + 2  # the envelope and its list stand around the object
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\],:"]', re.DOTALL)
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")


def read_answer(octets: bytes) -> tuple[Json, int]:
    """Return what an answer says, and how many objects had to be left out of its list ``objects``.

    :raises MalformedJson: it is no JSON at all, or the fault is not in one of its objects.
    """
    try:
        return parse(octets, max_depth=_ENVELOPE_DEPTH), 0
    except MalformedJson:
        answer: dict[str, Json] = {}
        objects: list[Json] = []
        unreadable = 0
        for name, value in _members(octets):
            if name != b'"objects"':
                answer[str(parse(name))] = parse(value)
                continue
            for element in _elements(value):
                try:
                    objects.append(parse(element))
                except MalformedJson:
                    unreadable += 1
        if not objects and not unreadable:
            raise
        return answer | {"objects": objects}, unreadable


def _members(octets: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield names and values of the outermost object, unread. Raises MalformedJson."""
    for member in _parts(octets, b"{", b"}"):
        name = _TOKEN.match(member)
        rest = member[name.end() :].lstrip() if name is not None else b""
        if name is None or not rest.startswith(b":"):
            raise MalformedJson("it is no JSON object")
        yield name.group(), rest[1:].strip()


def _elements(octets: bytes) -> Iterator[bytes]:
    """Yield the elements of a list, unread. Raises MalformedJson."""
    return _parts(octets, b"[", b"]")


def _parts(octets: bytes, opening: bytes, closing: bytes) -> Iterator[bytes]:
    """Yield what stands between the commas of the outermost level; nothing is nested too deeply for this."""
    text = octets.strip(b" \t\r\n")
    if not text.startswith(opening) or not text.endswith(closing):
        raise MalformedJson("it ends too early")
    depth, start = 0, 1
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
            if depth == 0 and token.end() != len(text):
                raise MalformedJson("something follows the document")
        elif sign == b'"':
            raise MalformedJson("a string does not end")
        if (sign == b"," and depth == 1) or depth == 0:
            part = text[start : token.start()].strip(b" \t\r\n")
            if part:
                yield part
            start = token.end()
    if depth != 0:
        raise MalformedJson("it ends too early")


def sorted_out(objects: Sequence[Json], unreadable: int, report: Report) -> list[dict[str, Any]]:
    """Return the STIX 2.1 objects of a page, untouched; the report says what was left out and why."""
    if unreadable:
        reason = "not I-JSON: two equal names, an integer beyond 2^53, half a surrogate pair or too many levels"
        report.dropped("objects[]", reason, unreadable)
    taken: list[dict[str, Any]] = []
    for obj in objects:
        if not isinstance(obj, dict) or not _is_identified(obj):
            report.dropped("objects[]", "not a STIX object: it has no id of its type")
            continue
        obj = mended(obj, report)
        if _is_older(obj):
            report.dropped("objects[]", "STIX 2.0: the hub holds STIX 2.1; ask the server for that version")
            continue
        kind = str(obj["type"]) if obj["type"] in STANDARD_TYPES else "other types"
        report.kept(kind, kind)
        taken.append(obj)
    return taken


def mended(obj: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return an object with the ``spec_version`` it was given to OpenTAXII with.

    Up to 0.9.3 at least it answers with the type in that place; what it takes has 2.1 there, as it refuses objects
    without the property. An author's signature holds again with it.
    """
    if "spec_version" in obj and obj["spec_version"] == obj["type"]:
        report.guessed("spec_version", "spec_version", "the server gives the type in its place, as OpenTAXII does")
        return obj | {"spec_version": "2.1"}
    return obj


def version(obj: Mapping[str, Any]) -> str:
    """Return the version of an object as TAXII counts it (§3.4.1): `modified`, else `created`, else empty."""
    found = obj.get("modified", obj.get("created"))
    return found if isinstance(found, str) else ""


def _is_identified(obj: Mapping[str, Json]) -> bool:
    stix_id, kind = obj.get("id"), obj.get("type")
    return isinstance(stix_id, str) and isinstance(kind, str) and stix_id.startswith(f"{kind}--")


def _is_older(obj: Mapping[str, Any]) -> bool:
    """Say whether this is STIX 2.0, which has no ``spec_version`` where STIX 2.1 §3.2 demands one."""
    if "spec_version" in obj:
        return bool(obj["spec_version"] == "2.0")
    return obj["type"] not in SCO_TYPES and "created" in obj
