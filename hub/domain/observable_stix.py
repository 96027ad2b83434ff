"""STIX 2.1 of observables: the cyber-observable object with its deterministic id, the pattern, and back from both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hub.domain.observable_forms import Observable, ObservableType
from hub.domain.observable_text import is_type
from hub.domain.pattern import PatternFault, parse
from hub.domain.pattern_syntax import (
    Comparison,
    ComparisonExpression,
    Literal,
    LiteralKind,
    ObjectPath,
    Observation,
    ObservationExpression,
    Qualified,
)
from hub.domain.sco_id import deterministic_id

HASHES: Final = frozenset(
    {ObservableType.MD5, ObservableType.SHA1, ObservableType.SHA256, ObservableType.SHA512},
)
_ADDRESSES: Final = frozenset({ObservableType.IPV4, ObservableType.IPV6})
_BY_VALUE: Final = frozenset(
    {
        ObservableType.IPV4,
        ObservableType.IPV6,
        ObservableType.DOMAIN,
        ObservableType.URL,
        ObservableType.EMAIL,
        ObservableType.MAC,
    }
)
_HASH_NAMES: Final[Mapping[str, ObservableType]] = MappingProxyType(
    {kind.value.upper().replace("-", ""): kind for kind in HASHES}
)


def cyber_observable(observable: Observable) -> dict[str, Any] | None:
    """Return the STIX object of an observable (STIX 2.1 §6), None for a CVE, which is no cyber-observable.

    It holds what its id is made of and nothing else, so the same observable from two sources is the same object.
    """
    kind, value = observable.type, observable.value
    made: dict[str, Any]
    if kind in _BY_VALUE:
        made = {"type": kind.value, "value": value}
    elif kind in HASHES:
        made = {"type": "file", "hashes": {kind.value: value}}
    elif kind is ObservableType.FILE_NAME:
        made = {"type": "file", "name": value}
    elif kind is ObservableType.AS:
        made = {"type": kind.value, "number": int(value[2:])}
    else:
        return None
    return {"type": made["type"], "spec_version": "2.1", "id": deterministic_id(made), **made}


def pattern(observable: Observable) -> str | None:
    """Return the STIX pattern that finds an observable (STIX 2.1 §9), None for a CVE, which no traffic shows."""
    kind, value = observable.type, observable.value
    if kind in _BY_VALUE:
        return f"[{kind.value}:value = {quoted(value)}]"
    if kind in HASHES:
        name = kind.value if kind is ObservableType.MD5 else f"'{kind.value}'"
        return f"[file:hashes.{name} = {quoted(value)}]"
    if kind is ObservableType.FILE_NAME:
        return f"[file:name = {quoted(value)}]"
    if kind is ObservableType.AS:
        return f"[autonomous-system:number = {value[2:]}]"
    return None


def quoted(text: str) -> str:
    """Return a string literal of a pattern (STIX 2.1 §9.2)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def observable_of(obj: Mapping[str, Any]) -> tuple[Observable, ...]:
    """Return the observables that a cyber-observable object states; none for a type that no list can hold."""
    kind = obj.get("type")
    if kind == "file":
        return _of_file(obj)
    if kind == "autonomous-system":
        return _typed(ObservableType.AS, obj.get("number"))
    try:
        return _typed(ObservableType(str(kind)), obj.get("value"))
    except ValueError:
        return ()


def _of_file(obj: Mapping[str, Any]) -> tuple[Observable, ...]:
    hashes = obj.get("hashes")
    found: list[Observable] = []
    for name, value in hashes.items() if isinstance(hashes, Mapping) else ():
        algorithm = _HASH_NAMES.get(str(name).upper().replace("-", ""))
        if algorithm is not None:
            found.extend(_typed(algorithm, value))
    return (*found, *_typed(ObservableType.FILE_NAME, obj.get("name")))


