"""Compresses answers for clients that ask for it: thin links get a page of indicators at a tenth of its size."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import zstandard
from flask import Flask, Response, request

THRESHOLD: Final = 1_024
"""Octets below which an answer goes out plain: it fits in one packet anyway."""

_GZIP_LEVEL: Final = 1  # JSON shrinks about as well as at level 6, in a third of the time
_ZSTD_LEVEL: Final = 1
_QUALITY: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def negotiate(header: str | None) -> str | None:
    """Return ``zstd``, ``gzip`` or None for an Accept-Encoding header (RFC 9110 §12.5.3), malformed parts left out."""
    weights: dict[str, float] = {}
    for element in (header or "").lower().split(","):
        coding, *parameters = (part.strip() for part in element.split(";"))
        quality = 1.0
        for parameter in parameters:
            match = _QUALITY.fullmatch(parameter.replace(" ", ""))
            quality = float(match[1]) if match else 0.0
        if coding:
            weights[coding.removeprefix("x-")] = quality
    other = weights.get("*", 0.0)
    zstd, gzip = weights.get("zstd", other), weights.get("gzip", other)
    best = "zstd" if zstd >= gzip else "gzip"
    return best if max(zstd, gzip) > 0 and max(zstd, gzip) >= weights.get("identity", 0.0) else None


def compress(body: bytes, coding: str) -> bytes:
    """Return the body in a content coding, ``gzip`` or ``zstd``."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    packed = packer(coding)
    return bytes(packed.compress(body) + packed.flush())


def packer(coding: str) -> Any:
    """Return what puts a body into a content coding piece by piece: ``compress(data)``, and ``flush()`` at the end."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    return zlib.compressobj(_GZIP_LEVEL, wbits=31)


def register(app: Flask) -> None:
    """Make the app compress what is worth it, and say in ``Vary`` that the answer depends on Accept-Encoding."""

    def encode(response: Response) -> Response:
        if response.direct_passthrough or response.is_streamed or "Content-Encoding" in response.headers:
            return response
        response.vary.add("Accept-Encoding")
        body = response.get_data()
        coding = negotiate(request.headers.get("Accept-Encoding"))
        if coding is not None and len(body) >= THRESHOLD:
            response.set_data(compress(body, coding))
            response.headers["Content-Encoding"] = coding
        return response

    app.after_request(encode)
