"""Tiles are named, cut and grown as C2SP tlog-tiles says and Go does."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import merkle, tiles
from hub.domain.merkle import HASH_BYTES
from hub.domain.tiles import Tile, TileHashes, extend, parse_path
from tests.domain.tlog_vectors import C2SP, GO, GO_LEAVES, numbered, reference_root

HASHES = [merkle.leaf_hash(data) for data in GO_LEAVES]


def grown(*sizes: int, leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """Return the tiles of a tree that grew to these sizes, one after the other."""
    stored: dict[tuple[int, int], bytes] = {}
    old = 0
    for size in sizes:
        stored |= extend(old, leaves[old:size], lambda *name: stored[name])  # noqa: B023 - called before it changes
        old = size
    return stored


def test_every_tile_that_go_makes_is_ours() -> None:
    stored = grown(700, leaves=HASHES)
    for path, digest in GO["tiles"].items():
        tile = parse_path(path.removeprefix("tile/"))
        assert tile.level is not None
        hashes = stored[tile.level, tile.index][: tile.width * HASH_BYTES]
        assert hashlib.sha256(hashes).hexdigest() == digest, path


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6).map(sorted))
def test_tiles_are_the_same_however_the_tree_grew_and_give_its_root(sizes: list[int]) -> None:
    stored = grown(*sizes, leaves=HASHES)
    size = sizes[-1]
    assert stored == grown(size, leaves=HASHES)
    assert {name: len(hashes) // HASH_BYTES for name, hashes in stored.items()} == {
        (level, index): tiles.width_of(level, index, size)
        for level in range(3)
        for index in range(4)
        if tiles.width_of(level, index, size)
    }
    assert merkle.root(size, TileHashes(lambda level, index: stored[level, index])) == reference_root(HASHES[:size])


def test_a_tree_of_three_levels_grows_as_one_of_two() -> None:
    leaves = numbered(256 * 256 + 300)
    stored = grown(256 * 256 - 1, 256 * 256 + 300, leaves=leaves)
    assert len(stored[1, 0]) == 256 * HASH_BYTES
    assert stored[2, 0] == reference_root(leaves[: 256 * 256])
    hashes = TileHashes(lambda level, index: stored[level, index])
    assert merkle.root(len(leaves), hashes) == reference_root(leaves)


def test_what_is_missing_of_a_tile_is_not_made_up() -> None:
    with pytest.raises(LookupError):
        extend(3, HASHES[:1], lambda _level, _index: b"\0" * 64)
    with pytest.raises(LookupError):
        merkle.root(5, TileHashes(lambda _level, _index: b"\0" * 128))


@pytest.mark.parametrize(("size", "expected"), [(70_000, "tiles_of_70000"), (256, "tiles_of_256")])
def test_widths_are_those_of_the_examples(size: int, expected: str) -> None:
    for level, (width, full, partial) in C2SP[expected].items():
        widths = [tiles.width_of(int(level), index, size) for index in range(full + 2)]
        assert widths == [width] * full + [partial, 0]


def test_an_index_is_written_as_in_the_example() -> None:
    index, path = C2SP["index_path"]
    assert Tile(0, index).path == f"0/{path}"
    assert Tile(None, index, 7).path == f"entries/{path}.p/7"


@given(st.none() | st.integers(0, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_a_name_is_read_as_it_was_written(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile


@given(st.text(alphabet="0123456789x/.pentris-% ", max_size=30))
def test_what_is_read_is_the_only_spelling_of_it(text: str) -> None:
    try:
        tile = parse_path(text)
    except ValueError:
        return
    assert tile.path == text


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "0/", "/0/000", "00/000", "64/000", "-1/000", "0/0", "0/0000", "0/x000/000", "0/x001/00"),
        *("0/001/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p", "0/000/", "0/x00a/000"),
        *("entries", "data/000", "0/000.p/1.p/1", "Entries/000", "0/x999/x999/x999/x999/x999/x999/999"),
        "0/\u0660\u0660\u0660",
    ],
)
def test_any_other_name_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="tile"):
        parse_path(path)


@given(st.lists(st.binary(max_size=70), max_size=256))
def test_entries_come_out_of_a_bundle_as_they_went_in(entries: list[bytes]) -> None:
    assert tiles.parse_bundle(tiles.bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\2a", tiles.bundle([b""] * 257)])
def test_a_bundle_that_ends_inside_an_entry_or_has_too_many_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="bundle"):
        tiles.parse_bundle(data)
