"""Keeping links going: for each one a thread that hands over and one that fetches, so that no hub can stop another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, Literal

import structlog

from hub.client.relay import PartnerHub
from hub.domain.backoff import wait_seconds
from hub.domain.membership import Peer
from hub.errors import CybexError
from hub.services import agreements
from hub.services.context import Hub
from hub.services.relay import outgoing, pulling, pushing, reaching
from hub.services.waiting import wait_for_news
from hub.store import links as store
from hub.store import peers as peer_store
from hub.store import relay_feed
from hub.store.links import Link

log = structlog.get_logger()

Opener = Callable[[Peer, Link], PartnerHub]
"""Returns another hub as this one calls it. Raises ConfigError when its address or token is not usable."""

SECOND: Final = 1_000_000
LEASE_US: Final = 30 * SECOND
"""How long a link is left to a process without a sign of life; then another one takes it over."""

SUCCESS_US: Final = 15 * SECOND
"""How old the note of the last success, and of octets, may grow while all goes well: each is a transaction."""

LOOK_SECONDS: Final = 1.0
"""How often the list of links is read: a new, paused or removed one is noticed within that time."""

PUSH_WAIT_SECONDS: Final = 5.0
PULL_WAIT_SECONDS: Final = 25
GATHER_SECONDS: Final = 0.15
"""News are gathered for so long before they are handed over, so that a busy feed costs few transactions."""

INTRODUCE_SECONDS: Final = 30.0
Way = Literal["push", "pull"]


def keep(hub: Hub, stop: threading.Event, opened: Opener) -> None:
    """Work on every link that no other process works on, until told to stop; then return once all have stopped."""
    running: dict[tuple[int, Way], tuple[Link, _Runner]] = {}
    while not stop.wait(LOOK_SECONDS):
        held = {peer_id for peer_id, _ in running}
        try:
            wanted = _leased(hub, held)
            _release(hub, held - {peer_id for peer_id, _ in wanted})  # so that a link that is resumed goes on at once
        except Exception:  # a database that cannot be reached now must not end the work on links
            log.exception("links.failed")
            continue
        for key, (link, runner) in list(running.items()):
            if _settings(wanted.get(key)) != _settings(link) or not runner.is_alive():
                runner.stop.set()
                del running[key]
        for key, link in wanted.items():
            if key not in running:
                runner = _Runner(hub, link, key[1], opened)
                runner.start()
                running[key] = (link, runner)
    for _, runner in running.values():
        runner.stop.set()
    _release(hub, {peer_id for peer_id, _ in running})


def run_once(
    hub: Hub, peer: Peer, link: Link, way: Way, partner: PartnerHub, *, wait: int = 0, introduce: bool = True
) -> pushing.Ran:
    """Hand over, or fetch, whatever there is, and note how it went. Raises CybexError after noting the failure.

    The octets that went over the wire are for the caller to `count`.

    :param introduce: also tell what has changed of the keys of authors that the other hub knows from here.
    """
    try:
        if way == "push":
            ran = pushing.run(hub, peer, partner, max_bytes=_budget(partner.sent, link))
            if introduce:
                pushing.refresh(hub, peer, partner)
        else:
            ran = pulling.run(hub, peer, partner, wait=wait, max_bytes=_budget(partner.received, link))
        reaching.tell(hub, peer, partner)
    except CybexError as error:
        _note_failure(hub, peer, link, error)
        raise
    _note_success(hub, link)
    return ran


def count(hub: Hub, link: Link, *, sent: int, received: int) -> None:
    """Add octets that went over the wire to what the link shows."""
    if sent or received:
        with hub.db.write() as tx:
            store.count_octets(tx, link.peer_id, sent=sent, received=received)


def with_budget(link: Link, max_bytes: int) -> Link:
    """Return the link with this budget for one run, or its own where that is smaller."""
    return replace(link, max_bytes=max_bytes if link.max_bytes is None else min(max_bytes, link.max_bytes))


class _Runner(threading.Thread):
    """One direction of one link. It ends when it is told to, at the latest when a call under way has been answered."""

    def __init__(self, hub: Hub, link: Link, way: Way, opened: Opener) -> None:
        super().__init__(name=f"link-{way}-{link.peer_id}", daemon=True)
        self.stop = threading.Event()
        self._hub, self._link, self._way, self._opened = hub, link, way, opened
        self._introduced = 0.0
        self._counted, self._counted_at = (0, 0), time.monotonic()

    def run(self) -> None:
        """Work on the link until told to stop."""
        while not self.stop.is_set():
            try:
                self._turn()
            except CybexError as error:
                log.warning("link.failed", way=self._way, peer_id=self._link.peer_id, reason=error.detail)
                self._pause()
            except Exception:  # one link that fails must not end in silence, nor take the process with it
                log.exception("link.failed")
                self._pause()

    def _turn(self) -> None:
        hub, link = self._hub, self._link
        with hub.db.read() as tx:
            peer = peer_store.by_id(tx, link.peer_id)
        try:
            partner = self._opened(peer, link)
        except CybexError as error:  # no token, or none that can be used: an operator must see it
            _note_failure(hub, peer, link, error)
            raise
        self._counted = (0, 0)
        try:
            self._work(peer, partner)
        finally:
            self._count(partner)

    def _work(self, peer: Peer, partner: PartnerHub) -> None:
        hub, link = self._hub, self._link
        while not self.stop.is_set():
            if time.monotonic() - self._counted_at >= SUCCESS_US / SECOND:
                self._count(partner)
            if self._way == "pull":
                run_once(hub, peer, link, "pull", partner, wait=PULL_WAIT_SECONDS)
                continue
            due = time.monotonic() - self._introduced >= INTRODUCE_SECONDS
            run_once(hub, peer, link, "push", partner, introduce=due)
            if due:
                self._introduced = time.monotonic()
            if self._wait_for_news(peer):
                self.stop.wait(GATHER_SECONDS)

    def _count(self, partner: PartnerHub) -> None:
        sent, received = self._counted
        count(self._hub, self._link, sent=partner.sent - sent, received=partner.received - received)
        self._counted, self._counted_at = (partner.sent, partner.received), time.monotonic()

    def _wait_for_news(self, peer: Peer) -> bool:
        with self._hub.db.read() as tx:
            agreement = agreements.in_force(tx, self._hub, peer, self._hub.clock())
            lanes = [] if agreement is None else outgoing.lanes(tx, agreement, peer)
            dates = relay_feed.last_dates(tx, [lane.collection.id for lane in lanes])
            if any(outgoing.position(tx, lane) < dates[lane.collection.id] for lane in lanes):
                return True
        return wait_for_news(self._hub, list(dates), max(dates.values(), default=0), PUSH_WAIT_SECONDS)

    def _pause(self) -> None:
        """Wait until the link may be tried again, as its failures say, or an operator wants it tried at once."""
        while not self.stop.wait(LOOK_SECONDS):
            with self._hub.db.read() as tx:
                link = store.get(tx, self._link.peer_id)
            if link is None or link.retry_at is None or link.retry_at <= self._hub.clock():
                return


def _leased(hub: Hub, mine: set[int]) -> dict[tuple[int, Way], Link]:
    """Return the links to work on, by hub and direction: this process holds each, or has taken it now."""
    with hub.db.read() as tx:
        every = [link for link in store.all(tx) if link.url is not None and link.paused_at is None]
    now = hub.clock()
    wanted: dict[tuple[int, Way], Link] = {}
    for link in every:
        held = link.peer_id in mine
        if not held or (link.leased_until or 0) < now + LEASE_US // 2:
            with hub.db.write() as tx:
                if held:
                    store.release(tx, link.peer_id)
                held = store.lease(tx, link.peer_id, now + LEASE_US, now)
        if held:
            wanted |= {(link.peer_id, "push"): link} if link.push else {}
            wanted |= {(link.peer_id, "pull"): link} if link.pull else {}
    return wanted


def _release(hub: Hub, peer_ids: Collection[int]) -> None:
    if peer_ids:
        with hub.db.write() as tx:
            for peer_id in peer_ids:
                store.release(tx, peer_id)


def _settings(link: Link | None) -> tuple[object, ...] | None:
    """Return what a runner was started with: it is started anew when an operator changes it."""
    return None if link is None else (link.url, link.push, link.pull, link.allow_private, link.max_bytes)


def _budget(used: int, link: Link) -> int | None:
    return None if link.max_bytes is None else used + link.max_bytes


def _note_success(hub: Hub, link: Link) -> None:
    """Note that the other hub answers; while nothing changes that is written down now and then only."""
    now = hub.clock()
    with hub.db.read() as tx:
        known = store.get(tx, link.peer_id)
    if known is not None and (known.failures or now - (known.last_success_at or 0) > SUCCESS_US):
        with hub.db.write() as tx:
            store.succeeded(tx, link.peer_id, now)


def _note_failure(hub: Hub, peer: Peer, link: Link, error: CybexError) -> None:
    now = hub.clock()
    with hub.db.write() as tx:
        known = store.get(tx, link.peer_id)
        wait = wait_seconds(1 if known is None else known.failures + 1, hub.token_bytes(1)[0] / 255)
        store.failed(tx, link.peer_id, now, error.detail or error.title, now + round(wait * SECOND))
    log.warning("link.failing", peer=peer.handle, reason=error.detail or error.title, wait_seconds=round(wait, 1))
