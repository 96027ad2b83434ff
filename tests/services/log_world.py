"""Leaves in a log, and what must hold of everything that is stored of it, recomputed from the leaves alone."""

from __future__ import annotations

import hashlib

from sqlalchemy import text

from hub.domain import checkpoint, merkle, signed_note
from hub.domain.log_event import Event
from hub.services import checkpoints, transparency
from hub.services.context import Hub
from hub.store.database import Database


def write_leaves(hub: Hub, count: int, *, peer_id: int | None = None, subject: int | None = None) -> list[int]:
    """Append leaves; return their places."""
    events = [Event("test", {"number": number}, peer_id, subject) for number in range(count)]
    with hub.db.write() as tx:
        return transparency.append(tx, hub, events, now=hub.clock())


def check_log(database: Database, hub: Hub | None = None) -> int:
    """Assert that leaves have no gap, that each checkpoint is the tree of its size, and that tiles are theirs.

    :param hub: verify the signatures too. Returns how many leaves the last checkpoint covers.
    """
    with database.read() as tx:
        leaves = tx.execute(text("SELECT idx, salt, payload FROM log_leaf ORDER BY idx")).all()
        size = tx.execute(text("SELECT size FROM log_state")).scalar() or 0
        signed = tx.execute(text("SELECT size, root, note FROM log_checkpoint ORDER BY size")).all()
        stored = {
            (row[0], row[1]): bytes(row[2]) for row in tx.execute(text("SELECT level, idx, hashes FROM log_tile"))
        }
        origin = tx.execute(text("SELECT origin FROM log_state")).scalar()
    assert [row[0] for row in leaves] == list(range(size)), "a leaf is missing"
    hashes = [
        hashlib.sha256(b"\0" + hashlib.sha256(bytes(salt) + bytes(payload)).digest()).digest()
        for _, salt, payload in leaves
    ]
    last = signed[-1][0] if signed else 0
    assert stored == _tiles(hashes[:last])
    peaks: list[tuple[int, bytes]] = []
    roots = {}
    for count, leaf in enumerate(hashes, 1):
        peaks.append((0, leaf))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (height, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((height + 1, merkle.node_hash(left, right)))
        root = peaks[-1][1]
        for _, left in reversed(peaks[:-1]):
            root = merkle.node_hash(left, root)
        roots[count] = root
    for covered, root, note in signed:
        read = checkpoint.parse(signed_note.parse(bytes(note)).text)
        assert (read.origin, read.size, read.root) == (origin, covered, bytes(root))
        assert bytes(root) == roots[covered], "a checkpoint is not of these leaves"
        if hub is not None:
            signed_note.verified(signed_note.parse(bytes(note)), [checkpoints.log_key(hub, read.origin)])
    return int(last)


def _tiles(hashes: list[bytes]) -> dict[tuple[int, int], bytes]:
    found = {}
    level, row = 0, hashes
    while row:
        pieces = [row[at : at + 256] for at in range(0, len(row), 256)]
        found |= {(level, index): b"".join(piece) for index, piece in enumerate(pieces)}
        row = [_root(piece) for piece in pieces if len(piece) == 256]
        level += 1
    return found


def _root(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [merkle.node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]
