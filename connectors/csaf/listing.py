"""What a provider lists: provider-metadata.json, ROLIE feeds, changes.csv, index.txt (CSAF 2.0 §7.1)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.csaf.mapping import limits
from connectors.csaf.mapping.making import stix_time
from connectors.sdk.kind import ConnectorError


@dataclass(frozen=True, slots=True)
class Entry:
    """An advisory that is listed. :param updated: as STIX writes times, or empty when the list does not say."""

    url: str
    updated: str = ""


def same_place(url: str, base: str) -> bool:
    """Say whether an address is of the provider's own host, over the same scheme: no list leads elsewhere."""
    one, other = urlsplit(url), urlsplit(base)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def json_of(data: bytes, what: str) -> Any:
    """Return a list in JSON. Raises ConnectorError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConnectorError(f"{what} is not JSON") from error


def distributions(metadata: Any, base: str) -> Iterator[tuple[str, str]]:
    """Yield ``rolie`` or ``directory`` and an address for each way a provider gives its advisories (§7.1.9 ff.)."""
    for one in metadata.get("distributions", ()) if isinstance(metadata, Mapping) else ():
        if not isinstance(one, Mapping):
            continue
        rolie = one.get("rolie")
        feeds = rolie.get("feeds", ()) if isinstance(rolie, Mapping) else ()
        urls = [feed.get("url") for feed in feeds if isinstance(feed, Mapping)]
        yield from (("rolie", urljoin(base, url)) for url in urls if isinstance(url, str))
        directory = one.get("directory_url")
        if not urls and isinstance(directory, str):
            yield "directory", urljoin(base, directory.rstrip("/") + "/")


def rolie(feed: Any, base: str) -> Iterator[Entry]:
    """Yield the entries of a ROLIE feed (RFC 8322 in JSON, §7.1.15)."""
    body = feed.get("feed") if isinstance(feed, Mapping) else None
    entries = body.get("entry", ()) if isinstance(body, Mapping) else ()
    for one in entries if isinstance(entries, list) else ():
        if not isinstance(one, Mapping):
            continue
        content = one.get("content")
        url = content.get("src") if isinstance(content, Mapping) else None
        if not isinstance(url, str):
            links = [link for link in one.get("link", ()) if isinstance(link, Mapping)]
            url = next((link.get("href") for link in links if link.get("rel") == "self"), None)
        if isinstance(url, str):
            yield Entry(urljoin(base, url), stix_time(str(one.get("updated", ""))) or "")


def changes(data: bytes, base: str) -> Iterator[Entry]:
    """Yield the rows of a changes.csv (§7.1.13): a path and when it changed."""
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace")))
    try:
        for row in rows:
            if len(row) >= 2 and row[0].endswith(".json"):
                yield Entry(urljoin(base, row[0]), stix_time(row[1].strip()) or "")
    except csv.Error as error:
        raise ConnectorError("changes.csv is not CSV") from error


def index(data: bytes, base: str) -> Iterator[Entry]:
    """Yield the lines of an index.txt (§7.1.12): a path each."""
    for line in data.decode("utf-8", "replace").splitlines():
        if line.strip().endswith(".json"):
            yield Entry(urljoin(base, line.strip()))


def bounded(entries: Iterator[Entry]) -> list[Entry]:
    """Return what is listed, oldest first, each address once with its latest time. Raises ConnectorError."""
    found: dict[str, Entry] = {}
    for entry in entries:
        known = found.get(entry.url)
        if known is None or known.updated < entry.updated:
            found[entry.url] = entry
        if len(found) > limits.LISTED:
            raise ConnectorError(f"the provider lists more than {limits.LISTED} advisories; give a narrower feed")
    return sorted(found.values(), key=lambda entry: (entry.updated, entry.url))
