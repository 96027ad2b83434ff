"""What a source remembers of the incidents it has read: when each was first made, and what belonged to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.iodef.files import write_whole
from connectors.iodef.mapping.documents import ReadIncident
from hub.domain.stix import SCO_TYPES, version_key

_FILE: Final = "incidents.json"
_SHARED: Final = SCO_TYPES | {"marking-definition"}
"""Observables, and the marking that names recipients: another incident has them too."""


class Memory:
    """Kept in one file of the connector's folder; a lost or broken one costs no more than the first ``created``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._known = _read(self._path)

    @property
    def first_created(self) -> Mapping[str, str]:
        """The ``created`` of every incident by its id."""
        return {name: str(known["created"]) for name, known in self._known.items()}

    def is_older(self, incident: ReadIncident) -> bool:
        """Say whether a newer version of this incident has been read before."""
        known = self._known.get(incident.id)
        return known is not None and version_key(incident.modified) < version_key(str(known["modified"]))

    def gone(self, incident: ReadIncident) -> list[str]:
        """Return the ids of what no longer belongs to the incident; never what incidents share."""
        before = self._known.get(incident.id, {}).get("objects", ())
        now = {str(obj["id"]) for obj in incident.objects}
        return [name for name in before if name not in now and name.partition("--")[0] not in _SHARED]

    def keep(self, incidents: Sequence[ReadIncident]) -> None:
        """Remember these. Call it when the runner has taken over what they became."""
        for one in incidents:
            objects = [str(obj["id"]) for obj in one.objects]
            self._known[one.id] = {"created": one.created, "modified": one.modified, "objects": objects}
        if incidents:
            write_whole(self._path, json.dumps(self._known, separators=(",", ":")).encode())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        value = json.loads(path.read_bytes())
        return {
            str(name): {
                "created": str(one["created"]),
                "modified": str(one["modified"]),
                "objects": list(one["objects"]),
            }
            for name, one in value.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
