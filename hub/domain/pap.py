"""The Permissible Actions Protocol: what a recipient may do with an object. It never changes who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

EXTENSION_ID: Final = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
"""The OASIS extension that carries PAP in STIX 2.1, property ``pap``."""

_LEVELS: Final = (
    ("marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92", "clear", "2022-10-01T00:00:00.000Z"),
    ("marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730", "white", "2022-10-01T00:00:00.000Z"),
    ("marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9", "green", "2022-10-09T00:00:00.000Z"),
    ("marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab", "amber", "2022-10-02T00:00:00.000Z"),
    ("marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e", "red", "2022-10-06T00:00:00.000Z"),
)

MARKING_DEFINITIONS: Final[tuple[Mapping[str, Any], ...]] = tuple(
    {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking_id,
        "created": created,
        "name": f"PAP:{level.upper()}",
        "extensions": {EXTENSION_ID: {"extension_type": "property-extension", "pap": level}},
    }
    for marking_id, level, created in _LEVELS
)
"""The marking objects as published; ``white`` is the older name of ``clear``."""

_PUBLISHED: Final[Mapping[str, Mapping[str, Any]]] = {one["id"]: one for one in MARKING_DEFINITIONS}


def is_pap(marking_id: str) -> bool:
    """Say whether a marking id is one of the published PAP ids."""
    return marking_id in _PUBLISHED


def is_genuine(definition: Mapping[str, Any]) -> bool:
    """Say whether an object with a PAP id says what the published one says."""
    published = _PUBLISHED.get(definition.get("id", ""))
    return published is not None and definition.get("extensions") == published["extensions"]


LEVELS: Final = ("clear", "green", "amber", "red")
"""From the widest to the strictest."""

_LEVEL_OF: Final[Mapping[str, str]] = {
    marking_id: "clear" if level == "white" else level for marking_id, level, _ in _LEVELS
}


def level_of(marking_id: str) -> str | None:
    """Return the level a marking id stands for, None when it is not one of the published PAP ids."""
    return _LEVEL_OF.get(marking_id)
