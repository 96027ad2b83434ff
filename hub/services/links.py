"""Links to other hubs: set up, paused and removed by the operator, and how each of them is doing, in words."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import Literal

from sqlalchemy import Connection

from hub.client.addresses import is_public, read_url
from hub.domain.agreement import Agreement
from hub.domain.membership import Caller, Peer
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError, InvalidRequest, NotFound
from hub.services import agreements, audit
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.relay import outgoing
from hub.store import collections as collection_store
from hub.store import dead_letters as letter_store
from hub.store import groups as group_store
from hub.store import links as store
from hub.store import peers as peer_store
from hub.store.links import Direction, Link, Position

NO_LINK = "there is no link to such a hub"
SECOND = 1_000_000

State = Literal["paused", "no-agreement", "by-hand", "waiting", "new", "working"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one collection has come. Times are microseconds since the epoch.

    :param position: as the giving hub writes it; None at the beginning. :param objects: that have crossed so far.
    :param waiting: entries that lie behind the position, of which not all need cross; None where only the other hub
        knows. :param behind_us: how long the first of them has been waiting.
    """

    group: str
    collection: str
    direction: Direction
    position: str | None
    objects: int
    updated_at: int | None
    waiting: int | None
    behind_us: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One link as it is now.

    :param said: what an operator wants to know of it, in one line. :param letters: dead letters that wait for him.
    """

    peer: Peer
    link: Link
    agreement: Agreement | None
    state: State
    said: str
    progress: tuple[Progress, ...]
    letters: int

    @property
    def behind_us(self) -> int:
        """How long the oldest entry that has not been looked at has been waiting."""
        return max((one.behind_us or 0 for one in self.progress), default=0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a partner hub may know of its own link here: what concerns it, and nothing of anybody else.

    :param used: objects and octets that it has brought in this hour.
    """

    agreement: Agreement | None
    paused: bool
    failures: int
    retry_at: int | None
    last_success_at: int | None
    letters: int
    progress: tuple[Progress, ...]
    used: tuple[int, int]
    quota: tuple[int | None, int | None]


def add(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    url: str | None,
    push: bool,
    pull: bool,
    allow_private: bool = False,
    max_bytes: int | None = None,
) -> Shown:
    """Set up how this hub reaches another one. Raises NotFound, InvalidRequest, Conflict.

    :param url: base of the other hub; None where the link is carried by hand, or the other side calls.
    """
    require_operator(actor)
    _check(url, push=push, pull=pull, allow_private=allow_private)
    with hub.db.write() as tx:
        peer, now = _partner(tx, handle), hub.clock()
        made = store.add(
            tx,
            peer_id=peer.id,
            url=url,
            push=push,
            pull=pull,
            allow_private=allow_private,
            max_bytes=max_bytes,
            now=now,
        )
        audit.record(tx, hub, actor, "link.add", f"links/{handle}", peer.id, **_detail(made))
    return shown(hub, actor, handle)


def update(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    url: str | EllipsisType | None = ...,
    push: bool | EllipsisType = ...,
    pull: bool | EllipsisType = ...,
    allow_private: bool | EllipsisType = ...,
    max_bytes: int | EllipsisType | None = ...,
    paused: bool | EllipsisType = ...,
) -> Shown:
    """Change what is named; a link that waits after failures is tried again at once. Raises NotFound, InvalidRequest.

    A paused link neither sends nor fetches, and takes nothing that the other hub sends.
    """
    require_operator(actor)
    with hub.db.write() as tx:
        peer, before = _linked(tx, handle)
        after = store.change(
            tx, peer.id, url=url, push=push, pull=pull, allow_private=allow_private, max_bytes=max_bytes
        )
        _check(after.url, push=after.push, pull=after.pull, allow_private=after.allow_private)
        changed = _detail(after) != _detail(before)
        now_paused = before.paused_at is not None if isinstance(paused, EllipsisType) else paused
        turned = now_paused != (before.paused_at is not None)
        if turned:
            store.change(tx, peer.id, paused_at=hub.clock() if now_paused else None)
        if changed:
            audit.record(tx, hub, actor, "link.update", f"links/{handle}", peer.id, **_detail(after))
        if turned:
            audit.record(tx, hub, actor, "link.pause" if now_paused else "link.resume", f"links/{handle}", peer.id)
    return shown(hub, actor, handle)


