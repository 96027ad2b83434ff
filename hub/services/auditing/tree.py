"""The tree over the leaves (RFC 6962 §2.1), made again from them and compared with tiles and signed checkpoints."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from hub.domain import checkpoint, signed_note
from hub.errors import InvalidRequest, SignatureError
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.store import scan
from hub.store.scan import Row

WIDTH: Final = 256
"""Hashes in a tile (C2SP tlog-tiles)."""

_HASH: Final = 32


@dataclass(slots=True)
class TreeCheck:
    """Takes the leaves one by one; made apart from what serves the log, so that one mistake is not made twice.

    A tile that is not of its leaves is told when a checkpoint has said which of the two is wrong.
    """

    ground: Ground
    size: int = 0
    settled: int = 0  # leaves up to the last checkpoint
    _stack: list[tuple[int, bytes]] = field(default_factory=list)  # (height, hash), the highest first
    _tiles: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))  # level -> hashes of its last one
    _due: dict[int, Row] = field(default_factory=dict)
    _suspects: list[tuple[int, Finding]] = field(default_factory=list)  # (leaf, the tile that differs from it)
    _lacking: list[Finding] = field(default_factory=list)
    _lost: bool = False  # a leaf was changed: no later root can be made again

    def expect(self, count: int) -> None:
        """Read the checkpoints of the next so many leaves."""
        sizes = range(self.size + 1, self.size + count + 1)
        self._due = {row["size"]: row for row in scan.having(self.ground.tx, "log_checkpoint", "size", sizes)}

    def add(self, data: bytes) -> Findings:
        """Take the next leaf."""
        height, node = 0, hashlib.sha256(b"\0" + data).digest()
        self._tiled(0, node)
        while self._stack and self._stack[-1][0] == height:
            node = hashlib.sha256(b"\1" + self._stack.pop()[1] + node).digest()
            height += 1
            if height % 8 == 0:
                self._tiled(height // 8, node)
        self._stack.append((height, node))
        self.size += 1
        row = self._due.pop(self.size, None)
        if row is not None:
            yield from self._settle(row)

    def end(self) -> Findings:
        """Tell of the tiles that are not full, of what no checkpoint settles, and of checkpoints of no such size."""
        for level, hashes in sorted(self._tiles.items()):
            if hashes:
                self._compare(level, (self.size >> 8 * level) // WIDTH, hashes, whole=True)
        if not self._lost:
            yield from (suspect for _, suspect in self._suspects)
            yield from self._lacking[: 1 if self.settled == self.size else 0]
        for piece in scan.pieces(self.ground.tx, "log_checkpoint"):
            for row in piece:
                if not 0 < row["size"] <= self.size:
                    name, text = f"checkpoint {row['size']}", f"the log has {self.size} leaves"
                    yield Finding("log.checkpoint", "log_checkpoint.size", name, text)

    def root(self) -> bytes:
        """Return the root over the leaves taken so far."""
        if not self._stack:
            return hashlib.sha256(b"").digest()
        node = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node

    def _tiled(self, level: int, node: bytes) -> None:
        hashes = self._tiles[level]
        hashes.append(node)
        if len(hashes) == WIDTH:
            self._compare(level, (self.size >> 8 * level) // WIDTH, hashes, whole=True)
            hashes.clear()

    def _compare(self, level: int, number: int, hashes: list[bytes], *, whole: bool) -> None:
        """Suspect a tile that does not hold these hashes; it may lack the newest ones.

        :param whole: these are all the tile can hold so far.
        """
        if self._lost:
            return
        name = f"tile {level}/{number}"
        rows = [row for row in scan.having(self.ground.tx, "log_tile", "idx", [number]) if row["level"] == level]
        if not rows:
            self._lacking.append(Finding("log.tile", "log_tile", name, "it lacks"))
            return
        stored, made = bytes(rows[0]["hashes"]), b"".join(hashes)
        both = min(len(stored), len(made)) // _HASH * _HASH
        wrong = next((at for at in range(0, both, _HASH) if stored[at : at + _HASH] != made[at : at + _HASH]), None)
        if wrong is not None:
            leaf = number * WIDTH + wrong // _HASH << 8 * level
            suspect = Finding("log.tile", "log_tile.hashes", name, f"it is not of the leaves from {leaf} on")
            self._suspects.append((leaf, suspect))
        elif whole and (len(stored) % _HASH or len(stored) > len(made)):
            suspect = Finding("log.tile", "log_tile.hashes", name, "it holds other hashes than there are leaves")
            self._suspects.append((self.size, suspect))

    def _settle(self, row: Row) -> Findings:
        """Compare with a checkpoint: what it has signed says whether leaves or tiles were changed."""
        if self._lost:
            return
        name, root = f"checkpoint {self.size}", self.root()
        signed = _signed(row, self.ground)
        if isinstance(signed, Finding):
            yield signed
            if bytes(row["root"]) != root:
                yield Finding("log.root", "log_checkpoint.root", name, "it is not the root of these leaves")
            return
        if bytes(row["root"]) != signed:
            yield Finding("log.root", "log_checkpoint.root", name, "it is not the root in the signed note")
        if signed == root:
            self.settled = self.size
            yield from (suspect for _, suspect in self._suspects)
            yield from self._lacking
            self._suspects.clear()
            self._lacking.clear()
            return
        if self._tiles[0]:
            self._compare(0, self.size // WIDTH, self._tiles[0], whole=False)
        leaf = min((leaf for leaf, _ in self._suspects), default=None)
        where = f"one of the leaves from {self.settled} to {self.size - 1}" if leaf is None else f"leaf {leaf}"
        text = f"it was changed: the signed root of {self.size} leaves is another one"
        yield Finding("log.leaf", "log_leaf.payload", where, text)
        self._lost = True


def _signed(row: Row, ground: Ground) -> bytes | Finding:
    """Return the root that the log's key has signed for the size of a checkpoint."""
    name = f"checkpoint {row['size']}"
    try:
        note = signed_note.parse(bytes(row["note"]))
        said = checkpoint.parse(note.text)
        signed_note.verified(note, [signed_note.verifier_key(said.origin, ground.log_key)])
    except (InvalidRequest, SignatureError):
        return Finding("log.note", "log_checkpoint.note", name, "it is no note that the log's key has signed")
    if ground.origin is not None and said.origin != ground.origin:
        return Finding("log.origin", "log_state.origin", name, "the signed note is of a log of another name")
    if said.size != row["size"]:
        return Finding("log.note", "log_checkpoint.size", name, "the signed note is of another size")
    return said.root
