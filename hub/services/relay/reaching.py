"""Answers to a withdrawal that come back over hubs: each tells the one it had it from how many of how many are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Connection

from hub.domain.canonical import Json
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer
from hub.domain.reach import Reach, checked, octets, signed
from hub.errors import CybexError
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import keys as key_store
from hub.store import peers as peer_store
from hub.store import reaches as store
from hub.store import retractions as retraction_store
from hub.store.reaches import StoredReach

log = structlog.get_logger()

FOLLOWED_US: Final = 90 * 24 * 3600 * 1_000_000
"""For how long a hub reports on a withdrawal: who has not answered in three months will not."""

AT_ONCE: Final = 100


class Hearer(Protocol):
    """Another hub as `hub.client.relay.PartnerHub` calls it."""

    def report(self, *, reaches: Sequence[Mapping[str, Any]] = ()) -> None:
        """Report on withdrawals. Raises RemoteError."""


def counted(tx: Connection, act: str) -> tuple[int, int]:
    """Return how many had what an act withdrew, from this hub on, and how many of them have removed it.

    Other hubs count with what they report: one that has not reported is one that has not removed it. Where a pseudonym
    is behind an audience not even its size is told: the hub stands for all of them, and is done when they all are.
    """
    rows = retraction_store.of_acts(tx, [act])
    hubs = {peer.id for peer in peer_store.all(tx) if peer.partner_hub}
    reports = store.of_acts(tx, [act], "in")
    owed: dict[int, list[bool]] = {}
    for row in rows:
        answers = retraction_store.removed_at(tx, row.group_id, [row.stix_id])
        for peer_id in row.holders.peers - {row.actor_peer_id}:
            owed.setdefault(peer_id, []).append(answers.get((row.stix_id, peer_id), -1) >= row.at)
    holders = removed = 0
    for peer_id, done in owed.items():
        report = reports.get((act, peer_id))
        if peer_id in hubs:
            holders, removed = holders + (report.holders if report else 1), removed + (report.removed if report else 0)
        else:
            holders, removed = holders + 1, removed + all(done)
    if any(row.holders.veiled for row in rows):
        return 1, int(removed == holders)
    return holders, removed


def due(tx: Connection, hub: Hub, to: Peer, *, again: bool = False) -> list[dict[str, Any]]:
    """Return the reports, signed, on what a hub has withdrawn here, as far as it has not been told so.

    :param again: also those it has been told, because nobody knows whether they arrived.
    """
    now = hub.clock()
    acts = store.acts_of(tx, to.id, since=now - FOLLOWED_US, limit=AT_ONCE)
    told = store.of_acts(tx, acts, "out")
    own, reports = hub_identity(tx), []
    for act in acts:
        numbers = counted(tx, act)
        known = told.get((act, to.id))
        if again or known is None or (known.holders, known.removed) != numbers:
            reach = Reach(own, act, *numbers, now)
            reports.append(signed(reach, hub.signing_key, uuid=uuid4(hub.token_bytes)))
    return reports


def tell(hub: Hub, to: Peer, hearer: Hearer) -> int:
    """Report to a hub what it has not been told; return on how many acts. Raises RemoteError."""
    with hub.db.read() as tx:
        reports = due(tx, hub, to)
    if reports:
        hearer.report(reaches=reports)
        with hub.db.write() as tx:
            for one in reports:
                reach = StoredReach(one["act"], to.id, "out", one["holders"], one["removed"], hub.clock(), octets(one))
                store.keep(tx, reach)
    return len(reports)


def take(hub: Hub, via: Peer, documents: Sequence[Json]) -> int:
    """Keep what a hub reports on withdrawals it was told of from here; return how many reports were kept.

    What is not signed by it, or about an act that it was not told of, is logged and passed over.
    """
    kept = 0
    with hub.db.write() as tx:
        ring = KeyRing(key_store.of_peer(tx, via.id), allow_test_key=hub.allow_test_key)
        for document in documents[:AT_ONCE]:
            try:
                reach = checked(document, ring, hub=via.identity, now=hub.clock())
            except CybexError as error:
                log.warning("relay.reach_refused", by=via.handle, reason=error.detail)
                continue
            rows = retraction_store.of_acts(tx, [reach.act])
            if not any(via.id in row.holders.peers and via.id != row.actor_peer_id for row in rows):
                log.warning("relay.reach_refused", by=via.handle, reason="it was not told of that act from here")
                continue
            body = octets(document if isinstance(document, dict) else {})
            kept += store.keep(tx, StoredReach(reach.act, via.id, "in", reach.holders, reach.removed, reach.at, body))
    return kept


def open_with(tx: Connection, hub: Hub, to: Peer) -> bool:
    """Say whether there are withdrawals of which this hub waits to hear from another one."""
    since = hub.clock() - FOLLOWED_US
    acts = retraction_store.acts_held_by(tx, to.id, since=since, limit=AT_ONCE)
    reports = store.of_acts(tx, acts, "in")
    return any((act, to.id) not in reports or reports[act, to.id].removed < reports[act, to.id].holders for act in acts)