def remove(hub: Hub, actor: Actor, handle: str) -> None:
    """Take a link away; how far it came is kept, so that a new one goes on there. Raises NotFound."""
    require_operator(actor)
    with hub.db.write() as tx:
        peer, _ = _linked(tx, handle)
        store.remove(tx, peer.id)
        audit.record(tx, hub, actor, "link.remove", f"links/{handle}", peer.id)


def shown(hub: Hub, actor: Actor, handle: str) -> Shown:
    """Return one link as it is now. Raises NotFound."""
    require_operator(actor)
    with hub.db.read() as tx:
        peer, link = _linked(tx, handle)
        return _shown(tx, hub, peer, link, letter_store.count_open(tx).get(peer.id, 0))


def listed(hub: Hub, actor: Actor) -> list[Shown]:
    """Return every link, by handle. Operators only."""
    require_operator(actor)
    with hub.db.read() as tx:
        return all_of(tx, hub)


def all_of(tx: Connection, hub: Hub) -> list[Shown]:
    """Return every link, by handle, as of a transaction."""
    letters = letter_store.count_open(tx)
    found = []
    for link in store.all(tx):
        peer = peer_store.by_id(tx, link.peer_id)
        found.append(_shown(tx, hub, peer, link, letters.get(peer.id, 0)))
    return sorted(found, key=lambda one: one.peer.handle)


def seen_by(hub: Hub, caller: Caller) -> Seen:
    """Return what another hub may know of its own link here. Raises NotFound for everybody who is no hub."""
    if not caller.peer.partner_hub:
        raise NotFound(NO_LINK)
    with hub.db.read() as tx:
        peer, now = peer_store.by_id(tx, caller.peer.id), hub.clock()
        link, agreement = store.get(tx, peer.id), agreements.in_force(tx, hub, peer, now)
        letters = letter_store.count_open(tx).get(peer.id, 0)
        progress, used = _progress(tx, peer, agreement, now), store.used(tx, peer.id, now)
    return Seen(
        agreement=agreement,
        paused=link is not None and link.paused_at is not None,
        failures=0 if link is None else link.failures,
        retry_at=None if link is None else link.retry_at,
        last_success_at=None if link is None else link.last_success_at,
        letters=letters,
        progress=progress,
        used=used,
        quota=(peer.quota_objects, peer.quota_octets),
    )


def _shown(tx: Connection, hub: Hub, peer: Peer, link: Link, letters: int) -> Shown:
    now = hub.clock()
    agreement = agreements.in_force(tx, hub, peer, now)
    progress = _progress(tx, peer, agreement, now)
    state = _state(link, agreement)
    return Shown(peer, link, agreement, state, _said(state, link, progress, now), progress, letters)


def _state(link: Link, agreement: Agreement | None) -> State:
    if link.paused_at is not None:
        return "paused"
    if agreement is None:
        return "no-agreement"
    if link.failures:
        return "waiting"
    if link.url is None or not (link.push or link.pull):
        return "by-hand"
    return "new" if link.last_success_at is None else "working"


def _said(state: State, link: Link, progress: tuple[Progress, ...], now: int) -> str:
    if state == "paused":
        return f"paused since {_clock_time(link.paused_at or now)}"
    if state == "no-agreement":
        return "waiting: no agreement is in force"
    if state == "waiting":
        times = "1 failure" if link.failures == 1 else f"{link.failures} failures"
        error = f": {link.last_error}" if link.last_error else ""
        until = (
            f"waiting until {_clock_time(link.retry_at)}" if link.retry_at and link.retry_at > now else "trying again"
        )
        return f"{until} after {times}{error}"
    if state == "by-hand":
        return "carried by hand, or called by the other hub only"
    doing = " and ".join(word for word, on in (("sending", link.push), ("fetching", link.pull)) if on)
    if state == "new":
        return f"{doing}, not tried yet"
    behind = max((one.behind_us or 0 for one in progress if one.direction == "out"), default=0) if link.push else 0
    return f"{doing}, {behind // SECOND} s behind" if behind >= SECOND else f"{doing}, up to date"


