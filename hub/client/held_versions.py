"""Which version of each object came last: a server that gives an older one again, as if it were the latest, is told of.

A file beside the bundles, one line for each version that came, cut down to the newest when it has grown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from hub.domain import limits
from hub.domain.retraction import is_retraction
from hub.domain.signature_extensions import SIGNATURE_TYPE
from hub.domain.stix import is_timestamp, version_key
from hub.errors import ConfigError

FILE: Final = "versions.tsv"


class HeldVersions:
    """The newest version of every object that came into a directory. Lost lines cost nothing but the warning."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._newest: dict[str, str] = {}
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace") if self._path.exists() else ""
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be read: {error.strerror}", field="out") from None
        lines = text.splitlines()
        for line in lines[-limits.HELD_VERSIONS :]:
            stix_id, _, key = line.partition("\t")
            # A line without a key is a retraction: what comes after it counts anew.
            self._newest[stix_id] = max(key, self._newest.get(stix_id, "")) if key else ""
        self._lines = len(lines)

    def replayed(self, obj: Mapping[str, Any]) -> bool:
        """Say whether a later version of this object has come before."""
        key = _key(obj)
        return key is not None and key < self._newest.get(str(obj.get("id")), "")

    def add(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Remember these; of what a retraction notice names, an earlier version may come again."""
        written = []
        for obj in objects:
            if is_retraction(obj):
                for ref in obj.get("object_refs", ()):
                    self._newest.pop(str(ref), None)
                    written.append(f"{ref}\t")
            key, stix_id = _key(obj), str(obj.get("id"))
            if key is not None and key > self._newest.get(stix_id, ""):
                self._newest[stix_id] = key
                written.append(f"{stix_id}\t{key}")
        if written:
            self._append(written)

    def _append(self, written: list[str]) -> None:
        self._lines += len(written)
        rewrite = self._lines > 2 * limits.HELD_VERSIONS
        lines = [f"{stix_id}\t{key}" for stix_id, key in self._newest.items()] if rewrite else written
        try:
            aside = self._path.with_name(self._path.name + ".part") if rewrite else self._path
            with aside.open("w" if rewrite else "a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
            if rewrite:
                aside.replace(self._path)
                self._lines = len(lines)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}", field="out") from None


def _key(obj: Mapping[str, Any]) -> str | None:
    """Return the sortable version of an object; None for what has none, and for signatures, which are many."""
    modified = obj.get("modified")
    if obj.get("type") == SIGNATURE_TYPE or not is_timestamp(modified):
        return None
    return version_key(str(modified))
