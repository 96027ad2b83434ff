"""STIX as IntelMQ events: what came from IntelMQ as it was, and of others what the data format has fields for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.intelmq.vocabulary import HASHES, LEVELS, SPELLED, SYSTEM
from connectors.sdk.exchange import StixObject
from connectors.sdk.report import Report
from connectors.sdk.security_event import SecurityEvent, from_indicator, from_observed, key_of
from hub.domain import alert, rsit, tlp
from hub.domain.observable_text import Observable
from hub.domain.taxii_time import format_timestamp

_WORDS: Final[Mapping[tlp.Level, str]] = {level: word for word, level in LEVELS.items()} | {"amber+strict": "RED"}
"""AMBER+STRICT has no word in the data format; the next one that is not wider is RED."""
_KINDS: Final[Mapping[str, str]] = {ours: theirs for theirs, ours in SPELLED.items()}


def write(
    batch: Sequence[StixObject], *, feed: str, unmarked: tlp.Level, report: Report
) -> dict[str, list[dict[str, Any]] | str]:
    """Return the IntelMQ events of objects, by the STIX id of each; a text says why an object has none.

    :param feed: ``feed.name`` of what does not come from IntelMQ.
    """
    definitions = {one["id"]: one for one in batch if one["type"] == "marking-definition"}
    known = {one["id"]: one for one in batch}
    indicators = {(one.get("created_by_ref"), key_of(one, SYSTEM)): one for one in batch if one["type"] == "indicator"}
    found: dict[str, list[dict[str, Any]] | str] = {}
    for obj in batch:
        if obj["type"] == "observed-data":
            seen = from_observed(obj, known, SYSTEM, alert.level_of(obj, definitions, unmarked))
            if seen is None:
                found[obj["id"]] = "one of its observables is not in the same batch"
                continue
            partner = indicators.pop((obj.get("created_by_ref"), seen.key), None)
            if partner is not None:
                seen = replace(seen, description=str(partner.get("description", "")))
                found[partner["id"]] = []
            found[obj["id"]] = [_one(seen, feed, report)]
    for obj in indicators.values():
        made = from_indicator(obj, SYSTEM, alert.level_of(obj, definitions, unmarked))
        if not made:
            found[obj["id"]] = "its pattern says more than a choice of values, or something without a field"
            continue
        found[obj["id"]] = [_one(event, feed, report) for event in made]
    return found


def _one(event: SecurityEvent, feed: str, report: Report) -> dict[str, Any]:
    details = dict(event.details)
    kind = event.kind or "undetermined"
    if event.kind is None:
        report.guessed("labels", "classification.type", "there is no label of the RSIT: undetermined")
    if event.level == "amber+strict":
        report.guessed("object_marking_refs", "tlp", "the data format has no AMBER+STRICT: RED, which is not wider")
    made: dict[str, Any] = {
        "feed.name": feed,
        "classification.taxonomy": rsit.CLASS_OF[kind],
        "classification.type": _KINDS.get(kind, kind),
        "time.source": _stamp(event.at),
        "time.observation": _stamp(event.modified),
        "tlp": _WORDS[event.level],
    }
    if event.confidence is not None:
        made["feed.accuracy"] = event.confidence
    for side, endpoint in (("source", event.source), ("destination", event.destination)):
        optional: dict[str, Any] = {
            "ip": _address(endpoint.addresses, "/" not in "".join(one.value for one in endpoint.addresses)),
            "network": _address(endpoint.addresses, "/" in "".join(one.value for one in endpoint.addresses)),
            "port": endpoint.port,
            "fqdn": _value(endpoint.fqdn),
            "url": _value(endpoint.url),
            "account": _value(endpoint.account),
        }
        made |= {f"{side}.{name}": value for name, value in optional.items() if value is not None}
    files = dict(event.files)
    texts = {
        "protocol.transport": event.transport,
        "protocol.application": event.application,
        "event_description.text": event.description,
        **{field: files.get(hash_kind.value, "") for field, hash_kind in HASHES.items()},
    }
    made |= {name: value for name, value in texts.items() if value}
    if "--" in event.key:
        made["extra.stix_id"] = event.key
        if event.name:
            made["event_description.text"] = event.description or event.name
    return made | details


def _address(addresses: Sequence[Observable], wanted: bool) -> str | None:
    return addresses[0].value if addresses and wanted else None


def _value(observable: Observable | None) -> str | None:
    return None if observable is None else observable.value


def _stamp(us: int) -> str:
    """Return a time in the one form the data format knows: with ``+00:00``, and microseconds where there are any."""
    text = format_timestamp(us).removesuffix("Z")
    return f"{text[:19] if us % 1_000_000 == 0 else text}+00:00"
