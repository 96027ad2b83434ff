"""A security event of the kind that n6 and IntelMQ pass on, as STIX, and out of it again.

An event is an observation: somebody saw something at one moment. It becomes ``observed-data`` with its observables. If
its source is what attacks, and not who was attacked, an ``indicator`` is made as well and points to it (``based-on``):
a blocked victim would be a second harm. What STIX has no place for travels in labels, as machine tags whose right side
is JSON: ``n6:origin="sinkhole"``.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connectors.sdk.exchange import StixObject
from connectors.sdk.report import Report
from hub.domain import rsit, tlp
from hub.domain.observable_stix import alternatives, cyber_observable, observable_of, pattern
from hub.domain.observable_text import Observable, ObservableType
from hub.domain.sco_id import deterministic_id
from hub.domain.stix import instant_us
from hub.domain.taxii_time import format_timestamp

Value = str | int | float | bool

LABEL_LENGTH: Final = 1_000
"""Characters of a machine tag: what is longer is a document and no label."""
_TAG: Final = re.compile(r"([a-z0-9-]{1,20}):([a-z_][a-z0-9_.]{0,100})=(.{1,2000})", re.DOTALL)
_ADDRESSES: Final = (ObservableType.IPV4, ObservableType.IPV6)
_FAMILIES: Final = frozenset({"ipv4", "ipv6", "ip"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One side of an event, in normal forms. :param account: an e-mail address."""

    addresses: tuple[Observable, ...] = ()
    port: int | None = None
    fqdn: Observable | None = None
    url: Observable | None = None
    account: Observable | None = None


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """What happened. Times are microseconds since the epoch, in whole milliseconds.

    :param system: where it comes from: ``n6`` or ``intelmq``. :param key: its id there.
    :param kind: incident type of the RSIT. :param threat: the source is what attacks.
    :param files: file hashes by algorithm, all of one file. :param details: everything else, by the name it has there.
    """

    system: str
    key: str
    at: int
    modified: int
    level: tlp.Level
    source: Endpoint = Endpoint()
    destination: Endpoint = Endpoint()
    transport: str = ""
    application: str = ""
    files: tuple[tuple[str, str], ...] = ()
    name: str = ""
    description: str = ""
    kind: str | None = None
    threat: bool = False
    indicator_type: str = "malicious-activity"
    confidence: int | None = None
    expires: int | None = None
    details: Mapping[str, Value] = field(default_factory=dict)


def with_ends(event: SecurityEvent, report: Report) -> SecurityEvent:
    """Return an event without the ports and protocols that belong to nothing: traffic has an address or a name."""
    source, destination = event.source, event.destination
    if source.addresses or source.fqdn or destination.addresses or destination.fqdn:
        return event
    if source.port is None and destination.port is None and not event.transport and not event.application:
        return event
    report.dropped("ports and protocols", "there is no address or name that they would belong to")
    return replace(
        event,
        source=replace(source, port=None),
        destination=replace(destination, port=None),
        transport="",
        application="",
    )


def stix_id(kind: str, identity: str, system: str, key: str) -> str:
    """Return the id of an object that an event becomes."""
    namespace = uuid.UUID(identity.partition("--")[2])
    return f"{kind}--{uuid.uuid5(namespace, '|'.join((system, kind, key)))}"


def tag(system: str, name: str, value: Value) -> str:
    """Return a machine tag; `details_of` reads it back."""
    return f"{system}:{name}={json.dumps(value, ensure_ascii=False)}"


def objects(event: SecurityEvent, identity: str, *, observations: bool = True) -> list[dict[str, Any]]:
    """Return the STIX objects of an event; none when there is nothing observable in it.

    :param observations: False leaves the observation out where there is an indicator.
    """
    observables = _observables(event)
    if not observables:
        return []
    indicator = _indicator(event, identity)
    if indicator is not None and not observations:
        return [indicator]
    marking = {"object_marking_refs": [tlp.IDS[event.level]]}
    stamp = _stamp(event.at)
    observed = {
        **_common("observed-data", event, identity),
        "first_observed": stamp,
        "last_observed": stamp,
        "number_observed": 1,
        "object_refs": [one["id"] for one in observables],
    }
    made = [*({**one, **marking} for one in observables), observed]
    if indicator is None:
        return made
    relationship = {
        **_common("relationship", event, identity),
        "relationship_type": "based-on",
        "source_ref": indicator["id"],
        "target_ref": observed["id"],
    }
    for name in ("labels", "confidence", "external_references"):
        relationship.pop(name, None)
    return [*made, indicator, relationship]


