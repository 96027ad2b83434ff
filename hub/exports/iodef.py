"""IODEF version 2 documents (RFC 7970, ITU-T X.1541), as XML or as JSON (RFC 8727): incidents, and indicators to watch.

A modest document: each STIX incident is an incident that is reported, each indicator an incident to watch for that has
one indicator. What has no place in this is left to the STIX bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import orjson

from hub.domain import limits
from hub.domain.pattern_values import observed
from hub.domain.stix import is_timestamp
from hub.exports.indicators import NOT_REDUCIBLE, UNREADABLE, Indicator, plain, standing
from hub.exports.request import Request
from hub.exports.shared import Shared
from hub.exports.values import Value, value_of

_RESTRICTIONS: Final = {"clear": "white", "green": "green", "amber": "amber", "red": "red"}
_NAMESPACE: Final = "urn:ietf:params:xml:ns:iodef-2.0"
_NEVER: Final = "1970-01-01T00:00:00Z"
"""GenerationTime of the incident that stands for none: a document must have one (RFC 7970 §3.1)."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """An indicator as IODEF has it: values of one type."""

    id: str
    version: str
    starts: str
    ends: str | None
    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Incident:
    """One incident; texts are single lines without control characters."""

    id: str
    purpose: str
    level: str
    generated: str
    description: str
    contact: str
    watched: tuple[_Watched, ...] = ()


def json(request: Request) -> Iterator[bytes]:
    """Yield the document as JSON."""
    yield b'{"version":"2.0","lang":"en","Incident":['
    first = True
    for incident in _incidents(request):
        yield (b"" if first else b",") + orjson.dumps(_as_json(incident))
        first = False
    yield b"]}"


def xml(request: Request) -> Iterator[bytes]:
    """Yield the document as XML."""
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<IODEF-Document version="2.00" xml:lang="en" xmlns="{_NAMESPACE}">\n'.encode()
    for incident in _incidents(request):
        yield _as_xml(incident).encode()
    yield b"</IODEF-Document>\n"


def _incidents(request: Request) -> Iterator[_Incident]:
    source, account = request.source, request.account
    for shared in request.objects:
        stix = orjson.loads(shared.body)
        made: _Incident | None
        if stix.get("type") == "incident":
            if stix.get("revoked") is True:
                account.leave_out("revoked")
                continue
            made = _reported(stix, shared)
        else:
            made = next((_watch(request, one) for one in standing([shared], source, account)), None)
        if made is None:
            continue
        account.entries += 1
        account.give(shared)
        yield made
    if not account.entries:
        yield _Incident("none", "other", "clear", _NEVER, "There is nothing to report.", "cybex")


def _reported(stix: Mapping[str, Any], shared: Shared) -> _Incident:
    said = [plain(stix.get(name), limits.EXPORT_CELL_LENGTH) for name in ("name", "description")]
    description = ": ".join(text for text in said if text) or "incident"
    return _Incident(stix["id"], "reporting", shared.level, stix["modified"], description, _author(stix))


def _watch(request: Request, indicator: Indicator) -> _Incident | None:
    stix, account = indicator.stix, request.account
    pattern = stix.get("pattern")
    seen = observed(pattern) if stix.get("pattern_type") == "stix" and isinstance(pattern, str) else None
    by_type: dict[str, list[str]] = {}
    for value in map(value_of, seen or ()):
        if isinstance(value, Value):
            by_type.setdefault(_type(value), []).append(value.text)
    if not by_type:
        account.leave_out(NOT_REDUCIBLE)
        return None
    if not is_timestamp(stix.get("modified")):
        account.leave_out(UNREADABLE)
        return None
    watched = tuple(
        _Watched(
            f"{stix['id']}-{number}", stix["modified"], stix["valid_from"], stix.get("valid_until"), kind, tuple(values)
        )
        for number, (kind, values) in enumerate(sorted(by_type.items()), 1)
    )
    name = plain(stix.get("name"), 1_000) or "indicator"
    return _Incident(stix["id"], "watch", indicator.shared.level, stix["modified"], name, _author(stix), watched)


def _author(stix: Mapping[str, Any]) -> str:
    return plain(stix.get("created_by_ref"), 250) or "unknown"


def _type(value: Value) -> str:
    """Return the type of a bulk observable (RFC 7970 §3.29.3.1)."""
    if value.network is not None:
        form = "addr" if value.network.prefixlen == value.network.max_prefixlen else "net"
        return f"ipv{value.network.version}-{form}"
    return {"domain": "domain-name", "url": "site-uri", "hash": "file-hash", "email": "e-mail"}[value.kind]


def _restriction(level: str) -> dict[str, str]:
    """Return TLP as IODEF restricts; it has no AMBER+STRICT of its own."""
    known = _RESTRICTIONS.get(level)
    return {"restriction": known} if known else {"restriction": "ext-value", "ext-restriction": level}


def _as_json(one: _Incident) -> dict[str, Any]:
    made: dict[str, Any] = {
        "purpose": one.purpose,
        **_restriction(one.level),
        "IncidentID": {"id": one.id, "name": one.contact},
        "GenerationTime": one.generated,
        "Description": [one.description],
        "Contact": [{"role": "creator", "type": "organization", "ContactName": [one.contact]}],
    }
    if one.watched:
        made["Indicator"] = [
            {
                "IndicatorID": {"id": each.id, "name": one.contact, "version": each.version},
                "StartTime": each.starts,
                **({} if each.ends is None else {"EndTime": each.ends}),
                "Observable": {
                    "BulkObservable": {"type": each.type, "BulkObservableList": "\n".join(each.values)},
                },
            }
            for each in one.watched
        ]
    return made


def _as_xml(one: _Incident) -> str:
    contact = escape(one.contact)
    restriction = " ".join(f'{name}="{escape(value)}"' for name, value in _restriction(one.level).items())
    lines = [
        f'<Incident purpose="{one.purpose}" {restriction}>',
        f'<IncidentID name="{contact}">{escape(one.id)}</IncidentID>',
        f"<GenerationTime>{escape(one.generated)}</GenerationTime>",
        f"<Description>{escape(one.description)}</Description>",
        f'<Contact role="creator" type="organization"><ContactName>{contact}</ContactName></Contact>',
    ]
    if one.watched:
        lines += ["<IndicatorData>", *(_watched_xml(each, contact) for each in one.watched), "</IndicatorData>"]
    return "\n".join([*lines, "</Incident>\n"])


def _watched_xml(each: _Watched, contact: str) -> str:
    ends = "" if each.ends is None else f"<EndTime>{escape(each.ends)}</EndTime>"
    return (
        f'<Indicator><IndicatorID name="{contact}" version="{escape(each.version)}">{escape(each.id)}</IndicatorID>'
        f"<StartTime>{escape(each.starts)}</StartTime>{ends}"
        f'<Observable><BulkObservable type="{each.type}"><BulkObservableList>{escape(chr(10).join(each.values))}'
        "</BulkObservableList></BulkObservable></Observable></Indicator>"
    )
