"""Lists: at most ``limit`` entries after a name that the caller has seen; no list is ever unbounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from hub.web.api.call import Answer, Call

T = TypeVar("T")


def page(
    call: Call, rows: Iterable[T], name_of: Callable[[T], str], resource: Callable[[T], Mapping[str, Any]]
) -> Answer:
    """Return one page of rows that are sorted by name; ``next`` is what to give as ``after``."""
    after = call.text("after")
    rest = [row for row in rows if after is None or name_of(row) > after]
    return page_of(rest, call.limit, name_of, resource)


def page_of(
    rest: list[T], limit: int, name_of: Callable[[T], str], resource: Callable[[T], Mapping[str, Any]]
) -> Answer:
    """Return the first ``limit`` of the rows that are left."""
    shown = rest[:limit]
    body: dict[str, Any] = {"items": [resource(row) for row in shown], "more": len(rest) > len(shown)}
    if body["more"]:
        body["next"] = name_of(shown[-1])
    return Answer(body)
