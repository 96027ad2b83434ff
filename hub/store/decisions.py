"""What was decided about an object: the stored rule and reason of each version, and who signed it. Never the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, select

from hub.domain.audience import Audience
from hub.domain.taxii_time import format_timestamp
from hub.store.batches import batches
from hub.store.tables import audience, collection, entry, held_version, peer, signing_key


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """One stored version with the decision that admitted it. Times are microseconds since the epoch.

    :param first_audience: as it was when the version was published; ``audience`` may have been narrowed since.
    :param vouched: the signature beside it is by a peer that is not its author.
    """

    collection_id: int
    group_id: int
    version: str
    date_added: int
    superseded_at: int | None
    expires_at: int | None
    audience: Audience
    first_audience: Audience
    author_identity: str | None
    introduced: bool
    submitter_peer_id: int
    tlp: str
    rule: str
    reason: str
    onward_relay: bool
    kid: str | None
    jss_form: str | None
    signed_at: int | None
    carrier: str | None
    stix_type: str
    sha256: bytes
    vouched: bool


def of_object(tx: Connection, stix_id: str) -> list[StoredDecision]:
    """Return the decisions about every stored version of an object, in any collection, by date."""
    return [found for _, found in _where(tx, entry.c.stix_id == stix_id)]


def of_objects(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> dict[str, list[StoredDecision]]:
    """Return the same for several objects in one collection; an object that is not there is left out."""
    found: dict[str, list[StoredDecision]] = {}
    for some in batches(sorted(set(stix_ids))):
        for stix_id, one in _where(tx, and_(entry.c.stix_id.in_(some), entry.c.collection_id == collection_id)):
            found.setdefault(stix_id, []).append(one)
    return found


def _where(tx: Connection, condition: ColumnElement[bool]) -> list[tuple[str, StoredDecision]]:
    c, first = entry.c, audience.alias()
    rows = tx.execute(
        select(
            c.stix_id,
            c.collection_id,
            collection.c.group_id,
            c.version,
            c.date_added,
            c.superseded_at,
            c.expires_at,
            audience.c.key,
            first.c.key.label("first_key"),
            c.author_identity,
            c.introduced,
            c.submitter_peer_id,
            c.tlp,
            c.rule,
            c.reason,
            c.onward_relay,
            signing_key.c.kid,
            c.jss_form,
            c.signed_at,
            c.carrier,
            c.type.label("stix_type"),
            c.sha256,
            peer.c.identity.label("signer"),
        )
        .join(collection, collection.c.id == c.collection_id)
        .join(audience, audience.c.id == c.audience_id)
        .outerjoin(first, first.c.id == c.first_audience_id)
        .outerjoin(signing_key, signing_key.c.id == c.key_id)
        .outerjoin(peer, and_(peer.c.id == signing_key.c.peer_id, signing_key.c.pseudonym_id.is_(None)))
        .where(condition)
        .order_by(c.date_added, c.id)
    )
    found = []
    for row in rows:
        one = row._asdict()
        stix_id = one.pop("stix_id")
        key, first_key = one.pop("key"), one.pop("first_key")
        one["audience"], one["first_audience"] = Audience.from_key(key), Audience.from_key(first_key or key)
        signer = one.pop("signer")
        one["vouched"] = one["carrier"] == "detached" and signer is not None and signer != one["author_identity"]
        one["version"] = one["version"] or format_timestamp(one["date_added"])
        found.append((stix_id, StoredDecision(**one)))
    return found


def embargoes(tx: Connection, stix_id: str) -> list[tuple[int, int, int, int]]:
    """Return (group id, collection id, submitter's peer id, embargo_until) of what is held back of an object."""
    c = held_version.c
    rows = tx.execute(
        select(collection.c.group_id, c.collection_id, c.peer_id, c.embargo_until)
        .join(collection, collection.c.id == c.collection_id)
        .where(c.stix_id == stix_id)
        .order_by(c.embargo_until, c.id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]
