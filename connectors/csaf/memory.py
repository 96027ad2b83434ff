"""Which objects each advisory became, so that what a newer version no longer has is withdrawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from connectors.csaf.mapping.advisories import Advisory
from hub.domain.stix import SCO_TYPES

_FILE: Final = "advisories.json"


class Memory:
    """Kept in one file of the connector's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._known: dict[str, dict[str, Any]] = {}
        if self._path.is_file():
            try:
                value = json.loads(self._path.read_bytes())
            except ValueError:
                value = {}  # what is lost costs no more than withdrawals of things long gone
            self._known = value if isinstance(value, dict) else {}

    def is_older(self, advisory: Advisory) -> bool:
        """Say whether a newer version of this advisory was read before."""
        return advisory.modified < str(self._known.get(_key(advisory), {}).get("modified", ""))

    def gone(self, advisory: Advisory) -> list[str]:
        """Return the ids of what is no longer in the advisory; never observables and publishers, which others share."""
        before = self._known.get(_key(advisory), {}).get("objects", ())
        now = {str(obj["id"]) for obj in advisory.objects}
        shared = SCO_TYPES | {"identity"}
        return [name for name in before if name not in now and name.partition("--")[0] not in shared]

    def keep(self, advisories: Sequence[Advisory]) -> None:
        """Remember these. Call it when the runner has taken over what they became."""
        for one in advisories:
            objects = [str(obj["id"]) for obj in one.objects]
            self._known[_key(one)] = {"modified": one.modified, "objects": objects}
        if advisories:
            partial = self._path.with_suffix(".part")
            partial.write_text(json.dumps(self._known, separators=(",", ":")))
            partial.replace(self._path)


def _key(advisory: Advisory) -> str:
    return "\n".join(advisory.key)
