"""Fetch what is new in a collection, verify it, keep it as bundles; an interruption loses and repeats nothing.

The order on disk is what makes it safe: a page's bundle first, then the bookmark. After a crash between the two the
page is fetched once more and written over its own file, which carries the page's dates in its name.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from hub.client.feed import FeedPage, pages
from hub.client.transport import Transport
from hub.domain.bundle_verification import Checked, Status, verify_objects
from hub.domain.canonical import Json, jcs, parse
from hub.domain.keys import KeyRing
from hub.domain.signature_profile import SIGNATURE_TYPE
from hub.errors import ConfigError, MalformedJson

STATE_FILE: Final = "pull-state.json"


@dataclass(slots=True)
class Pulled:
    """What came so far: objects (signatures not counted) by what their signatures prove, and what failed."""

    objects: int = 0
    pages: int = 0
    bookmark: str | None = None
    by_status: dict[str, int] = field(default_factory=dict)
    failures: list[Checked] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    url: str
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
) -> Iterator[Pulled]:
    """Yield the state of affairs after each page; when the iteration ends, everything there was is on disk.

    Objects that fail go into a bundle of their own, ``….failed.json``: they are evidence, not intelligence.

    :param url: of the collection. :param ring: the keys that the group's directory vouches for.
    :param clock: microseconds since the epoch; signatures are judged as of their signing time.
    :raises RemoteError: the server refuses. :raises ConfigError: the directory belongs to another collection.
    """
    directory.mkdir(parents=True, exist_ok=True)
    state = _load(directory, url)
    pulled = Pulled(bookmark=state.added_after)
    for page in pages(transport, url, added_after=state.added_after, limit=limit, filters=filters or {}):
        if page.objects:
            _take(pulled, state, page, directory, ring, clock(), require_signatures)
        yield pulled


def _take(
    pulled: Pulled, state: _State, page: FeedPage, directory: Path, ring: KeyRing, now: int, require_signatures: bool
) -> None:
    arrived, state.carried = _split([*state.carried, *page.objects])
    checked = verify_objects(arrived, ring, now=now)
    refused = {
        (one.id, one.version): one
        for one in checked
        if one.status is Status.FAILED or (require_signatures and one.status is Status.UNSIGNED)
    }
    bad = {stix_id for stix_id, _ in refused}
    good_objects = [obj for obj in arrived if obj.get("id") not in bad and obj.get("related_to") not in bad]
    bad_objects = [obj for obj in arrived if obj.get("id") in bad or obj.get("related_to") in bad]
    name = f"{_compact(page.first)}-{_compact(page.last)}"
    for objects, ending in ((good_objects, "json"), (bad_objects, "failed.json")):
        if objects:
            _write(directory / f"{name}.{ending}", _bundle(objects))
            pulled.files.append(f"{name}.{ending}")
    pulled.objects += len(checked)
    pulled.pages += 1
    pulled.failures += refused.values()
    for one in checked:
        pulled.by_status[one.status] = pulled.by_status.get(one.status, 0) + 1
    state.added_after = pulled.bookmark = page.last or state.added_after
    _save(directory, state)


def _split(objects: list[dict[str, Json]]) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """Part what can be judged now from signatures at the end of a page, whose object comes first on the next."""
    held: list[dict[str, Json]] = []
    present = {obj.get("id") for obj in objects if obj.get("type") != SIGNATURE_TYPE}
    while objects and objects[-1].get("type") == SIGNATURE_TYPE and objects[-1].get("related_to") not in present:
        held.insert(0, objects[-1])
        objects = objects[:-1]
    return [obj for obj in objects if isinstance(obj.get("id"), str) and isinstance(obj.get("type"), str)], held


def _bundle(objects: list[dict[str, Json]]) -> bytes:
    """Return a bundle around the objects' own canonical bytes: what was signed is what is kept."""
    head = f'{{"id":"bundle--{uuid.uuid4()}","objects":[\n'.encode()
    return head + b",\n".join(jcs(obj) for obj in objects) + b'\n],"type":"bundle"}\n'


def _compact(timestamp: str | None) -> str:
    return "".join(ch for ch in timestamp or "undated" if ch.isalnum())


def _load(directory: Path, url: str) -> _State:
    path = directory / STATE_FILE
    try:
        kept: Any = parse(path.read_bytes())
    except FileNotFoundError:
        return _State(url, None, [])
    except (OSError, MalformedJson):
        raise ConfigError(f"{path} is damaged; remove it to start again from the beginning", field="out") from None
    if not isinstance(kept, dict) or kept.get("url") != url:
        raise ConfigError("this directory holds another collection; choose another --out", field="out")
    return _State(url, kept.get("added_after"), list(kept.get("carried") or []))


def _save(directory: Path, state: _State) -> None:
    kept = {"url": state.url, "added_after": state.added_after, "carried": state.carried}
    _write(directory / STATE_FILE, orjson.dumps(kept, option=orjson.OPT_INDENT_2))


def _write(path: Path, data: bytes) -> None:
    """Leave the file whole or as it was: written aside, synced, then renamed over."""
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
