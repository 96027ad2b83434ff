"""Advisories as a source: a file, a folder, or a provider on the web."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.csaf.mapping.advisories import Advisory
from connectors.csaf.mapping.documents import from_document
from connectors.csaf.mapping.faults import CsafFault
from connectors.csaf.mapping.limits import DOCUMENT_BYTES, LISTED
from connectors.csaf.memory import Memory
from connectors.csaf.provider import Provider
from connectors.csaf.schema import csaf_faults
from connectors.sdk.exchange import Incoming, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.domain.tlp import Level


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


class Bookmark:
    """What was read, by digests of the name and of what tells one version from another: its time, or its octets."""

    def __init__(self, text: str | None) -> None:
        try:
            value: Any = json.loads(text) if text else {}
        except ValueError:
            value = {}
        self._read = {str(name): str(one) for name, one in value.items()} if isinstance(value, dict) else {}

    def has(self, name: str, version: bytes) -> bool:
        """Say whether this version was read."""
        return self._read.get(_short(name.encode())) == _short(version)

    def add(self, name: str, version: bytes) -> str:
        """Return the bookmark after this version."""
        self._read[_short(name.encode())] = _short(version)
        return self.text

    def only(self, names: list[str]) -> None:
        """Forget what is no longer listed; it is not withdrawn by that."""
        here = {_short(name.encode()) for name in names}
        self._read = {name: one for name, one in self._read.items() if name in here}

    @property
    def text(self) -> str:
        """The bookmark as it is kept."""
        return json.dumps(self._read, sort_keys=True, separators=(",", ":"))


class _Advisories:
    """What all sources share: one batch for each advisory that is new."""

    def __init__(self, tools: Tools, default: Level, drafts: bool) -> None:
        self._tools, self._default, self._drafts = tools, default, drafts
        self._memory = Memory(tools.folder)
        self._faults = csaf_faults()

    def _batch(self, label: str, data: bytes, report: Report, bookmark: str) -> Iterator[Incoming]:
        """Yield what an advisory became.

        :param label: names it in messages: its place in the list, never its name. :param bookmark: after it.
        """
        try:
            advisory = from_document(data, identity=self._tools.identity, faults=self._faults, default=self._default)
        except CsafFault as fault:
            yield self._refused(label, str(fault), report, bookmark)
            return
        report.add(advisory.report)
        if self._memory.is_older(advisory):
            report.dropped(advisory.says_version, "a newer version of this advisory was read before")
            yield Incoming((), report, bookmark)
        elif advisory.status == "draft" and not self._drafts:
            report.dropped("document/tracking/status", "it is a draft; set drafts = true to publish those too")
            yield Incoming((), report, bookmark)
        else:
            yield self._incoming(advisory, report, bookmark)
            self._memory.keep([advisory])

    def _incoming(self, advisory: Advisory, report: Report, bookmark: str) -> Incoming:
        gone = self._memory.gone(advisory)
        if advisory.withdrawn:
            report.kept(advisory.says_withdrawn, "withdrawn", max(len(gone), 1))
        return Incoming(advisory.objects, report, bookmark, gone)

    def _refused(self, label: str, reason: str, report: Report, bookmark: str) -> Incoming:
        self._tools.progress(f"{label}: refused: {reason}")
        report.dropped("document", f"the advisory was refused: {reason}")
        return Incoming((), report, bookmark)


class FileSource(_Advisories):
    """Reads one advisory, or every ``*.json`` of a folder and the folders in it; links are not followed."""

    def __init__(self, tools: Tools, path: Path, default: Level, drafts: bool) -> None:
        super().__init__(tools, default, drafts)
        self._path = path

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield one batch for each new advisory; see `connectors.sdk.exchange.Source`."""
        paths = _files(self._path)
        known = Bookmark(bookmark)
        known.only([str(path) for path in paths])
        for number, path in enumerate(paths, 1):
            label, report = f"advisory {number} of {len(paths)}", Report()
            data = _read(path, DOCUMENT_BYTES + 1)
            if known.has(str(path), data):
                continue
            try:
                _check_hash(path, data, report)
            except ValueError as wrong:
                yield self._refused(label, str(wrong), report, known.add(str(path), data))
                continue
            yield from self._batch(label, data, report, known.add(str(path), data))


class ProviderSource(_Advisories):
    """Fetches what a provider lists and has changed; one advisory that fails does not keep the others waiting."""

    def __init__(self, tools: Tools, url: str, default: Level, drafts: bool) -> None:
        super().__init__(tools, default, drafts)
        self._provider = Provider(tools, url)

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield one batch for each new advisory; see `connectors.sdk.exchange.Source`."""
        entries = self._provider.entries()
        known = Bookmark(bookmark)
        known.only([entry.url for entry in entries])
        failures: list[str] = []
        for number, entry in enumerate(entries, 1):
            version = entry.updated.encode()
            if known.has(entry.url, version):
                continue
            label, report = f"advisory {number} of {len(entries)}", Report()
            try:
                data = self._provider.fetch(entry, report)
            except ConnectorError as error:
                failures.append(f"{label}: {error.detail}")
                if len(failures) == 5:
                    break  # the provider is down: do not ask thousands of times more
                continue
            except ValueError as wrong:
                yield self._refused(label, str(wrong), report, known.add(entry.url, version))
                continue
            yield from self._batch(label, data, report, known.add(entry.url, version))
        if failures:
            raise ConnectorError("; ".join(failures))


def _files(path: Path) -> list[Path]:
    try:
        if path.is_file():
            return [path]
        found: list[Path] = []
        for folder, _, names in os.walk(path, followlinks=False):
            places = [Path(folder) / name for name in names if name.lower().endswith(".json")]
            found += [place for place in places if place.is_file() and not place.is_symlink()]
            if len(found) > LISTED:
                raise ConnectorError(f"the folder holds more than {LISTED} advisories; give a part of it")
        if not path.is_dir():
            raise ConnectorError("there is no such file or folder; check `path`")
        return sorted(found)
    except OSError as error:
        raise ConnectorError(f"the folder cannot be read: {type(error).__name__}; check `path`") from error


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise ConnectorError(f"an advisory cannot be read: {type(error).__name__}; check its rights") from error


def _check_hash(path: Path, data: bytes, report: Report) -> None:
    """Compare with the hash beside the file, if there is one. Raises ValueError."""
    for name, digest in (("sha512", hashlib.sha512), ("sha256", hashlib.sha256)):
        beside = path.with_name(f"{path.name}.{name}")
        if beside.is_file():
            if _read(beside, 256).split()[:1] != [digest(data).hexdigest().encode()]:
                raise ValueError(f"its {name} is not the one beside it")
            report.kept(f"*.json.{name}", "checked")
    if path.with_name(f"{path.name}.asc").is_file():
        report.dropped("*.json.asc", "OpenPGP signatures are not checked")
