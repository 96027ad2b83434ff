"""``/schemas/hub/``: the JSON Schemas of our STIX extensions, for whoever meets one and does not know it."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response

from hub.errors import NotFound
from hub.services.context import Hub
from hub.services.schema_files import read_own_schemas

MEDIA_TYPE: Final = "application/schema+json"


def register(app: Flask, hub: Hub) -> None:
    """Serve the schemas to everybody: the extension definitions name them, and they tell nothing about the hub."""
    del hub
    published = read_own_schemas()

    def schema(name: str) -> Response:
        if name not in published:
            raise NotFound("there is no such schema")
        return Response(published[name], content_type=MEDIA_TYPE)

    app.add_url_rule("/schemas/hub/<name>", "schema", schema, methods=["GET"])