def _observables(event: SecurityEvent) -> list[dict[str, Any]]:
    """Return the cyber-observables, each once; what is the destination is told by the traffic that leads to it."""
    sources = _scos(event.source.addresses)
    made = [*sources, *_scos(one for one in (event.source.fqdn, event.source.url, event.source.account) if one)]
    targets = _scos((*event.destination.addresses, *([event.destination.fqdn] if event.destination.fqdn else ())))
    made += targets
    ends: list[dict[str, Any] | None] = [*targets]
    ports = (event.source.port, event.destination.port)
    if not ends and (ports != (None, None) or event.transport or event.application):
        ends = [None]
    start = next(iter([*sources, *_scos([event.source.fqdn] if event.source.fqdn else ())]), None)
    for end in ends:
        if start is not None or end is not None:
            made.append(_traffic(event, start, end))
    if event.files:
        file: dict[str, Any] = {"type": "file", "hashes": dict(event.files)}
        made.append({"type": "file", "spec_version": "2.1", "id": deterministic_id(file), "hashes": file["hashes"]})
    return list({one["id"]: one for one in made}.values())


def _scos(some: Iterable[Observable]) -> list[dict[str, Any]]:
    return [one for one in map(cyber_observable, some) if one is not None]


def _traffic(event: SecurityEvent, start: dict[str, Any] | None, end: dict[str, Any] | None) -> dict[str, Any]:
    family = "ipv6" if "ipv6-addr" in [one["type"] for one in (start, end) if one is not None] else "ipv4"
    made: dict[str, Any] = {"type": "network-traffic"}
    if start is not None:
        made["src_ref"] = start["id"]
    if end is not None:
        made["dst_ref"] = end["id"]
    if event.source.port is not None:
        made["src_port"] = event.source.port
    if event.destination.port is not None:
        made["dst_port"] = event.destination.port
    made["protocols"] = [event.transport or family, *([event.application] if event.application else ())]
    return {"type": made["type"], "spec_version": "2.1", "id": deterministic_id(made), **made}


def _indicator(event: SecurityEvent, identity: str) -> dict[str, Any] | None:
    if not event.threat:
        return None
    source = event.source
    # The most specific: a page on a shared host does not make a threat of the host.
    some = [source.url] if source.url else [source.fqdn] if source.fqdn else list(source.addresses)
    some += [Observable(ObservableType(name), value) for name, value in event.files]
    patterns = [text for text in map(pattern, filter(None, some)) if text is not None]
    if not patterns or (event.expires is not None and event.expires <= event.at):
        return None
    made = {
        **_common("indicator", event, identity),
        "name": event.name or next(one.value for one in some if one is not None),
        "indicator_types": [event.indicator_type],
        "pattern": " OR ".join(patterns),
        "pattern_type": "stix",
        "valid_from": _stamp(event.at),
    }
    if event.description:
        made["description"] = event.description
    if event.expires is not None:
        made["valid_until"] = _stamp(event.expires)
    return made


def _common(kind: str, event: SecurityEvent, identity: str) -> dict[str, Any]:
    labels = [] if event.kind is None else [rsit.label(event.kind)]
    labels += [tag(event.system, name, value) for name, value in sorted(event.details.items())]
    made: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": stix_id(kind, identity, event.system, event.key),
        "created_by_ref": identity,
        "created": _stamp(event.at),
        "modified": _stamp(max(event.modified, event.at)),
        "object_marking_refs": [tlp.IDS[event.level]],
        "external_references": [{"source_name": event.system, "external_id": event.key}],
    }
    if labels:
        made["labels"] = labels
    if event.confidence is not None:
        made["confidence"] = event.confidence
    return made


def _stamp(us: int) -> str:
    return format_timestamp(us)[:23] + "Z"


# and back


def details_of(labels: Sequence[object], system: str) -> dict[str, Value]:
    """Return what machine tags of a system say; a tag that is not well-formed says nothing."""
    found: dict[str, Value] = {}
    for one in labels:
        match = _TAG.fullmatch(one) if isinstance(one, str) else None
        if match is None or match[1] != system:
            continue
        try:
            value = json.loads(match[3])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, str | int | float):
            found[match[2]] = value
    return found


