"""The JSON Schemas of ``schemas/stix`` as read from disk, once, when the hub starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hub.errors import ConfigError

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_PLACES: Final = (_PACKAGE / "schemas" / "stix", _PACKAGE.parent / "schemas" / "stix")
"""Inside the installed wheel, and beside the package in a checkout."""

_OWN_PLACES: Final = tuple(place.with_name("hub") for place in _PLACES)


def read_schemas(places: tuple[Path, ...] = _PLACES) -> Mapping[str, Mapping[str, Any]]:
    """Return every schema by its path below ``schemas/stix``, such as ``sdos/indicator.json``.

    Raises ConfigError when no place has them.
    """
    for place in places:
        if place.is_dir():
            return {path.relative_to(place).as_posix(): _read(path) for path in sorted(place.glob("*/*.json"))}
    raise ConfigError("the STIX schemas are not installed; install the package again")


def read_own_schemas(places: tuple[Path, ...] = _OWN_PLACES) -> Mapping[str, bytes]:
    """Return the schemas of our own extensions as they are published, by file name. Raises ConfigError."""
    for place in places:
        if place.is_dir():
            return {path.name: path.read_bytes() for path in sorted(place.glob("*.schema.json"))}
    raise ConfigError("the hub's own schemas are not installed; install the package again")


def _read(path: Path) -> Mapping[str, Any]:
    schema = json.loads(path.read_bytes())
    if not isinstance(schema, dict):
        raise ConfigError("a STIX schema is damaged; install the package again")
    return schema
