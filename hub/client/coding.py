"""Content codings of a thin link: zstd before gzip (RFC 8878, RFC 9110 §8.4), unpacked within bounds."""

from __future__ import annotations

import zlib
from typing import Final

import zstandard

from hub.client.remote import RemoteError

ACCEPTED: Final = "zstd, gzip"
"""What an answer may be packed with; gzip is undone by the HTTP library."""

THRESHOLD: Final = 1_024
"""Octets below which a body is sent as it is: it fits in one packet anyway."""

_WINDOW: Final = 8 * 1024 * 1024  # what RFC 9659 lets a sender use in HTTP
_PIECE: Final = 64 * 1024
_ZSTD_LEVEL: Final = 6  # a thin link is the slower one of the two; 1,000 indicators take some 20 ms
_GZIP_LEVEL: Final = 6


def unpacked(body: bytes, coding: str | None, most: int) -> bytes:
    """Return a body without its zstd coding; any other has been undone, or is none. Raises RemoteError.

    :param most: octets of the unpacked body; no more than that is ever held.
    """
    if (coding or "").strip().lower() != "zstd" or not body:
        return body
    found = bytearray()
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        with decompressor.stream_reader(body, read_across_frames=True) as reader:
            while piece := reader.read(_PIECE):
                found += piece
                if len(found) > most:
                    raise RemoteError(f"the answer is longer than {most} octets; ask for less at a time")
        whole = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        whole.decompress(body)  # once more, now that it is known to fit: the reader is silent about an end that lacks
    except zstandard.ZstdError:
        raise RemoteError("the answer is not what its Content-Encoding says") from None
    if not whole.eof:
        raise RemoteError("the answer is cut off")
    return bytes(found)


def packed(body: bytes, accepted: str) -> tuple[bytes, str | None]:
    """Return a body in the best coding the other side takes in requests (RFC 7694), and its name; None for as it was.

    :param accepted: the Accept-Encoding of its answers; empty when it has said nothing.
    """
    names = {part.partition(";")[0].strip().lower() for part in accepted.split(",") if "q=0" not in part.split()}
    if len(body) < THRESHOLD:
        return body, None
    if "zstd" in names:
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body), "zstd"
    if "gzip" in names:
        packer = zlib.compressobj(_GZIP_LEVEL, wbits=31)
        return packer.compress(body) + packer.flush(), "gzip"
    return body, None
