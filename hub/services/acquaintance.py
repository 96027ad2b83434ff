"""Whom a member may know of: `TrustGroup.member_visibility`, in the one place that everything that names peers asks."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.domain.membership import Caller, Member, MemberVisibility, Peer, Right, TrustGroup
from hub.store import key_shown as shown_store
from hub.store import keys as key_store
from hub.store import members as member_store
from hub.store import peers as peer_store


def reader_id(peer: Peer) -> int:
    """Return the id with which a caller's memberships are looked up: of another hub that of nobody.

    The one door for hubs: a hub is a member so that an agreement can let something cross to it, which is decided object
    by object. If it could read as members do, it would get what must not leave the group, such as TLP:AMBER.
    """
    return 0 if peer.partner_hub else peer.id


def known_peers(tx: Connection, reader: Caller | None, trust_group: TrustGroup) -> frozenset[int]:
    """Return the ids of the peers whose names a reader may be told in matters of a group; None is an operator.

    1. Everybody knows himself, an operator everybody. Another hub knows nobody else: authors are introduced to it.
    2. Open: every member knows the active members. Moderators only: those who moderate know them. Hidden: nobody does.
    3. Those who moderate, and know the members, know the suspended ones too: they can restore them.
    4. Whatever is hidden, a reader knows the authors whose signed objects he can see: he has to verify them. That does
       not tell who stands behind a pseudonym.
    """
    if reader is None:
        return frozenset(peer.id for peer in peer_store.all(tx))
    if reader.peer.partner_hub:
        return frozenset({reader.peer.id})
    rows = member_store.of_group(tx, trust_group.id)
    mine = next((member for peer, member in rows if peer.id == reader.peer.id), None)
    known = {reader.peer.id} | authors(tx, reader, trust_group)
    if knows_members(trust_group, mine):
        whole = mine is not None and Right.MODERATE in mine.rights
        known |= {peer.id for peer, member in rows if whole or _active(peer, member)}
    return frozenset(known)


def knows_members(trust_group: TrustGroup, mine: Member | None) -> bool:
    """Say whether a member may know of the other members of the group."""
    if mine is None or mine.suspended_at is not None:
        return False
    if trust_group.member_visibility is MemberVisibility.MODERATORS:
        return Right.MODERATE in mine.rights
    return trust_group.member_visibility is MemberVisibility.OPEN


def authors(tx: Connection, reader: Caller, trust_group: TrustGroup) -> set[int]:
    """Return the ids of the peers that have signed, in their own names, what the reader may see in the group."""
    seen = shown_store.of_reader(tx, trust_group.id, reader.peer.id)
    return {key.peer_id for key in key_store.of_ids(tx, seen) if key.pseudonym_id is None}


def _active(peer: Peer, member: Member) -> bool:
    return peer.suspended_at is None and member.suspended_at is None
