"""Fetch what is new in a collection, verify it, keep it as bundles; an interruption loses and repeats nothing.

The order on disk is what makes it safe: a page's bundle first, then the bookmark. After a crash between the two the
page is fetched once more and written over its own file, which is named after the bookmark it follows.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from hub.client.feed import FeedPage, followed, pages
from hub.client.held_versions import HeldVersions
from hub.client.transport import RemoteError, Transport
from hub.domain.bundle_verification import Checked, Status, verify_objects
from hub.domain.canonical import Json, jcs, parse
from hub.domain.keys import KeyRing
from hub.domain.signature_profile import SIGNATURE_TYPE, related_version
from hub.domain.taxii_time import parse_timestamp
from hub.errors import ConfigError, MalformedJson

STATE_FILE: Final = "pull-state.json"
PAGE_WITHIN_BUDGET: Final = 100
"""Objects of a page while octets are counted: about 40 KB packed, by which a budget may be missed."""

Taken: TypeAlias = Callable[[Sequence[Checked], frozenset[tuple[str, str]], Sequence[dict[str, Json]]], None]
"""Is told of a page that is on disk, before the bookmark moves: every object checked, the refused ones, the objects."""
REPLAYED: Final = "a later version came before: the server gives an old one again as if it were the latest"


@dataclass(slots=True)
class Pulled:
    """What came so far: objects (signatures not counted) by what their signatures prove, and what failed.

    :param apart: signatures whose object is not on the same page: it came earlier, or a later version has replaced it.
        They are kept in the bundles, and nothing is said of them.
    """

    objects: int = 0
    pages: int = 0
    apart: int = 0
    bookmark: str | None = None
    more: bool = False
    by_status: dict[str, int] = field(default_factory=dict)
    failures: list[Checked] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    url: str
    filters: dict[str, str]
    added_after: str | None
    carried: list[dict[str, Json]]  # signatures whose object is on the page that was still to come


def pull(
    transport: Transport,
    url: str,
    directory: Path,
    ring: KeyRing,
    *,
    clock: Callable[[], int],
    limit: int | None = None,
    filters: Mapping[str, str] | None = None,
    require_signatures: bool = False,
    taken: Taken | None = None,
    follow: bool = False,
    max_bytes: int | None = None,
) -> Iterator[Pulled]:
    """Yield the state of affairs after each page; when the iteration ends, everything there was is on disk.

    Objects that fail go into a bundle of their own, ``….failed.json``: they are evidence, not intelligence.

    :param url: of the collection. :param ring: the keys that the group's directory vouches for.
    :param clock: microseconds since the epoch; signatures are judged as of their signing time.
    :param follow: never end: wait for more. :param max_bytes: octets on the wire, of the whole session, that the next
        page must not exceed; the pull then ends behind a page with ``more`` set, and the next one goes on there.
    :raises RemoteError: the server refuses. :raises ConfigError: the directory belongs to another collection.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{directory} cannot be made: {error.strerror}", field="out") from None
    state = _load(directory, url, dict(filters or {}))
    pulled, held = Pulled(bookmark=state.added_after), HeldVersions(directory)
    if max_bytes is not None:
        limit = min(limit or PAGE_WITHIN_BUDGET, PAGE_WITHIN_BUDGET)
    before = transport.traffic.octets
    feed = followed if follow else pages
    for page in feed(transport, url, added_after=state.added_after, limit=limit, filters=state.filters):
        if page.objects:
            _take(pulled, state, page, directory, ring, clock(), require_signatures, held, taken)
        spent, before = transport.traffic.octets - before, transport.traffic.octets
        pulled.more = page.more
        yield pulled
        if max_bytes is not None and page.more and before + spent > max_bytes:
            return