def from_observed(
    observed: StixObject, known: Mapping[str, StixObject], system: str, level: tlp.Level
) -> SecurityEvent | None:
    """Return the event of an observation, None when one of its observables is not at hand.

    :param known: cyber-observables and indicators by id, or by ``based-on`` of the observation.
    """
    refs = observed.get("object_refs", ())
    some = [known[ref] for ref in refs if ref in known]
    if len(some) != len(refs) or not some:
        return None
    traffic = [one for one in some if one["type"] == "network-traffic"]
    ends = {one["dst_ref"] for one in traffic if "dst_ref" in one}
    source = _endpoint([one for one in some if one["id"] not in ends], _first(traffic, "src_port"))
    destination = _endpoint([one for one in some if one["id"] in ends], _first(traffic, "dst_port"))
    protocols = [str(one) for one in (traffic[0].get("protocols", ()) if traffic else ())]
    files: Mapping[str, str] = next((one["hashes"] for one in some if one["type"] == "file" and "hashes" in one), {})
    at = instant_us(str(observed["first_observed"]))
    labels = observed.get("labels", ())
    return SecurityEvent(
        system=system,
        key=key_of(observed, system),
        at=at,
        modified=instant_us(str(observed["modified"])),
        level=level,
        source=source,
        destination=destination,
        transport=protocols[0] if protocols and protocols[0] not in _FAMILIES else "",
        application=protocols[1] if len(protocols) > 1 else "",
        files=tuple(sorted(files.items())),
        kind=rsit.kind_of(labels),
        confidence=observed.get("confidence"),
        details=details_of(labels, system),
    )


def from_indicator(indicator: StixObject, system: str, level: tlp.Level) -> list[SecurityEvent]:
    """Return one event for each observable an indicator is a choice of; none when it says anything else."""
    if indicator.get("pattern_type") != "stix":
        return []
    found = alternatives(indicator["pattern"]) or ()
    labels = indicator.get("labels", ())
    until = indicator.get("valid_until")
    made = []
    for number, observable in enumerate(found):
        source, files = _one_sided(observable)
        if source is None:
            return []
        made.append(
            SecurityEvent(
                system=system,
                key=key_of(indicator, system) + (f"-{number}" if number else ""),
                at=instant_us(str(indicator["valid_from"])),
                modified=instant_us(str(indicator["modified"])),
                level=level,
                source=source,
                files=files,
                name=str(indicator.get("name", "")),
                description=str(indicator.get("description", "")),
                kind=rsit.kind_of(labels),
                threat=True,
                confidence=indicator.get("confidence"),
                expires=None if until is None else instant_us(str(until)),
                details=details_of(labels, system),
            )
        )
    return made


def key_of(obj: StixObject, system: str) -> str:
    """Return the id an object has in a system; the STIX id of what does not come from there."""
    for one in obj.get("external_references", ()):
        if one.get("source_name") == system and isinstance(one.get("external_id"), str):
            return str(one["external_id"])
    return str(obj["id"])


def _one_sided(observable: Observable) -> tuple[Endpoint | None, tuple[tuple[str, str], ...]]:
    kind = observable.type
    if kind in _ADDRESSES:
        return Endpoint(addresses=(observable,)), ()
    if kind is ObservableType.DOMAIN:
        return Endpoint(fqdn=observable), ()
    if kind is ObservableType.URL:
        return Endpoint(url=observable), ()
    if kind is ObservableType.EMAIL:
        return Endpoint(account=observable), ()
    if kind in (ObservableType.MD5, ObservableType.SHA1, ObservableType.SHA256):
        return Endpoint(), ((kind.value, observable.value),)
    return None, ()


def _endpoint(some: Iterable[StixObject], port: int | None) -> Endpoint:
    found = [observable for one in some if one["type"] != "file" for observable in observable_of(one)]

    def of(kind: ObservableType) -> Observable | None:
        return next((one for one in found if one.type is kind), None)

    return Endpoint(
        addresses=tuple(one for one in found if one.type in _ADDRESSES),
        port=port,
        fqdn=of(ObservableType.DOMAIN),
        url=of(ObservableType.URL),
        account=of(ObservableType.EMAIL),
    )


def _first(traffic: Sequence[StixObject], name: str) -> int | None:
    return next((one[name] for one in traffic if isinstance(one.get(name), int)), None)
