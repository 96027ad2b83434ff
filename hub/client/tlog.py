"""Following a hub's transparency log from outside: believe its key, then believe nothing that does not follow from it.

A checkpoint counts if the log's key signed it. A later one counts if tiles prove that it begins with the earlier one.
What the log serves beside that is only material for proofs, which are checked here.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hub.client.transport import RemoteError, Transport
from hub.domain import checkpoint, merkle, signed_note, tiles
from hub.domain.canonical import Json, parse
from hub.domain.checkpoint import Checkpoint
from hub.domain.log_event import leaf_data
from hub.domain.merkle import HASH_BYTES
from hub.domain.signed_note import SIGNATURE, VerifierKey
from hub.domain.tiles import WIDTH, Tile, TileHashes
from hub.errors import CybexError, MalformedJson

_GONE: Final = 404


class LogMisbehaved(CybexError):
    """The log has signed, or serves, what an honest log never does; ``evidence`` are the notes that show it."""

    code = "log-misbehaved"
    title = "The log does not keep its word"

    def __init__(self, detail: str, *evidence: bytes) -> None:
        super().__init__(detail)
        self.evidence = evidence


class LogRewound(LogMisbehaved):
    """It shows fewer leaves than it has shown before: restored from a backup, or hiding what it had said."""

    code = "log-rewound"
    title = "The log has been rewound"


class SplitView(LogMisbehaved):
    """It has signed two trees of which neither is the beginning of the other: others see something else than we do."""

    code = "split-view"
    title = "The log shows different things to different people"


class UnknownLogKey(LogMisbehaved):
    """Its checkpoint is not signed by the key that was believed before."""

    code = "log-key-changed"
    title = "The log is signed by another key"


class NotLogged(LogMisbehaved):
    """A leaf is not where it was promised to be."""

    code = "not-logged"
    title = "The log does not hold it"


class NotYetLogged(CybexError):
    """The latest checkpoint does not reach so far yet; a hub signs one within ten seconds."""

    code = "not-yet-logged"
    title = "No checkpoint covers it yet"


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint whose signature by the log's key was verified, in the note it came in."""

    checkpoint: Checkpoint
    key: VerifierKey
    note: bytes


@dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """A leaf of our own with what it hides. ``data`` is computed from salt and payload, not taken from the hub."""

    index: int
    payload: dict[str, Any]
    data: bytes


def log_url(api_root: str) -> str:
    """Return where the log of the hub is that serves a group's API root."""
    parts = urlsplit(api_root)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').rpartition('/')[0]}/tlog/"


def log_key(transport: Transport, url: str) -> VerifierKey:
    """Return the key the hub itself names; believe it at first sight only. Raises RemoteError."""
    named = transport.fetch(f"{_base(url)}key").decode("utf-8", "replace").strip()
    try:
        key = signed_note.parse_key(named)
    except CybexError as error:
        raise RemoteError(f"its log key is not readable: {error.detail}") from None
    if key.kind != SIGNATURE:
        raise RemoteError("its log key is not one for checkpoints")
    return key


def fetch(transport: Transport, url: str, key: VerifierKey) -> Seen:
    """Return the log's latest checkpoint.

    :raises RemoteError: there is none, or it is malformed. :raises UnknownLogKey: this key did not sign it.
    """
    return seen(transport.fetch(f"{_base(url)}checkpoint"), key)


def seen(octets: bytes, key: VerifierKey) -> Seen:
    """Return the checkpoint in a signed note. Raises RemoteError when it is malformed, UnknownLogKey."""
    try:
        note = signed_note.parse(octets)
        found = checkpoint.parse(note.text)
    except CybexError as error:
        raise RemoteError(f"its checkpoint is not readable: {error.detail}") from None
    signed = any(key.made(each) and key.verifies(note.text, each) for each in note.signatures)
    if not signed or found.origin != key.name:
        raise UnknownLogKey("no signature on its checkpoint is by the key that was believed so far", octets)
    return Seen(found, key, octets)


