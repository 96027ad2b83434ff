"""``/tlog/``: the transparency log for everybody, as C2SP tlog-tiles lays it out, and where witnesses hand in.

Nothing here needs a login: what is served are hashes of salted hashes. Tiles never change, so any cache may keep them.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from hub.domain import limits, tiles
from hub.errors import NotFound
from hub.services import log_reading, witnesses
from hub.services.context import Hub
from hub.web.body import read_body

TEXT: Final = "text/plain; charset=utf-8"
OCTETS: Final = "application/octet-stream"
FOR_EVER: Final = "public, max-age=31536000, immutable"


def register(app: Flask, hub: Hub) -> None:
    """Serve the log from the app."""

    def checkpoint() -> Response:
        return Response(log_reading.note(hub), content_type=TEXT)

    def cosigned() -> Response:
        return Response(log_reading.note(hub, cosigned=True), content_type=TEXT)

    def key() -> Response:
        return Response(f"{log_reading.verifier_key(hub)}\n", content_type=TEXT)

    def tile(path: str) -> Response:
        try:
            asked = tiles.parse_path(path)
        except ValueError:
            raise NotFound(log_reading.NO_TILE) from None
        return Response(log_reading.tile(hub, asked), content_type=OCTETS, headers={"Cache-Control": FOR_EVER})

    def cosign() -> Response:
        names = witnesses.cosign(hub, read_body(request.environ, limits.COSIGNATURE_BYTES))
        return Response("".join(f"{name}\n" for name in names), content_type=TEXT)

    app.add_url_rule("/tlog/checkpoint", "tlog checkpoint", checkpoint, methods=["GET"])
    app.add_url_rule("/tlog/cosigned-checkpoint", "tlog cosigned checkpoint", cosigned, methods=["GET"])
    app.add_url_rule("/tlog/key", "tlog key", key, methods=["GET"])
    app.add_url_rule("/tlog/tile/<path:path>", "tlog tile", tile, methods=["GET"])
    app.add_url_rule("/tlog/cosignatures", "tlog cosignatures", cosign, methods=["POST"])