def _typed(kind: ObservableType, value: object) -> tuple[Observable, ...]:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ()
    found = is_type(str(value), kind)
    return () if found is None else (found,)


def named_in(pattern_text: str) -> tuple[Observable, ...]:
    """Return the observables a STIX pattern names with ``=`` or ``IN``, whatever they are joined with; none of a fault.

    Values behind NOT or another operator are not what the pattern looks for.
    """
    try:
        tree = parse(pattern_text)
    except PatternFault:
        return ()
    found: dict[Observable, None] = {}
    _gather(tree, found)
    return tuple(found)


def alternatives(pattern_text: str) -> tuple[Observable, ...] | None:
    """Return the observables of a pattern that says «any one of these», None of one that says anything else.

    A list can say nothing else: of a pattern with AND, FOLLOWEDBY, a qualifier or another operator it would keep a
    part, and find what the author did not mean.
    """
    try:
        tree = parse(pattern_text)
    except PatternFault:
        return None
    found: dict[Observable, None] = {}
    return tuple(found) if _only_alternatives(tree, found) and found else None


_Tree = ObservationExpression | ComparisonExpression


def _gather(tree: _Tree, found: dict[Observable, None]) -> None:
    pending: list[_Tree] = [tree]
    while pending:
        one = pending.pop()
        if isinstance(one, Comparison):
            found.update(dict.fromkeys(_of_comparison(one) or ()))
        elif isinstance(one, Observation):
            pending.append(one.comparison)
        elif isinstance(one, Qualified):
            pending.append(one.observation)
        else:
            pending.extend(reversed(one.operands))


def _only_alternatives(tree: _Tree, found: dict[Observable, None]) -> bool:
    pending: list[_Tree] = [tree]
    while pending:
        one = pending.pop()
        if isinstance(one, Comparison):
            observables = _of_comparison(one)
            if observables is None:
                return False
            found.update(dict.fromkeys(observables))
        elif isinstance(one, Observation):
            pending.append(one.comparison)
        elif isinstance(one, Qualified) or one.operator != "OR":
            return False
        else:
            pending.extend(reversed(one.operands))
    return True


def _of_comparison(comparison: Comparison) -> tuple[Observable, ...] | None:
    """Return what ``path = value`` or ``path IN (…)`` names, None when it is not that or not an observable."""
    kinds = _of_path(comparison.path)
    within = comparison.operator == "ISSUBSET" and not _ADDRESSES.isdisjoint(kinds)  # which is the network itself
    if comparison.negated or not (comparison.operator in ("=", "IN") or within):
        return None
    value = comparison.value
    literals = value if isinstance(value, tuple) else (value,)
    found: list[Observable] = []
    for literal in literals:
        if not isinstance(literal, Literal) or literal.kind not in (LiteralKind.STRING, LiteralKind.INTEGER):
            return None
        observable = next((one for kind in kinds if (one := _typed(kind, literal.value))), ())
        if not observable:
            return None
        found.extend(observable)
    return tuple(found)


def _of_path(path: ObjectPath) -> tuple[ObservableType, ...]:
    """Return what a path can hold."""
    match path.object_type, path.steps:
        case "file", ("hashes", str(name)):
            algorithm = _HASH_NAMES.get(name.upper().replace("-", ""))
            return () if algorithm is None else (algorithm,)
        case "file", ("name",):
            return (ObservableType.FILE_NAME,)
        case "autonomous-system", ("number",):
            return (ObservableType.AS,)
        case "network-traffic", ("src_ref" | "dst_ref", "value"):
            return (ObservableType.IPV4, ObservableType.IPV6, ObservableType.DOMAIN)
        case kind, ("value",) if kind in _BY_VALUE:
            return (ObservableType(kind),)
    return ()


__all__ = [
    "HASHES",
    "Observable",
    "alternatives",
    "cyber_observable",
    "named_in",
    "observable_of",
    "pattern",
    "quoted",
]
