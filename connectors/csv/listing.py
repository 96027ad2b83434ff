"""What is in the hub as one CSV file, for tools that know nothing else: always whole, always the newest versions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from connectors.csv.rows import written
from connectors.csv.settings import CsvSettings
from connectors.sdk.exchange import Delivered, Outgoing, Refused, StixObject, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.domain import alert, retraction, stix
from hub.domain.observable_stix import alternatives, observable_of
from hub.domain.observable_text import Observable, ObservableType, detect
from hub.domain.signature_profile import SIGNATURE_TYPE
from hub.errors import ConfigError

COLUMNS: Final = (
    "id",
    "value",
    "type",
    "name",
    "description",
    "confidence",
    "first_seen",
    "last_seen",
    "expires",
    "tlp",
    "tags",
)
_STATE: Final = "list.json"
_LISTED: Final = frozenset({"file", *(one.value for one in ObservableType)}) & stix.SCO_TYPES
_PASSED: Final = frozenset({SIGNATURE_TYPE, *stix.META_TYPES})
"""What comes along with objects and is no content."""
_Row = list[str]


def listed(
    obj: StixObject, settings: CsvSettings, definitions: Mapping[str, StixObject], report: Report
) -> list[_Row] | Refused | None:
    """Return the rows of an object, None for a type that no list has; one row for each observable."""
    found: Sequence[Observable] | None
    kind = obj["type"]
    if kind == "indicator":
        if obj.get("pattern_type") != "stix":
            return Refused(obj["id"], "its pattern is not a STIX pattern: a list cannot say it")
        found = alternatives(obj["pattern"])
        if found is None:
            return Refused(obj["id"], "its pattern says more than a list of values can")
        report.kept("indicator.pattern", "value, type", len(found))
    elif kind == "vulnerability":
        observable = detect(obj["name"])
        found = () if observable is None or observable.type is not ObservableType.CVE else (observable,)
    elif kind in _LISTED:
        found = observable_of(obj)
    else:
        report.dropped(kind, "a list has observables only")
        return None
    if not found:
        return Refused(obj["id"], "it names no observable that a list can have")
    level = alert.level_of(obj, definitions, settings.tlp)
    tail = [
        _text(obj, "name"),
        _text(obj, "description"),
        str(obj.get("confidence", "")),
        _text(obj, "valid_from"),
        _text(obj, "modified"),
        _text(obj, "valid_until"),
        level,
        settings.tag_separator.join(one for one in obj.get("labels", ()) if isinstance(one, str)),
    ]
    return [[obj["id"], observable.value, observable.type.value, *tail] for observable in found]


def _text(obj: StixObject, name: str) -> str:
    value = obj.get(name)
    return value if isinstance(value, str) else ""


class CsvTarget:
    """The direction hub -> list. The rows are remembered in the connector's folder, by the id of their object."""

    def __init__(self, settings: CsvSettings, tools: Tools) -> None:
        """Raises ConfigError."""
        if settings.path is None:
            raise ConfigError("path is missing: the file to write", field="settings.path")
        self._settings, self._tools = settings, tools
        self._path, self._state = tools.path(settings.path), tools.folder / _STATE
        self._definitions: dict[str, StixObject] = {}

    def deliver(self, batch: Outgoing) -> Delivered:
        """Write the list with what a batch brings and takes away. Raises ConnectorError when it cannot be written."""
        known, report = self._load(), Report()
        refused: list[Refused] = []
        self._definitions |= {one["id"]: one for one in batch.objects if one["type"] == "marking-definition"}
        taken = 0
        for obj in batch.objects:
            if obj["type"] in _PASSED or retraction.is_retraction(obj):
                continue
            made = listed(obj, self._settings, self._definitions, report)
            known.pop(obj["id"], None)  # a version that a list cannot say must not leave the old one standing
            if isinstance(made, Refused):
                refused.append(made)
            elif made is not None:
                known[obj["id"]] = made
                taken += 1
        for stix_id in batch.withdrawn:
            if known.pop(stix_id, None) is not None:
                report.kept("retraction", "row taken away")
        self._write(known)
        return Delivered(taken, report, refused)

    def _load(self) -> dict[str, list[_Row]]:
        try:
            found: dict[str, list[_Row]] = orjson.loads(self._state.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError):
            raise ConnectorError(f"{self._state} is damaged; remove it, and the connector's bookmark") from None
        return found

    def _write(self, known: dict[str, list[_Row]]) -> None:
        """Leave both files whole: the list first, since a state without its list would never be written again."""
        records: list[Sequence[str]] = [COLUMNS, *(row for some in known.values() for row in some)]
        text = written(records, spreadsheet_safe=self._settings.spreadsheet_safe)
        encoding = self._settings.encoding
        _replace(self._path, text.encode(encoding, "replace"))
        _replace(self._state, orjson.dumps(known))


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConnectorError(f"{path} cannot be written: {error.strerror}") from None
