"""The container of packs: what was written is read, and no mutation of it crashes, or is believed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain import limits
from hub.domain.pack import Pack, Previous, Span, read_manifest, signed_pack
from hub.domain.pack_file import MAGIC, PackDamaged, bodies, head, packed, part_of, read_head
from hub.domain.sealed import MAGIC as SEALED
from hub.domain.sealed import RECIPIENT, SCRYPT, Seal, Unsealed, header, read_header, sealed
from hub.errors import CybexError, InvalidRequest
from tests.services.cast import HUB_KEY

UUID = "7c5a4a4a-9a3c-4c55-9d83-0d1bb8f3a7a{}"
ONE, OTHER = "identity--" + UUID.format(1), "identity--" + UUID.format(2)
BODIES = [b'{"objects":[]}' * 50, b"second" * 9_000, b"3"]
FILE_KEY = b"k" * 32


def pack() -> Pack:
    return Pack(
        id=UUID.format(3),
        number=7,
        sender=ONE,
        to=OTHER,
        agreement=UUID.format(4),
        made_at=1_700_000_000_000_000,
        previous=Previous(6, "ab" * 32),
        spans=[Span("alpha", "indicators", "0", "12")],
        parts=[part_of(UUID.format(5 + number), body, number) for number, body in enumerate(BODIES)],
    )


WHOLE = head(signed_pack(pack(), HUB_KEY, uuid=UUID.format(9))) + b"".join(packed(one) for one in BODIES)
HEADER = header(Seal(RECIPIENT, kid="cd" * 32, wrapped=b"w" * 80))
SEALED_WHOLE = b"".join(sealed([WHOLE[:100], WHOLE[100:] + b"x" * 200_000], HEADER, FILE_KEY))


def read(octets: bytes) -> tuple[Any, list[bytes]]:
    """Return the manifest of a file, and as much of its parts as is given before an error."""
    source, found = io.BytesIO(octets), list[bytes]()
    said, _ = read_manifest(read_head(source))
    try:
        for body in bodies(source, said.parts):
            found.append(body)
    except PackDamaged as error:
        found = found if error.whole == len(found) else [b"it says something else"]
    return said, found


def test_what_was_written_is_read() -> None:
    said, found = read(WHOLE)
    assert (said.number, said.previous, found) == (7, Previous(6, "ab" * 32), BODIES)


def test_a_file_that_is_cut_off_gives_the_parts_that_are_whole() -> None:
    last = len(packed(BODIES[2]))
    assert read(WHOLE[:-last])[1] == read(WHOLE[: -last + 3])[1] == BODIES[:2]
    with pytest.raises(PackDamaged, match="2 of its 3 parts are whole"):
        list(bodies(_after_head(WHOLE[:-1]), pack().parts))


def test_what_follows_the_last_part_is_noticed() -> None:
    with pytest.raises(PackDamaged, match="something follows"):
        list(bodies(_after_head(WHOLE + b"x"), pack().parts))


def _after_head(octets: bytes) -> io.BytesIO:
    source = io.BytesIO(octets)
    read_head(source)
    return source


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(64 * 1024 * 1024))
    frame = len(bomb).to_bytes(4, "big") + bomb

    def never(*_arguments: object, **_options: object) -> bytes:
        raise AssertionError("it was unpacked")

    parts = [part_of(UUID.format(5), b"x" * 100_000, 1)]
    monkeypatch.setattr("hub.domain.pack_file.zstandard.ZstdDecompressor", never)
    with pytest.raises(PackDamaged, match="not as long"):
        list(bodies(io.BytesIO(frame), parts))
    with pytest.raises(PackDamaged):
        read_head(io.BytesIO(MAGIC + frame))


def test_a_length_that_cannot_be_is_refused_before_it_is_read() -> None:
    endless = MAGIC + (limits.PACK_MANIFEST_BYTES * 2).to_bytes(4, "big")
    with pytest.raises(PackDamaged):
        read_head(io.BytesIO(endless))


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04", MAGIC, MAGIC[:-1], b"x-cybex-pack 2\n" + WHOLE[15:]])
def test_what_is_no_pack_is_said_to_be_none(octets: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_head(io.BytesIO(octets))


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Return a change to a file: bits, a cut, a piece left out, doubled, or put in."""
    kind = draw(st.sampled_from(["flip", "cut", "drop", "double", "insert"]))
    place, length = draw(st.floats(0, 1)), draw(st.integers(1, 40))
    noise = draw(st.binary(min_size=1, max_size=40))

    def change(octets: bytes) -> bytes:
        at = int(place * (len(octets) - 1))
        piece = octets[at : at + length]
        return {
            "flip": octets[:at] + bytes([octets[at] ^ (noise[0] or 1)]) + octets[at + 1 :],
            "cut": octets[:at],
            "drop": octets[:at] + octets[at + length :],
            "double": octets[:at] + piece + octets[at:],
            "insert": octets[:at] + noise + octets[at:],
        }[kind]

    return change


@settings(max_examples=300, deadline=None)
@given(change=mutations())
def test_a_changed_file_is_refused_or_gives_a_beginning_of_what_was_written(change: Callable[[bytes], bytes]) -> None:
    try:
        said, found = read(change(WHOLE))
    except CybexError:
        return
    if list(said.parts) == list(pack().parts):  # else its signature does not hold
        assert found == BODIES[: len(found)]


@settings(max_examples=150, deadline=None)
@given(change=mutations())
def test_a_changed_sealed_file_gives_a_beginning_of_what_was_sealed(change: Callable[[bytes], bytes]) -> None:
    source, found = io.BytesIO(change(SEALED_WHOLE)), b""
    if source.read(len(SEALED)) != SEALED:
        return
    try:
        _, head_octets = read_header(source)
        unsealed = Unsealed(source, head_octets, FILE_KEY)
        while piece := unsealed.read(10_000):
            found += piece
        ended = True
    except CybexError:
        ended = False
    whole = WHOLE + b"x" * 200_000
    assert whole.startswith(found)
    assert not ended or found == whole


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072])
def test_what_is_sealed_is_unsealed_whatever_its_length(size: int) -> None:
    head_octets = header(Seal(SCRYPT, salt=b"s" * 16))
    source = io.BytesIO(b"".join(sealed([b"y" * size], head_octets, FILE_KEY)))
    source.seek(len(SEALED))
    seal, read_back = read_header(source)
    assert (seal.suite, seal.salt) == (SCRYPT, b"s" * 16)
    unsealed, found = Unsealed(source, read_back, FILE_KEY), b""
    while piece := unsealed.read(50_000):
        found += piece
    assert found == b"y" * size


def test_a_sealed_file_whose_end_is_cut_at_a_piece_is_noticed() -> None:
    octets = b"".join(sealed([b"y" * 131_072], HEADER, FILE_KEY))
    source = io.BytesIO(octets[: -(65_536 + 16)])
    source.seek(len(SEALED))
    unsealed = Unsealed(source, read_header(source)[1], FILE_KEY)
    with pytest.raises(PackDamaged):
        unsealed.read(100)