def _take(
    pulled: Pulled,
    state: _State,
    page: FeedPage,
    directory: Path,
    ring: KeyRing,
    now: int,
    require_signatures: bool,
    held: HeldVersions,
    taken: Taken | None,
) -> None:
    if not all(isinstance(obj.get("id"), str) and isinstance(obj.get("type"), str) for obj in page.objects):
        raise RemoteError("there is something without an id or a type among the objects; this is not a STIX feed")
    judged, apart, state.carried = _split([*state.carried, *page.objects])
    replayed = {_version(obj) for obj in judged if held.replayed(obj)}
    checked = [
        replace(one, status=Status.FAILED, reason=REPLAYED) if (one.id, one.version) in replayed else one
        for one in verify_objects(judged, ring, now=now)
    ]
    refused = {
        (one.id, one.version): one
        for one in checked
        if one.status is Status.FAILED or (require_signatures and one.status is Status.UNSIGNED)
    }
    bad_objects = [obj for obj in judged if _version(obj) in refused]
    good_objects = [*(obj for obj in judged if _version(obj) not in refused), *apart]
    name = _name(state.added_after, pulled.files)
    for objects, ending in ((good_objects, "json"), (bad_objects, "failed.json")):
        path = directory / f"{name}.{ending}"
        if objects:
            _write(path, _bundle(objects))
            pulled.files.append(path.name)
        else:
            path.unlink(missing_ok=True)  # of the same page, when it was fetched before an interruption
    pulled.objects += len(checked)
    pulled.pages += 1
    pulled.apart += len(apart)
    pulled.failures += refused.values()
    for one in checked:
        pulled.by_status[one.status.value] = pulled.by_status.get(one.status.value, 0) + 1
    held.add(good_objects)
    if taken is not None:
        taken(checked, frozenset(refused), judged)
    state.added_after = pulled.bookmark = page.last
    _save(directory, state)


_Stix = dict[str, Json]


def _split(objects: list[_Stix]) -> tuple[list[_Stix], list[_Stix], list[_Stix]]:
    """Part what can be judged now, signatures whose object is elsewhere, and those at the end of the page.

    The object of the last ones comes first on the next page; until then they are kept with the bookmark.
    """
    present = {_version(obj) for obj in objects if obj["type"] != SIGNATURE_TYPE}
    end = len(objects)
    while end and objects[end - 1]["type"] == SIGNATURE_TYPE and _version(objects[end - 1]) not in present:
        end -= 1
    judged: list[_Stix] = []
    apart: list[_Stix] = []
    for obj in objects[:end]:
        (judged if _version(obj) in present else apart).append(obj)
    return judged, apart, objects[end:]


def _version(obj: _Stix) -> tuple[object, object]:
    """Return the id and version of an object; of a signature, those of what it signs."""
    if obj["type"] == SIGNATURE_TYPE:
        return str(obj.get("related_to")), str(obj.get("related_version"))
    return obj["id"], related_version(obj)


def _name(bookmark: str | None, taken: Sequence[str]) -> str:
    """Return what a page is called; pages of a server whose bookmark does not move are numbered."""
    name = f"after-{''.join(ch for ch in bookmark if ch.isalnum())}" if bookmark else "from-the-start"
    here = sum(one.partition(".")[0].partition("_")[0] == name for one in taken)
    return f"{name}_{here + 1}" if here else name


def _bundle(objects: list[dict[str, Json]]) -> bytes:
    """Return a bundle around the objects' own canonical bytes: what was signed is what is kept."""
    head = f'{{"id":"bundle--{uuid.uuid4()}","objects":[\n'.encode()
    return head + b",\n".join(jcs(obj) for obj in objects) + b'\n],"type":"bundle"}\n'


def _load(directory: Path, url: str, filters: dict[str, str]) -> _State:
    path = directory / STATE_FILE
    damaged = ConfigError(f"{path} is damaged; remove it to start again from the beginning", field="out")
    try:
        kept: Any = parse(path.read_bytes())
    except FileNotFoundError:
        return _State(url, filters, None, [])
    except (OSError, MalformedJson):
        raise damaged from None
    if not isinstance(kept, dict):
        raise damaged
    if kept.get("url") != url:
        raise ConfigError("this directory holds another collection; choose another --out", field="out")
    if kept.get("filters") != filters:
        raise ConfigError("this directory holds a pull of other types; choose another --out", field="out")
    added_after, carried = str(kept.get("added_after")), kept.get("carried")
    try:
        parse_timestamp(added_after)
    except ValueError:
        raise damaged from None
    if not isinstance(carried, list) or not all(_is_signature(obj) for obj in carried):
        raise damaged
    return _State(url, filters, added_after, carried)


def _is_signature(obj: Any) -> bool:
    return isinstance(obj, dict) and obj.get("type") == SIGNATURE_TYPE and isinstance(obj.get("id"), str)


def _save(directory: Path, state: _State) -> None:
    kept = {"url": state.url, "filters": state.filters, "added_after": state.added_after, "carried": state.carried}
    _write(directory / STATE_FILE, orjson.dumps(kept, option=orjson.OPT_INDENT_2))


def _write(path: Path, data: bytes) -> None:
    """Leave the file whole or as it was: written aside, synced, then renamed over."""
    aside = path.with_name(path.name + ".part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", field="out") from None
