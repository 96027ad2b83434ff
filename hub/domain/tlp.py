"""The Traffic Light Protocol, 2.0 and 1.0: levels in order, marking ids, and the marking objects themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

Level = Literal["clear", "green", "amber", "amber+strict", "red"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""From the widest to the strictest (FIRST TLP 2.0)."""

EXTENSION_ID: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
"""The OASIS extension that carries TLP 2.0 in STIX 2.1, property ``tlp_2_0``."""

_RANK: Final[Mapping[str, int]] = {level: rank for rank, level in enumerate(LEVELS)}

_V2: Final[Mapping[str, Level]] = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "clear",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "green",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "amber",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "amber+strict",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "red",
}

_V1: Final[Mapping[str, str]] = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "white",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
}

IDS: Final[Mapping[Level, str]] = MappingProxyType({level: marking_id for marking_id, level in _V2.items()})
"""The TLP 2.0 marking id of each level."""

V1_LEVELS: Final[Mapping[str, Level]] = MappingProxyType(
    {"white": "clear", "green": "green", "amber": "amber", "red": "red"}
)
"""The level of each TLP 1.0 colour. AMBER let clients see on need-to-know, so it is AMBER, not AMBER+STRICT."""


def _v2_object(marking_id: str, level: Level) -> dict[str, Any]:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking_id,
        "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{level.upper()}",
        "extensions": {EXTENSION_ID: {"extension_type": "property-extension", "tlp_2_0": level}},
    }


def _v1_object(marking_id: str, colour: str) -> dict[str, Any]:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking_id,
        "created": "2017-01-20T00:00:00.000Z",
        "definition_type": "tlp",
        "name": f"TLP:{colour.upper()}",
        "definition": {"tlp": colour},
    }


MARKING_DEFINITIONS: Final[tuple[Mapping[str, Any], ...]] = (
    *(_v2_object(marking_id, level) for marking_id, level in _V2.items()),
    *(_v1_object(marking_id, colour) for marking_id, colour in _V1.items()),
)
"""The nine marking objects as published (TLP 2.0 extension; STIX 2.1 §7.2.1.4). No others may be made."""

_PUBLISHED: Final[Mapping[str, Mapping[str, Any]]] = {one["id"]: one for one in MARKING_DEFINITIONS}

_LEVEL_OF: Final[Mapping[str, Level]] = dict(_V2) | {id_: V1_LEVELS[colour] for id_, colour in _V1.items()}


def level_of(marking_id: str) -> Level | None:
    """Return the level a marking id stands for, None when it is not one of the nine TLP ids."""
    return _LEVEL_OF.get(marking_id)


def is_level(text: str) -> bool:
    """Say whether a text is the name of a level."""
    return text in _RANK


def stricter(level: str, than: str) -> bool:
    """Say whether a level is stricter than another. Raises KeyError for what is no level."""
    return _RANK[level] > _RANK[than]


def strictest(levels: Iterable[Level]) -> Level | None:
    """Return the strictest of some levels, None of none."""
    return max(levels, key=_RANK.__getitem__, default=None)


def label(level: str) -> str:
    """Return a level as people write it: ``TLP:AMBER+STRICT``."""
    return f"TLP:{level.upper()}"


def is_genuine(definition: Mapping[str, Any]) -> bool:
    """Say whether an object with a TLP id says what the published one says; its name and references are free."""
    published = _PUBLISHED.get(definition.get("id", ""))
    if published is None:
        return False
    return all(definition.get(key) == published.get(key) for key in ("definition_type", "definition", "extensions"))
