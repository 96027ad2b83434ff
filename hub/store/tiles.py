"""The tiles of the log's tree: each grows until it has 256 hashes, and never changes after that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from hub.store.tables import log_tile


def read(tx: Connection, level: int, index: int) -> bytes:
    """Return the hashes of a tile, side by side; none of a tile that is not there."""
    c = log_tile.c
    found: bytes | None = tx.execute(select(c.hashes).where(c.level == level, c.idx == index)).scalar()
    return found or b""


def write(tx: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    """Store tiles, by level and index, in the place of what was there."""
    for (level, index), hashes in tiles.items():
        tx.execute(_upsert(tx), {"level": level, "idx": index, "hashes": hashes})


def _upsert(tx: Connection) -> Any:  # each database has its own class for it
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # each where it is used only: a process needs one of the two

        insert = sqlite.insert(log_tile)
        return insert.on_conflict_do_update(index_elements=["level", "idx"], set_={"hashes": insert.excluded.hashes})
    from sqlalchemy.dialects import postgresql

    upsert = postgresql.insert(log_tile)
    return upsert.on_conflict_do_update(index_elements=["level", "idx"], set_={"hashes": upsert.excluded.hashes})
