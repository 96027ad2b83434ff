"""Reading the transparency log: its state, its tiles, proofs, and the opening of a leaf by those it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain import merkle, signed_note, tiles
from hub.domain.log_event import leaf_data
from hub.domain.merkle import HASH_BYTES
from hub.domain.tiles import Tile, TileHashes
from hub.errors import InvalidRequest, LogInconsistent, NotFound
from hub.services import checkpoints
from hub.services.actor import Actor, limited
from hub.services.context import Hub
from hub.store import checkpoints as store
from hub.store import log as log_store
from hub.store import tiles as tile_store
from hub.store.checkpoints import Stored
from hub.store.log import Leaf

NO_CHECKPOINT = "the log has no checkpoint yet"
NO_TILE = "the log has no such tile"
NO_LEAF = "there is no such leaf"


@dataclass(frozen=True, slots=True)
class State:
    """The log as it stands.

    :param origin: None on a hub that was never initialised.
    :param verifier_key: what its checkpoints are verified with, ``name+id+base64``.
    :param size: leaves committed; the checkpoint may be a moment behind.
    """

    origin: str | None
    verifier_key: str | None
    size: int
    checkpoint: Stored | None
    cosignatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof with what it proves: the leaf's hash, or the old root, and the root they lead to."""

    start: bytes
    root: bytes
    hashes: list[bytes]


@dataclass(frozen=True, slots=True)
class Opened:
    """A leaf with what it hides, for a party to the event.

    :param data: the 32 octets that the log publishes, the hash of salt and payload.
    :param checkpointed: whether a signed checkpoint covers it.
    """

    leaf: Leaf
    data: bytes
    checkpointed: bool


def state(hub: Hub) -> State:
    """Return the state of the log; everybody may know it."""
    with hub.db.read() as tx:
        origin = checkpoints.origin(hub, tx)
        last = store.latest(tx)
        lines = () if last is None else tuple(store.cosignatures(tx, last.size))
        key = None if origin is None else checkpoints.log_key(hub, origin).text
        return State(origin, key, log_store.size(tx), last, lines)


def note(hub: Hub, *, cosigned: bool = False) -> bytes:
    """Return the latest checkpoint with every cosignature, or the latest that has any. Raises NotFound."""
    with hub.db.read() as tx:
        last = store.latest(tx, cosigned=cosigned)
        if last is None:
            raise NotFound(NO_CHECKPOINT)
        signed = signed_note.parse(last.note)
        lines = [*(each.line for each in signed.signatures), *store.cosignatures(tx, last.size)]
    return signed_note.with_signatures(signed.text, lines)


def verifier_key(hub: Hub) -> str:
    """Return the key that verifies the log's checkpoints. Raises NotFound on a hub that was never initialised."""
    with hub.db.read() as tx:
        origin = checkpoints.origin(hub, tx)
    if origin is None:
        raise NotFound(NO_CHECKPOINT)
    return checkpoints.log_key(hub, origin).text


def tile(hub: Hub, asked: Tile) -> bytes:
    """Return a tile or a bundle of entries (C2SP tlog-tiles). Raises NotFound beyond the latest checkpoint."""
    with hub.db.read() as tx:
        last = store.latest(tx)
        level = asked.level or 0
        if last is None or asked.width > tiles.width_of(level, asked.index, last.size):
            raise NotFound(NO_TILE)
        if asked.level is not None:
            return tile_store.read(tx, level, asked.index)[: asked.width * HASH_BYTES]
        first = asked.index * tiles.WIDTH
        with _whole():
            return tiles.bundle(log_store.published(tx, first, first + asked.width))


def inclusion(hub: Hub, index: int, size: int | None = None) -> Proof:
    """Return the proof that a leaf is in the tree of a size, the latest checkpoint's without one.

    Raises InvalidRequest when no signed tree of that size has such a leaf.
    """
    with hub.db.read() as tx:
        size = _within(tx, size, "size")
        if index >= size:
            raise InvalidRequest("no checkpoint covers that leaf yet, or there is none", field="index")
        hashes = _hashes(tx)
        with _whole():
            return Proof(hashes(0, index), merkle.root(size, hashes), merkle.inclusion_proof(index, size, hashes))


def consistency(hub: Hub, old: int, new: int | None = None) -> Proof:
    """Return the proof that the tree of ``old`` leaves is the beginning of that of ``new``. Raises InvalidRequest."""
    with hub.db.read() as tx:
        new = _within(tx, new, "new")
        if old > new:
            raise InvalidRequest("it may not be larger than the other size", field="old")
        hashes = _hashes(tx)
        with _whole():
            return Proof(merkle.root(old, hashes), merkle.root(new, hashes), merkle.consistency_proof(old, new, hashes))


def opened(hub: Hub, actor: Actor, index: int) -> Opened:
    """Return a leaf with its salt and payload to the peers it is about and to an operator. Raises NotFound."""
    with hub.db.read() as tx:
        found = log_store.leaves(tx, index, index + 1)
        last = store.latest(tx)
    caller = limited(actor)
    if not found or (caller is not None and caller.peer.id not in (found[0].peer_id, found[0].subject_peer_id)):
        raise NotFound(NO_LEAF)
    leaf = found[0]
    return Opened(leaf, leaf_data(leaf.salt, leaf.payload), last is not None and index < last.size)


def _within(tx: Connection, size: int | None, field: str) -> int:
    last = store.latest(tx)
    signed = 0 if last is None else last.size
    if size is not None and size > signed:
        raise InvalidRequest("the log has no checkpoint of that many leaves yet", field=field)
    return signed if size is None else size


def _hashes(tx: Connection) -> TileHashes:
    return TileHashes(lambda level, index: tile_store.read(tx, level, index))


@contextmanager
def _whole() -> Iterator[None]:
    """Raise LogInconsistent where a leaf or a tile is missing that a checkpoint covers."""
    try:
        yield
    except LookupError:
        raise LogInconsistent("a leaf or a tile of the log is missing; the operator restores a backup") from None