def _progress(tx: Connection, peer: Peer, agreement: Agreement | None, now: int) -> tuple[Progress, ...]:
    """Return how far each collection has come: what is given with what waits, and what is taken."""
    at: dict[tuple[int, str], Position] = {
        (one.collection_id, one.direction): one for one in store.positions(tx, peer.id)
    }
    found = {}
    for lane in () if agreement is None else outgoing.lanes(tx, agreement, peer):
        given = at.get((lane.collection.id, "out"))
        waiting = store.waiting(tx, lane.collection.id, 0 if given is None else int(given.position))
        behind = None if waiting.since is None else max(0, now - waiting.since)
        found[lane.collection.id, "out"] = (lane.group.slug, lane.alias, waiting.objects, behind)
    progress = []
    for collection_id, direction in sorted({*at, *found}):
        position = at.get((collection_id, direction))
        group, alias, objects, behind_us = found.get((collection_id, direction), ("", "", None, None))
        if not group:
            collection = collection_store.by_id(tx, collection_id)
            group = group_store.by_id(tx, collection.group_id).slug
            alias = collection.alias or collection.uuid
        progress.append(
            Progress(
                group=group,
                collection=alias,
                direction="out" if direction == "out" else "in",
                position=None if position is None else position.position,
                objects=0 if position is None else position.objects,
                updated_at=None if position is None else position.updated_at,
                waiting=objects,
                behind_us=behind_us,
            )
        )
    return tuple(sorted(progress, key=lambda one: (one.direction, one.group, one.collection)))


def _check(url: str | None, *, push: bool, pull: bool, allow_private: bool) -> None:
    """Raise InvalidRequest for an address that is never called, or that only a mistake or a trick would lead to.

    Names are resolved, and their addresses checked, at each call (`hub.client.outgoing`).
    """
    if url is None:
        if push or pull:
            raise InvalidRequest("to send or fetch, the link needs the address of the other hub", field="url")
        return
    try:
        parts = read_url(url)
    except ConfigError as error:
        raise InvalidRequest(error.detail, field="url") from None
    if parts.query or parts.fragment or not parts.path.endswith("/"):
        raise InvalidRequest("give the base address of the other hub, which ends in a slash", field="url")
    host = str(parts.hostname)
    if allow_private:
        return
    if parts.scheme != "https":
        raise InvalidRequest("plain http would show everything to the network; use https", field="url")
    literal = host.replace(".", "").isdigit() or ":" in host
    if host == "localhost" or host.endswith(".localhost") or (literal and not is_public(host)):
        raise InvalidRequest(
            "this address is not on the Internet; if that is meant, allow private addresses", field="url"
        )


def _partner(tx: Connection, handle: str) -> Peer:
    peer = peer_store.by_handle(tx, handle)
    if peer is None or not peer.partner_hub or peer.abroad:
        raise NotFound(agreements.NO_HUB)
    return peer


def _linked(tx: Connection, handle: str) -> tuple[Peer, Link]:
    peer = peer_store.by_handle(tx, handle)
    link = None if peer is None else store.get(tx, peer.id)
    if peer is None or link is None:
        raise NotFound(NO_LINK)
    return peer, link


def _detail(link: Link) -> dict[str, object]:
    return {
        "url": link.url,
        "push": link.push,
        "pull": link.pull,
        "allow_private": link.allow_private,
        "max_bytes": link.max_bytes,
    }


def _clock_time(at: int) -> str:
    """Return a moment as people write it, UTC."""
    text = format_timestamp(at)
    return f"{text[:10]} {text[11:16]} UTC"


def take_over(hub: Hub) -> int:
    """Free every link for a worker that knows it is the only one; return how many there are."""
    with hub.db.write() as tx:
        links = store.all(tx)
        for one in links:
            store.release(tx, one.peer_id)
    return len(links)
