"""Advisories of a provider, fetched by what it lists, each checked against its hash when there is one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from connectors.csaf import listing
from connectors.csaf.listing import Entry
from connectors.csaf.mapping.limits import DOCUMENT_BYTES
from connectors.sdk.exchange import Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.client.transport import RemoteError

_HASHES: Final = (("sha512", hashlib.sha512), ("sha256", hashlib.sha256))
_HEX: Final = re.compile(rb"\s*([0-9a-fA-F]{64,128})\b")
_FOUND, _MISSING = 200, frozenset({404, 410, 403})


class Provider:
    """A CSAF provider, known by its ``provider-metadata.json``, by a ROLIE feed, or by a directory ending in ``/``."""

    def __init__(self, tools: Tools, url: str) -> None:
        self._url = url
        self._session = tools.session(url)

    def entries(self) -> list[Entry]:
        """Return all advisories that it lists, oldest first. Raises ConnectorError."""
        return listing.bounded(self._listed(self._url, 0))

    def _listed(self, url: str, depth: int) -> Iterator[Entry]:
        if url.endswith("/"):
            yield from self._directory(url)
            return
        value = listing.json_of(self._get(url, "the provider's list"), "the provider's list")
        if isinstance(value, dict) and "feed" in value:
            yield from listing.rolie(value, url)
        elif depth == 0:
            ways = list(listing.distributions(value, url))
            if not ways:
                raise ConnectorError("it is neither provider-metadata.json nor a ROLIE feed, or names no distribution")
            for _, one in ways:
                if not listing.same_place(one, self._url):
                    raise ConnectorError("a distribution is on another host; give its address as a source of its own")
                yield from self._listed(one, 1)

    def _directory(self, url: str) -> Iterator[Entry]:
        changes = self._maybe(url + "changes.csv")
        if changes is not None:
            yield from listing.changes(changes, url)
            return
        yield from listing.index(self._get(url + "index.txt", "index.txt"), url)

    def fetch(self, entry: Entry, report: Report) -> bytes:
        """Return an advisory whose hash is right, or that has none.

        :raises ConnectorError: it cannot be fetched. :raises ValueError: it is not what its hash says.
        """
        if not listing.same_place(entry.url, self._url):
            raise ValueError("it is on another host than the provider")
        data = self._get(entry.url, "an advisory")
        for name, digest in _HASHES:
            published = self._maybe(f"{entry.url}.{name}")
            match = _HEX.match(published) if published is not None else None
            if match is None:
                continue
            if digest(data).hexdigest() != match[1].decode().lower():
                raise ValueError(f"its {name} is not the published one")
            report.kept(f"*.json.{name}", "checked")
            break
        else:
            report.guessed("*.json.sha256", "", "no hash is published: nothing but TLS vouches for the octets")
        report.dropped("*.json.asc", "OpenPGP signatures are not checked")
        return data

    def _get(self, url: str, what: str) -> bytes:
        found = self._maybe(url)
        if found is None:
            raise ConnectorError(f"{what} is not there; check `url`")
        return found

    def _maybe(self, url: str) -> bytes | None:
        """Return what is at an address, None when it is not there. Raises ConnectorError."""
        try:
            answer = self._session.get(url, headers={"Accept": "application/json, text/plain, text/csv"})
        except (RemoteError, OSError) as error:
            detail = error.detail if isinstance(error, RemoteError) else type(error).__name__
            raise ConnectorError(f"the provider cannot be read: {detail}") from error
        if answer.status_code in _MISSING:
            return None
        if answer.status_code != _FOUND:
            raise ConnectorError(f"the provider answers {answer.status_code}")
        if len(answer.content) > DOCUMENT_BYTES:
            raise ConnectorError(f"the provider gives more than {DOCUMENT_BYTES} octets at once")
        return bytes(answer.content)
