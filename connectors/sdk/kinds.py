"""The kinds of connectors on this machine: ours and those of other packages, by the entry points they declare.

A package that cannot be loaded is reported and stops no other one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from connectors.sdk.kind import Kind
from hub.errors import ConfigError

GROUP: Final = "cybex.connectors"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point: the kind it names, or why it has none.

    :param package: that declares it, such as ``cybex``.
    """

    name: str
    package: str
    kind: Kind | None
    problem: str | None = None


def discover(points: Iterable[EntryPoint] | None = None) -> list[Found]:
    """Return every declared kind by name. Nothing that a package does while it is loaded ends this.

    :param points: the entry points to look at; those of all installed packages when None.
    """
    found: dict[str, Found] = {}
    for point in sorted(_points(points), key=_ours_first):
        one = _load(point)
        before = found.get(one.name)
        if before is not None:
            # Who is first keeps the name: a package that is installed later must not take over `misp`.
            one = Found(f"{one.name} ({one.package})", one.package, None, f"{before.package} has this name already")
        found[one.name] = one
    return sorted(found.values(), key=lambda one: one.name)


def named(name: str, points: Iterable[EntryPoint] | None = None) -> Kind:
    """Return one kind without loading the others. Raises ConfigError when there is none, or it cannot be loaded."""
    ours = sorted((point for point in _points(points) if point.name == name), key=_ours_first)
    if not ours:
        known = ", ".join(sorted({point.name for point in _points(points)}))
        raise ConfigError(f"there is no such kind of connector; installed are: {known or 'none'}", field="kind")
    found = _load(ours[0])
    if found.kind is None:
        raise ConfigError(f"the kind of {found.package} cannot be used: {found.problem}", field="kind")
    return found.kind


def _points(points: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    return list(entry_points(group=GROUP) if points is None else points)


def _ours_first(point: EntryPoint) -> tuple[bool, str, str]:
    package = _package(point)
    return package != "cybex", point.name, package


def _package(point: EntryPoint) -> str:
    return "unknown" if point.dist is None else point.dist.name


def _load(point: EntryPoint) -> Found:
    package = _package(point)
    try:
        kind = point.load()
    except ModuleNotFoundError as error:
        return Found(point.name, package, None, f"the module {error.name} is not installed")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what somebody else's module does at its import has no bounds
        return Found(point.name, package, None, f"it cannot be loaded: {type(error).__name__}")
    if not isinstance(kind, Kind):
        return Found(point.name, package, None, "its entry point names no connectors.sdk.kind.Kind")
    if kind.name != point.name:
        return Found(point.name, package, None, "its kind has another name than its entry point")
    if kind.source is None and kind.target is None:
        return Found(point.name, package, None, "it opens neither a source nor a target")
    return Found(point.name, package, kind)
