"""The log's tree cut into tiles of 256 hashes, as C2SP tlog-tiles serves them: names, contents, growth.

A tile of level 0 holds leaf hashes; each hash of a higher level is the root over one full tile below. The rightmost
tile of a level is partial while it has fewer than 256.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from hub.domain.merkle import HASH_BYTES, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MAX_LEVEL: Final = 63
MAX_INDEX: Final = 2**63 - 1
"""Where path elements of three digits stop: more leaves than a signed 64-bit integer counts cannot be."""

_LENGTH_BYTES: Final = 2
_LEVEL: Final = re.compile(r"entries|0|[1-9][0-9]?")
_INDEX: Final = re.compile(r"(?:x[0-9]{3}/){0,6}[0-9]{3}")
_PARTIAL: Final = re.compile(r"[1-9][0-9]{0,2}")

ReadTile: TypeAlias = Callable[[int, int], bytes]
"""``(level, index)`` to the hashes a tile has, side by side: at least those the tree of the asked size gives it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of a tile, or, with level None, of the bundle of entries of the tile of level 0 at this index.

    :param width: how many hashes or entries it holds; 256 is full.
    """

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is served, below ``tile/``."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *first, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
        level = "entries" if self.level is None else str(self.level)
        name = "/".join([level, *(f"x{part}" for part in first), last])
        return name if self.width == WIDTH else f"{name}.p/{self.width}"


def parse_path(path: str) -> Tile:
    """Return the tile that a path below ``tile/`` names. Raises ValueError for any other spelling."""
    level, _, rest = path.partition("/")
    number, dot, partial = rest.partition(".p/")
    if _LEVEL.fullmatch(level) is None or _INDEX.fullmatch(number) is None:
        raise ValueError("it names no tile")
    if dot and (_PARTIAL.fullmatch(partial) is None or int(partial) >= WIDTH):
        raise ValueError("a partial tile has 1 to 255 hashes")
    tile = Tile(
        None if level == "entries" else int(level),
        int(number.replace("/", "").replace("x", "")),
        int(partial) if dot else WIDTH,
    )
    if (tile.level or 0) > MAX_LEVEL or tile.index > MAX_INDEX or tile.path != path:
        raise ValueError("it names no tile")
    return tile


def width_of(level: int, index: int, size: int) -> int:
    """Return how many hashes a tile has in a tree of this size: 256 when it is full, 0 when there is none yet."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH))


def tile_root(hashes: bytes) -> bytes:
    """Return the root over the hashes of a tile, whose number is a power of two."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


class TileHashes:
    """Hashes of complete subtrees out of tiles, for `hub.domain.merkle`; each tile is read once.

    Raises LookupError when a tile has fewer hashes than are needed of it.
    """

    def __init__(self, read: ReadTile) -> None:
        self._read = read
        self._known: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree of 2 ** level leaves at this index."""
        tile_level, height = divmod(level, HEIGHT)
        first = index << height  # of the hashes of the tile level that the subtree is over
        tile, offset = divmod(first, WIDTH)
        known = self._known.get((tile_level, tile))
        if known is None:
            known = self._known[tile_level, tile] = self._read(tile_level, tile)
        part = known[offset * HASH_BYTES : (offset + (1 << height)) * HASH_BYTES]
        if len(part) != HASH_BYTES << height:
            raise LookupError("a tile has fewer hashes than the tree's size says")
        return tile_root(part)


def extend(old: int, leaves: Sequence[bytes], read: ReadTile) -> dict[tuple[int, int], bytes]:
    """Return every tile that changes when these leaf hashes follow the first ``old``, by level and index.

    :param read: the tiles of the old tree; only those that are still partial are asked for.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, start, added = 0, old, list(leaves)
    while added:
        above: list[bytes] = []
        tile, filled = divmod(start, WIDTH)
        hashes = read(level, tile)[: filled * HASH_BYTES] if filled else b""
        if len(hashes) != filled * HASH_BYTES:
            raise LookupError("a tile has fewer hashes than the tree's size says")
        while added:
            taken, added = added[: WIDTH - filled], added[WIDTH - filled :]
            hashes += b"".join(taken)
            changed[level, tile] = hashes
            if len(hashes) == WIDTH * HASH_BYTES:
                above.append(tile_root(hashes))
            tile, filled, hashes = tile + 1, 0, b""
        level, start, added = level + 1, start >> HEIGHT, above
    return changed


def bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as they are served: each behind its length in two octets, the higher first."""
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def parse_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises ValueError when it ends inside one, or has more than 256."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
        at += _LENGTH_BYTES + length
        if at > len(data) or len(entries) == WIDTH:
            raise ValueError("the bundle ends inside an entry, or has too many")
        entries.append(data[at - length : at])
    return entries
