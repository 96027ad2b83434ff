"""A file of STIX: a bundle, a TAXII envelope or a single object, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain.canonical import Json
from hub.errors import Unprocessable


def objects_of(document: Json) -> list[dict[str, Any]]:
    """Return the objects of a bundle or envelope, or the single object itself; each has a text ``id`` and ``type``.

    Raises:
        Unprocessable: it is none of the three; the detail names the object, counted from 0.
    """
    if not isinstance(document, dict):
        raise Unprocessable("the file must hold a STIX bundle, a TAXII envelope or one STIX object")
    if document.get("type", "bundle") != "bundle":
        return [_checked(document, "the object")]
    objects = document.get("objects", [])
    if not isinstance(objects, list) or ("objects" not in document and "type" not in document):
        raise Unprocessable("a bundle or envelope must hold a list of objects", field="objects")
    return [_checked(obj, f"objects[{number}]") for number, obj in enumerate(objects)]


def with_objects(document: Json, objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the document with other objects; what was a single object becomes an envelope when there are more."""
    if isinstance(document, dict) and document.get("type", "bundle") == "bundle":
        return {**document, "objects": list(objects)}
    return dict(objects[0]) if len(objects) == 1 else {"objects": list(objects)}


def _checked(obj: Json, place: str) -> dict[str, Any]:
    if not isinstance(obj, dict) or not isinstance(obj.get("id"), str) or not isinstance(obj.get("type"), str):
        raise Unprocessable("every STIX object must have an id and a type", field=place)
    return obj
