"""Reads a request body: bounded while it is read, decoded if it is compressed, with Content-Length or chunked.

The bound is on decoded octets, because that is what is parsed; exactly the bound still passes (TAXII 2.1 §4.2.1, §5.5).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import zstandard
from werkzeug.wsgi import get_input_stream

from hub.errors import InvalidRequest, TooLarge, UnsupportedMediaType

_CHUNK: Final = 64 * 1024
_ZSTD_WINDOW: Final = 8 * 1024 * 1024  # what RFC 9659 lets a sender use in HTTP

ACCEPTED_CODINGS: Final = "zstd, gzip, identity"
"""What a request body may be packed with, as answers say it (RFC 7694 §3)."""

_CODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "zstd"})


def check_content_coding(environ: Mapping[str, Any]) -> str:
    """Return the content coding of the body. Raises UnsupportedMediaType for one the hub cannot undo."""
    coding = str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if coding not in _CODINGS:
        raise UnsupportedMediaType("the body may be sent plain, with gzip or with zstd", field="Content-Encoding")
    return coding


def read_body(environ: Mapping[str, Any], max_length: int) -> bytes:
    """Return the whole decoded body.

    Raises:
        UnsupportedMediaType: its content coding is unknown.
        TooLarge: it is longer than ``max_length`` octets; no more than that is ever held.
        InvalidRequest: it is not what its content coding says.
    """
    coding = check_content_coding(environ)
    if coding in ("", "identity") and announced(environ) > max_length:
        raise _too_large(max_length)
    stream = get_input_stream(dict(environ))
    if coding == "zstd":
        chunks = _zstd(stream)
    elif coding in ("gzip", "x-gzip"):
        chunks = _gzip(stream)
    else:
        chunks = _plain(stream)
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_length:
            raise _too_large(max_length)
    return bytes(body)


def announced(environ: Mapping[str, Any]) -> int:
    """Return the octets that Content-Length announces, 0 without it; of a compressed body, as it comes."""
    length = str(environ.get("CONTENT_LENGTH") or "0")
    return int(length[:19]) if length.isascii() and length.isdigit() else 0


def _too_large(max_length: int) -> TooLarge:
    return TooLarge(f"the decoded body may have at most {max_length} octets (max_content_length); post it in parts")


def _malformed() -> InvalidRequest:
    return InvalidRequest("the body is not what Content-Encoding says, or is cut off", field="Content-Encoding")


def _plain(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _gzip(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the decoded octets of one or more gzip members, at most a chunk at a time."""
    member = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for chunk in _plain(stream):
            pending = chunk
            while pending:
                if member.eof:
                    member, begun = zlib.decompressobj(wbits=31), False
                begun = True
                yield member.decompress(pending, _CHUNK)
                pending = member.unconsumed_tail or member.unused_data
        while not member.eof and (tail := member.decompress(member.unconsumed_tail, _CHUNK)):
            yield tail
    except zlib.error:
        raise _malformed() from None
    if begun and not member.eof:
        raise _malformed()


def _zstd(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the decoded octets of one or more zstd frames, at most a chunk at a time.

    A cut-off frame yields what it holds: the parser refuses JSON that is not whole, and JSON that is whole is whole.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    reader = decompressor.stream_reader(io.BufferedReader(_Raw(stream)), read_size=_CHUNK, read_across_frames=True)
    try:
        while chunk := reader.read(_CHUNK):
            yield chunk
    except zstandard.ZstdError:
        raise _malformed() from None


class _Raw(io.RawIOBase):
    """The request's stream as the kind of file that zstandard reads from."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer with what the next read gives; 0 at the end."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
