"""The statements behind a page: one text for both databases, but for how each takes a list and is told its index."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hub.store.tables import WHOLE_GROUP_ID


@dataclass(frozen=True, slots=True)
class Shape:
    """Which conditions a statement has; their values are parameters.

    :param since: the client gave ``added_after``.
    """

    dialect: str
    since: bool
    ids: bool
    types: bool
    every: bool
    last: bool
    first: bool
    exact: bool


# The caller is an active member who may read the collection: decided once per statement.
_READER: Final = """EXISTS (
    SELECT 1 FROM collection AS c
    JOIN member AS m ON m.group_id = c.group_id AND m.peer_id = :peer_id
    JOIN peer AS r ON r.id = m.peer_id
    LEFT JOIN collection_override AS o ON o.collection_id = c.id AND o.peer_id = m.peer_id
    WHERE c.id = :collection_id AND m.suspended_at IS NULL AND r.suspended_at IS NULL
        AND COALESCE(o.can_read, m.may_read))"""

# `Audience.admits` in SQL. Most entries are for the whole group, and need no look-up. Scalar queries, because
# PostgreSQL would read every audience of the hub into a hash table for an EXISTS.
_VISIBLE: Final = """({e}.expires_at IS NULL OR {e}.expires_at > :now)
    AND ({e}.audience_id = {whole} OR (
        SELECT (a.kind = 'named') = ((
            SELECT count(*) FROM audience_peer AS p WHERE p.audience_id = a.id AND p.peer_id = :peer_id) = 1)
        FROM audience AS a WHERE a.id = {e}.audience_id))"""

_FIRST: Final = """NOT EXISTS (
        SELECT 1 FROM entry AS f
        WHERE f.collection_id = e.collection_id AND f.stix_id = e.stix_id AND f.version_key < e.version_key
            AND f.date_added > :since AND {visible})"""


@lru_cache(maxsize=256)
def keys_sql(shape: Shape) -> str:
    """Return the statement that finds (entry id, date_added, size, version key) of a page, in order."""
    index = "entry_version" if shape.ids else "entry_page"
    hint = f" INDEXED BY {index}" if shape.dialect == "sqlite" else ""
    conditions = [
        "e.collection_id = :collection_id",
        "e.date_added > :after",
        _visible("e"),
        _versions(shape),
        _READER,
    ]
    if shape.ids:
        conditions.append(f"e.stix_id {_in(shape.dialect, 'ids')}")
    if shape.types:
        conditions.append(f"e.type {_in(shape.dialect, 'types')}")
    where = "\n    AND ".join(conditions)
    # Everything put in here is a constant of this module; values are parameters.
    sql = (
        f"SELECT e.id, e.date_added, e.size, e.version_key FROM entry AS e{hint}\n"  # noqa: S608
        f"WHERE {where}\nORDER BY e.date_added LIMIT :limit"
    )
    return _spelled(shape.dialect, sql)


@lru_cache(maxsize=4)
def bodies_sql(dialect: str) -> str:
    """Return the statement that reads (entry id, body) of the entries in ``:ids``, in any order."""
    return _spelled(dialect, f"SELECT e.id, e.body FROM entry AS e WHERE e.id {_in(dialect, 'ids')}")  # noqa: S608


@lru_cache(maxsize=4)
def records_sql(dialect: str) -> str:
    """Return the statement that reads (entry id, STIX id, version) of the entries in ``:ids``, in any order."""
    return _spelled(
        dialect,
        f"SELECT e.id, e.stix_id, e.version FROM entry AS e WHERE e.id {_in(dialect, 'ids')}",  # noqa: S608
    )


def list_of(dialect: str, values: Sequence[int | str]) -> str | list[int | str]:
    """Return a list as the one parameter that `_in` expects."""
    return json.dumps(list(values)) if dialect == "sqlite" else list(values)


def _in(dialect: str, name: str) -> str:
    """One parameter whatever the length: the statement stays the same and stays prepared."""
    return f"= ANY(:{name})" if dialect == "postgresql" else f"IN (SELECT value FROM json_each(:{name}))"  # noqa: S608


def _visible(alias: str) -> str:
    return _VISIBLE.format(e=alias, whole=WHOLE_GROUP_ID)


def _versions(shape: Shape) -> str:
    if shape.every:
        return "1 = 1"
    either = []
    if shape.last:
        either.append("e.superseded_at IS NULL" + (" OR e.superseded_at <= :since" if shape.since else ""))
    if shape.first:
        either.append(_FIRST.format(visible=_visible("f")))
    if shape.exact:
        either.append(f"e.version_key {_in(shape.dialect, 'exact')}")
    return f"({' OR '.join(either)})" if either else "1 = 0"


def _spelled(dialect: str, sql: str) -> str:
    return sql if dialect == "sqlite" else re.sub(r":([a-z_]+)", r"%(\1)s", sql)
