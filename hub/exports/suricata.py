"""Suricata rules for addresses, names and URLs, and the same names and hashes as files for Suricata's datasets."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Final

from hub.domain import tlp
from hub.domain.permitted_use import Use
from hub.exports import remarks
from hub.exports.indicators import Entry
from hub.exports.request import Request
from hub.exports.values import Value

NO_SID: Final = "no signature id left in the range"
_MARK: Final = "#"
_PLAIN: Final = re.compile(r"[^A-Za-z0-9./_~-]")
_ROUND: Final = "flow:established,to_server; "


def rules(request: Request) -> Iterator[bytes]:
    """Yield one rule an address or URL and three a name: its DNS query, its TLS server name, its HTTP host.

    Rules that only alert are a passive check (PAP:AMBER permits it); rules that drop or reject are not.
    A signature id follows from what its rule looks for, and stays the same from one export to the next, unless two of
    them meet in the range.
    """
    account, options = request.account, request.options
    yield remarks.head(_MARK, "suricata", request.source)
    need = Use.WATCH if options.action == "alert" else Use.BLOCK
    found: dict[tuple[str, str], tuple[str, str]] = {}
    sids = _Sids(options.sid_start, options.sid_count)
    for entry in request.entries(need, "ip", "domain", "url"):
        key = entry.value.kind, entry.value.text
        said = str(entry.indicator.stix["id"]), entry.indicator.shared.level
        if len(found) * 3 >= options.sid_count and key not in found:
            account.leave_out(NO_SID)
            continue
        # The same of several indicators, whatever order they come in.
        found[key] = min(found.get(key, said), said)
        account.give(entry.indicator.shared)
    written = [
        _rule(options.action, head, looks, sids.of(name, value), said, request.source.place)
        for (kind, value), said in sorted(found.items())
        for name, head, looks in _matches(kind, value)
    ]
    account.entries = len(written)
    yield remarks.summary(_MARK, account)
    yield from remarks.lines(iter(written))
    yield remarks.tail(_MARK, account)


def dataset_domains(request: Request) -> Iterator[bytes]:
    """Yield names in base64, one a line, for ``type string``: Suricata takes no comments in such a file."""
    yield from _dataset(request, "domain", "any")


def dataset_hashes(request: Request) -> Iterator[bytes]:
    """Yield SHA-256 digests, one a line, for ``type sha256``."""
    yield from _dataset(request, "hash", "sha256")


def _dataset(request: Request, kind: str, algorithm: str) -> Iterator[bytes]:
    yield b""
    found: set[str] = set()
    for entry in request.entries(Use.WATCH, "domain" if kind == "domain" else "hash"):
        if algorithm in ("any", entry.value.algorithm):
            found.add(_in_dataset(entry))
            request.account.give(entry.indicator.shared)
    request.account.entries = len(found)
    yield from remarks.lines(iter(sorted(found)))


def _in_dataset(entry: Entry) -> str:
    value: Value = entry.value
    return value.text if value.kind == "hash" else base64.b64encode(value.text.encode("ascii")).decode("ascii")


def _matches(kind: str, value: str) -> Iterator[tuple[str, str, str]]:
    """Yield (what the signature id follows from, protocol and addresses, what is looked for)."""
    if kind == "ip":
        yield "ip", f"ip any any <> {value} any", ""
        return
    if kind == "domain":
        below = f'dotprefix; content:"{_content("." + value)}"; '
        yield "dns", "dns any any -> any any", f"dns.query; {below}nocase; endswith; "
        yield "tls", "tls any any -> any any", f"{_ROUND}tls.sni; {below}nocase; endswith; "
        yield "http", "http any any -> any any", f"{_ROUND}http.host; {below}endswith; "
        return
    authority, slash, path = value.partition("://")[2].partition("/")
    host = re.sub(r":[0-9]+\Z", "", authority)
    exact = f'http.host; content:"{_content(host)}"; startswith; endswith; '
    asked = f'http.uri.raw; content:"{_content(slash + path)}"; startswith; endswith; '
    yield "url", "http any any -> any any", f"{_ROUND}{exact}{asked}"


def _content(text: str) -> str:
    """Return a text for ``content``: whatever could mean something to the parser stands as hexadecimal."""
    return _PLAIN.sub(lambda match: f"|{ord(match[0]):02X}|", text)


def _rule(action: str, head: str, looks: str, sid: int, said: tuple[str, str], place: str) -> str:
    stix_id, level = said
    message = f"cybex {place} {tlp.label(level)} {stix_id}"
    return f'{action} {head} (msg:"{message}"; {looks}metadata:cybex_object {stix_id}; sid:{sid}; rev:1;)'


class _Sids:
    """Gives out the ids of a range: the one that follows from the value, or the next that is free."""

    def __init__(self, start: int, count: int) -> None:
        self._start, self._count = start, count
        self._taken: set[int] = set()

    def of(self, name: str, value: str) -> int:
        """Return an id that no other value has."""
        place = int.from_bytes(hashlib.sha256(f"{name} {value}".encode("ascii")).digest()[:8]) % self._count
        while place in self._taken:
            place = (place + 1) % self._count
        self._taken.add(place)
        return self._start + place
