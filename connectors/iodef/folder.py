"""A folder as a target: one IODEF document for each incident, kept up to date with what belongs to it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from connectors.iodef.files import write_whole
from connectors.iodef.mapping.documents import Form, file_name, to_iodef
from connectors.sdk.exchange import Delivered, Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report

_OBJECTS: Final = "objects"


class FolderTarget:
    """Writes documents into a folder.

    What belongs to an incident arrives in any order and over many batches, so the objects are kept in the connector's
    own folder, and the document of an incident is written again whenever it would come out otherwise.
    """

    def __init__(self, tools: Tools, folder: Path, name: str, form: Form) -> None:
        self._tools, self._folder, self._name, self._form = tools, folder, name, form
        self._store = tools.folder / _OBJECTS
        self._objects: dict[str, dict[str, Any]] | None = None

    def deliver(self, batch: Outgoing) -> Delivered:
        """Bring the documents up to date; see `connectors.sdk.exchange.Target`."""
        try:
            return self._deliver(batch)
        except OSError as error:
            raise ConnectorError(f"a folder cannot be written: {type(error).__name__}; check `folder`") from error

    def _deliver(self, batch: Outgoing) -> Delivered:
        self._store.mkdir(mode=0o700, exist_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        objects = self._load()
        before = {name for name, obj in objects.items() if obj.get("type") == "incident"}
        for obj in batch.objects:
            known = objects.get(str(obj["id"]))
            if known is not None and str(known.get("modified", "")) > str(obj.get("modified", "")):
                continue
            objects[str(obj["id"])] = dict(obj)
            write_whole(self._place(str(obj["id"])), json.dumps(obj).encode())
        for name in batch.withdrawn:
            if objects.pop(name, None) is not None:
                self._place(name).unlink(missing_ok=True)
        report = Report()
        if any(obj.get("type") == "incident" for obj in objects.values()):
            written, report = to_iodef(objects.values(), name=self._name, form=self._form)
            changed = [one for one in written if write_whole(self._folder / one.file_name, one.data)]
            self._tools.progress(f"{len(changed)} documents written, {len(written) - len(changed)} unchanged")
            before -= {one.incident for one in written}
        for name in before | set(batch.withdrawn):
            if name.startswith("incident--"):
                (self._folder / file_name(name, self._form)).unlink(missing_ok=True)
        return Delivered(taken=len(batch.objects), report=report)

    def _place(self, name: str) -> Path:
        return self._store / f"{hashlib.sha256(name.encode()).hexdigest()}.json"

    def _load(self) -> dict[str, dict[str, Any]]:
        if self._objects is None:
            found = [json.loads(path.read_bytes()) for path in self._store.glob("*.json")]
            self._objects = {str(obj["id"]): obj for obj in found}
        return self._objects
