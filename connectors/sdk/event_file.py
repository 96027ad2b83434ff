"""Events of what the hub serves, as one file of JSON lines that is always whole, and the memory that keeps it so."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.sdk.exchange import Outgoing, Refused, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.domain import retraction, stix

_STATE: Final = "events.json"


class EventFile:
    """The events of each object, by its STIX id.

    :param path: of the file; None keeps the memory alone.
    """

    def __init__(self, path: Path | None, tools: Tools) -> None:
        self._path, self._state = path, tools.folder / _STATE

    def load(self) -> dict[str, list[dict[str, Any]]]:
        """Return what is there. Raises ConnectorError when it is damaged."""
        try:
            found: dict[str, list[dict[str, Any]]] = orjson.loads(self._state.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError):
            raise ConnectorError(f"{self._state} is damaged; remove it, and the connector's bookmark") from None
        return found

    def save(self, known: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Leave the file and the memory whole: the file first, as one that fails is written again by the next run."""
        if self._path is not None:
            lines = b"".join(orjson.dumps(one) + b"\n" for some in known.values() for one in some)
            replace(self._path, lines)
        replace(self._state, orjson.dumps(known))


def merge(
    known: dict[str, list[dict[str, Any]]],
    made: Mapping[str, list[dict[str, Any]] | str],
    batch: Outgoing,
    report: Report,
) -> list[Refused]:
    """Put what was made into what is known, and take out what was withdrawn; return what was refused.

    :param made: events by the STIX id of their object, or why there are none.
    """
    refused = []
    for identifier, result in made.items():
        known.pop(identifier, None)
        if isinstance(result, str):
            refused.append(Refused(identifier, result))
        elif result:
            known[identifier] = result
            report.kept(identifier.partition("--")[0], "event", len(result))
    for identifier in batch.withdrawn:
        if known.pop(identifier, None) is not None:
            report.kept("retraction", "event taken away")
    for obj in batch.objects:
        if obj["type"] in stix.SDO_TYPES and obj["id"] not in made and not retraction.is_retraction(obj):
            report.dropped(obj["type"], "events are made of observations and indicators")
    return refused


def replace(path: Path, data: bytes) -> None:
    """Put a whole file in the place of another. Raises ConnectorError."""
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConnectorError(f"{path} cannot be written: {error.strerror}") from None
