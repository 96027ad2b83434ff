"""Checkpoints of the transparency log: made by a worker after leaves were committed, signed with the log's own key.

Leaves are numbered under a lock that is held until their transaction ends, so what is committed is always the first so
many, without a gap: whoever reads the log's size may read all leaves below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection

from hub.domain import checkpoint, limits, merkle, signed_note
from hub.domain.checkpoint import Checkpoint
from hub.domain.signed_note import VerifierKey
from hub.domain.tiles import TileHashes, extend
from hub.errors import LogInconsistent
from hub.services.actor import HUB_HANDLE
from hub.services.context import Hub
from hub.store import checkpoints as store
from hub.store import log as log_store
from hub.store import peers as peer_store
from hub.store import tiles as tile_store
from hub.store.checkpoints import Stored

log = structlog.get_logger()

PATH: Final = "tlog"
"""Where the log is served, below the hub's public URL."""


@dataclass(frozen=True, slots=True)
class _Next:
    """A checkpoint that can be stored as long as the last one has ``old`` leaves."""

    old: int
    checkpoint: Checkpoint
    tiles: dict[tuple[int, int], bytes]


def make(hub: Hub) -> Checkpoint | None:
    """Return a new checkpoint over the leaves committed since the last one, stored and signed; None without any.

    A crash leaves either all of it or nothing, and the next call makes the same from the same leaves. Of several
    workers one makes it, the others get None. At most `limits.CHECKPOINT_LEAVES` leaves are added: call it again.

    Raises:
        LogInconsistent: the stored leaves or tiles contradict the last checkpoint; nothing is signed.
    """
    with hub.db.read() as tx:
        made = _next(hub, tx)
    if made is None:
        return None
    new = made.checkpoint
    line = signed_note.signed(new.text, new.origin, hub.log_key).line
    note = signed_note.with_signatures(new.text, [line])
    with hub.db.write() as tx:
        last = store.latest(tx) if store.lock(tx) else None
        if (0 if last is None else last.size) != made.old:
            return None  # another worker was first, or is at it
        store.set_origin(tx, new.origin)
        if store.origin(tx) != new.origin:
            return None
        tile_store.write(tx, made.tiles)
        store.add(tx, Stored(new.size, new.root, hub.clock(), note))
    log.info("log.checkpoint", size=new.size, leaves=new.size - made.old)
    return new


def parsed(stored: Stored) -> Checkpoint:
    """Return what a stored note says."""
    return checkpoint.parse(signed_note.parse(stored.note).text)


def log_key(hub: Hub, origin: str) -> VerifierKey:
    """Return the key with which the log's checkpoints are verified; its name is the log's origin."""
    return signed_note.verifier_key(origin, hub.log_key.public)


def origin(hub: Hub, tx: Connection) -> str | None:
    """Return the first line of every checkpoint: settled by the first of them, until then what it will be.

    It is where the log is served, without the scheme, when the hub knows its public URL, else made of the hub's
    identity. None for a hub that has neither, which `cybex init` never leaves behind.
    """
    settled = store.origin(tx)
    if settled is not None:
        return settled
    if hub.public_url is not None:
        parts = urlsplit(hub.public_url)
        name = f"{parts.netloc.rpartition('@')[2]}{parts.path}{PATH}"
        if signed_note.is_name(name):
            return name
    own = peer_store.by_handle(tx, HUB_HANDLE)
    return None if own is None else f"cybex-hub/{own.identity.partition('--')[2]}"


def _next(hub: Hub, tx: Connection) -> _Next | None:
    last = store.latest(tx)
    old, old_root = (0, merkle.EMPTY_ROOT) if last is None else (last.size, last.root)
    size = log_store.size(tx)
    name = origin(hub, tx) if size > old else None
    if name is None:
        if size < old:
            raise LogInconsistent(f"the log has {size} leaves and a signed checkpoint of {old}; restore from a backup")
        return None
    new = min(size, old + limits.CHECKPOINT_LEAVES)
    try:
        leaves = [merkle.leaf_hash(data) for data in log_store.published(tx, old, new)]
        tiles = extend(old, leaves, lambda level, index: tile_store.read(tx, level, index))
        hashes = TileHashes(lambda level, index: tiles.get((level, index)) or tile_store.read(tx, level, index))
        root = merkle.root(new, hashes)
        proof = merkle.consistency_proof(old, new, hashes)
    except LookupError:
        raise LogInconsistent("a leaf or a tile of the log is missing; restore from a backup") from None
    # A log that signs two trees that contradict each other is finished: look before signing, not after.
    if not merkle.verify_consistency(old, new, old_root, root, proof):
        raise LogInconsistent(f"its tiles are not those of the checkpoint of {old} leaves; restore from a backup")
    return _Next(old, Checkpoint(name, new, root), tiles)