def check_consistent(transport: Transport, url: str, old: Seen, new: Seen) -> None:
    """Return if the new checkpoint's tree begins with the old one's, as tiles prove.

    Raises:
        LogRewound: it has become smaller. SplitView: it is another tree; both notes are the evidence.
        RemoteError: a tile that is needed cannot be had, so that nothing is proved.
    """
    was, now = old.checkpoint, new.checkpoint
    if now.size < was.size:
        raise LogRewound(f"it had {was.size} leaves and now shows {now.size}", old.note, new.note)
    proof = merkle.consistency_proof(was.size, now.size, tiles_of(transport, url, now.size))
    if not merkle.verify_consistency(was.size, now.size, was.root, now.root, proof):
        reason = f"its tree of {now.size} leaves does not begin with the tree of {was.size} that it signed before"
        raise SplitView(reason, old.note, new.note)


def check_inclusion(transport: Transport, url: str, known: Seen, index: int, data: bytes) -> None:
    """Return if the tree of a checkpoint holds these leaf data at this index, as tiles prove.

    :param data: the 32 octets that the log publishes; `open_leaf` computes them from salt and payload.

    Raises:
        NotYetLogged: the checkpoint has fewer leaves. NotLogged: something else stands there.
        RemoteError: a tile that is needed cannot be had.
    """
    tree = known.checkpoint
    if index >= tree.size:
        raise NotYetLogged(f"it has {tree.size} leaves and this one is number {index}; ask again in ten seconds")
    proof = merkle.inclusion_proof(index, tree.size, tiles_of(transport, url, tree.size))
    if not merkle.verify_inclusion(index, tree.size, merkle.leaf_hash(data), proof, tree.root):
        raise NotLogged(f"at {index} its signed tree of {tree.size} leaves holds something else", known.note)


def open_leaf(transport: Transport, url: str, index: int) -> OpenedLeaf:
    """Return a leaf that we are a party to, opened by the hub's API with our own credential. Raises RemoteError."""
    hub_url = _base(url).removesuffix("tlog/")
    return opened(transport.get(f"{hub_url}api/v1/log/leaves/{index}", accept="application/json").body)


def opened(body: Json) -> OpenedLeaf:
    """Return the leaf that an answer of the API, or `cybex log leaf --json`, opens. Raises RemoteError."""
    try:
        if not isinstance(body, dict):
            raise TypeError
        index, text = body["index"], str(body["payload"]).encode()
        salt = base64.b64decode(str(body["salt"]), validate=True)
        payload = parse(text)
        if type(index) is not int or index < 0 or not isinstance(payload, dict):
            raise TypeError
        return OpenedLeaf(index, payload, leaf_data(salt, text))
    except (KeyError, TypeError, ValueError, binascii.Error, MalformedJson):
        raise RemoteError("what it gave is no opened leaf") from None


def tiles_of(transport: Transport, url: str, size: int) -> TileHashes:
    """Return the hashes of the tree of a size, for proofs; nothing is believed of them.

    They raise RemoteError when a tile cannot be had.
    """

    def read(level: int, index: int) -> bytes:
        width = tiles.width_of(level, index, size)
        tile = Tile(level, index, width)
        try:
            hashes = transport.fetch(f"{_base(url)}tile/{tile.path}")
        except RemoteError as error:
            if width == WIDTH or error.http_status != _GONE:
                raise
            # Once a tile is full, a log may drop its partial forms (C2SP tlog-tiles, Partial Tiles).
            hashes = transport.fetch(f"{_base(url)}tile/{Tile(level, index).path}")
        if len(hashes) < width * HASH_BYTES:
            raise RemoteError(f"its tile {tile.path} is too short")
        return hashes[: width * HASH_BYTES]

    return TileHashes(read)


def _base(url: str) -> str:
    return f"{url.rstrip('/')}/"
