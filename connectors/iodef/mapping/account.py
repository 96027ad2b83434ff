"""The account of an incident: every member of every class by its path, so that nothing goes unmentioned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.iodef.mapping.classes import CLASSES, IMPACTS, SIMPLE
from connectors.sdk.report import Report


def leaves(value: Mapping[str, Any], kind: str, place: str) -> Iterator[str]:
    """Yield the path of every attribute and simple element of a class, as often as it stands."""
    known = CLASSES[kind]
    for name in value:
        if name in known.attributes:
            yield f"{place}/@{name}"
        elif name == known.content:
            yield place
    for name, child in known.children.items():
        if name not in value:
            continue
        where = f"{place}/{child.wrapper}/{name}" if child.wrapper else f"{place}/{name}"
        for item in value[name] if child.many else [value[name]]:
            if name == "Impact":
                for impact, body in item.items():
                    yield from leaves(body, IMPACTS[impact], f"{place}/{impact}")
            elif child.kind in SIMPLE:
                yield where
            else:
                yield from leaves(item, child.kind, where)


def settle(report: Report, value: Mapping[str, Any], used: Counter[str], became: str, reason: str) -> None:
    """Note every member of an incident that has not arrived with its meaning yet."""
    for path, count in Counter(leaves(value, "Incident", "Incident")).items():
        left = count - used[path]
        if left > 0:
            report.merged(path, became, reason, left)


def tagged(value: Any, kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield what carries an ``observable-id`` in a class: the id, its class and itself."""
    known = CLASSES[kind]
    for name, child in known.children.items():
        if name not in value or child.kind in SIMPLE or name == "Impact":
            continue
        for item in value[name] if child.many else [value[name]]:
            if "observable-id" in item:
                yield str(item["observable-id"]), name, item
            yield from tagged(item, child.kind)


def references(value: Any) -> Iterator[str]:
    """Yield every ``uid-ref`` in a class."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "uid-ref":
                yield from (inner if isinstance(inner, list) else [str(inner)])
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
