"""The container of a pack: a magic line, a signed manifest, and the parts that it names, each compressed by itself.

A part is 4 octets of length, big-endian, and that many octets of one zstd frame (RFC 8878). The manifest comes first,
in the same form. It names each part by the SHA-256 of what is in it, so that a part is believed when it is whole,
whatever follows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import zstandard

from hub.domain import limits
from hub.domain.canonical import Json, jcs, parse
from hub.domain.fields import SHA256, UUID4, Fields
from hub.errors import InvalidRequest, MalformedJson

MAGIC: Final = b"x-cybex-pack 1\n"
_LENGTH: Final = 4  # octets
_LEVEL: Final = 12  # 1,000 indicators take some 150 ms; the slowest level takes ten times that and saves 4 %
_WINDOW: Final = 8 * 1024 * 1024


class PackDamaged(InvalidRequest):
    """The file is cut off, or not what was written. :param whole: how many parts of it are."""

    code = "pack-damaged"
    title = "The pack is damaged"

    def __init__(self, reason: str, *, whole: int = 0, total: int | None = None) -> None:
        upto = "" if total is None else f"; {whole} of its {total} parts are whole"
        super().__init__(f"{reason}{upto}: copy the file again, or have another one made", field="file")
        self.whole = whole


class Source(Protocol):
    """Octets in their order, as a file gives them."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many octets, none at the end."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part as the manifest names it. :param id: of the batch. :param octets: before compression."""

    id: str
    sha256: bytes
    octets: int
    objects: int


def packed(octets: bytes) -> bytes:
    """Return octets as they stand in the file: length and frame."""
    frame = zstandard.ZstdCompressor(level=_LEVEL).compress(octets)
    return len(frame).to_bytes(_LENGTH, "big") + frame


def part_of(uuid: str, octets: bytes, objects: int) -> Part:
    """Return how a manifest names these octets."""
    return Part(uuid, hashlib.sha256(octets).digest(), len(octets), objects)


def head(manifest: Mapping[str, Json]) -> bytes:
    """Return what stands before the parts."""
    return MAGIC + packed(jcs(dict(manifest)))


def written_parts(parts: Sequence[Part]) -> list[dict[str, Json]]:
    """Return the parts as a manifest has them."""
    return [{"id": one.id, "sha256": one.sha256.hex(), "octets": one.octets, "objects": one.objects} for one in parts]


def read_parts(fields: Fields) -> tuple[Part, ...]:
    """Return the parts that a manifest names. Raises InvalidRequest."""
    found = []
    for one in fields.objects("parts", most=limits.PACK_PARTS):
        one.only("id", "sha256", "octets", "objects")
        found.append(
            Part(
                id=one.matching("id", UUID4),
                sha256=bytes.fromhex(one.matching("sha256", SHA256)),
                octets=one.number("octets", least=1, most=limits.PACK_PART_BYTES),
                objects=one.number("objects", least=0, most=limits.RELAY_BATCH_OBJECTS),
            )
        )
    if len({one.id for one in found}) != len(found):
        raise InvalidRequest("a part stands twice in it", field=f"{fields.place}.parts")
    return tuple(found)


def read_head(source: Source) -> Json:
    """Return the manifest, its signature not checked; the source stands before the first part.

    Raises PackDamaged, InvalidRequest: it is no pack.
    """
    if _upto(source, len(MAGIC)) != MAGIC:
        raise InvalidRequest("this is no pack: the file begins with something else", field="file")
    try:
        return parse(_frame(source, None, limits.PACK_MANIFEST_BYTES))
    except (_BrokenError, MalformedJson):
        raise PackDamaged("its manifest is not whole") from None


def bodies(source: Source, parts: Sequence[Part]) -> Iterator[bytes]:
    """Yield what is in each part, one at a time, and nothing that the manifest does not name.

    Raises PackDamaged, which says how many parts are whole: what was yielded before is what was written.
    """
    for number, part in enumerate(parts):
        try:
            octets = _frame(source, part.octets, part.octets)
        except _BrokenError as error:
            raise PackDamaged(str(error), whole=number, total=len(parts)) from None
        if hashlib.sha256(octets).digest() != part.sha256:
            raise PackDamaged("a part is not the one that its manifest names", whole=number, total=len(parts))
        yield octets
    if source.read(1):
        raise PackDamaged("something follows its last part", whole=len(parts), total=len(parts))


class _BrokenError(Exception):
    """A frame is not whole."""


def _frame(source: Source, octets: int | None, most: int) -> bytes:
    """Return what one frame holds: as long as it must be, and never more than may be held."""
    head_octets = _upto(source, _LENGTH)
    if len(head_octets) < _LENGTH:
        raise _BrokenError("the file ends too early")
    length = int.from_bytes(head_octets, "big")
    if not 0 < length <= _longest(most):
        raise _BrokenError("a part has an impossible length")
    frame = _upto(source, length)
    if len(frame) < length:
        raise _BrokenError("the file ends too early")
    try:
        size = zstandard.get_frame_parameters(frame).content_size
        if size > most or (octets is not None and size != octets):  # asked before anything is unpacked
            raise _BrokenError("a part is not as long as its manifest says")
        found = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError:
        raise _BrokenError("a part cannot be unpacked") from None
    if len(found) != size:
        raise _BrokenError("a part is not as long as it says")
    return found


def _longest(octets: int) -> int:
    """Return the most octets that zstd makes of so many."""
    return octets + (octets >> 8) + 128


def _upto(source: Source, size: int) -> bytes:
    """Return so many octets, fewer at the end; a source may give them piece by piece."""
    found = bytearray()
    while len(found) < size:
        piece = source.read(min(size - len(found), 1024 * 1024))
        if not piece:
            break
        found += piece
    return bytes(found)
