"""A STIX 2.1 bundle: the stored bytes of every object the reader may see, joined and never rebuilt."""

from __future__ import annotations

from collections.abc import Iterator

from hub.exports.request import Request


def write(request: Request) -> Iterator[bytes]:
    """Yield the bundle; markings, revocations and signatures are in it as they are, and nothing is left out."""
    yield b'{"type":"bundle","id":"bundle--%s"' % request.source.uuid.encode("ascii")
    account = request.account
    for shared in request.objects:
        yield (b"," if account.entries else b',"objects":[') + shared.body
        account.entries += 1
        account.give(shared)
    yield b"]}" if account.entries else b"}"
