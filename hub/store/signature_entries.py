"""Stored detached signatures: which are withdrawn, and what is needed to verify those over one object again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from hub.domain.audience import Audience
from hub.domain.canonical import parse
from hub.domain.taxii_time import format_timestamp
from hub.store.batches import batches
from hub.store.tables import audience, collection, entry

SIGNATURE_TYPE = "jss-signature"


@dataclass(frozen=True, slots=True)
class StoredBody:
    """One stored version with its bytes and what decides who may read it. Times are microseconds since the epoch.

    :param version: as the object spells it; of a version-less object its date_added.
    :param jss_form: hex or raw, as found when it came; of a detached signature its own.
    """

    collection_id: int
    group_id: int
    stix_id: str
    version: str
    date_added: int
    expires_at: int | None
    audience: Audience
    author_identity: str | None
    submitter_peer_id: int
    jss_form: str | None
    body: bytes


def withdrawn(tx: Connection, signature_ids: Sequence[str]) -> set[str]:
    """Return those of these detached signatures that their signers have withdrawn, in any collection of the hub."""
    found = set()
    for some in batches(sorted(set(signature_ids))):
        rows = tx.execute(
            select(entry.c.stix_id, entry.c.body).where(entry.c.stix_id.in_(some), entry.c.type == SIGNATURE_TYPE)
        )
        for stix_id, body in rows:
            if b'"revoked":true' in body:  # parsing costs more
                wrapper = parse(body)
                if isinstance(wrapper, dict) and wrapper.get("revoked") is True:
                    found.add(stix_id)
    return found


def versions(tx: Connection, stix_id: str, limit: int) -> list[StoredBody]:
    """Return the latest ``limit`` stored versions of an object, in any collection of the hub, by date."""
    return _bodies(tx, entry.c.stix_id == stix_id, limit)


def over(tx: Connection, stix_id: str, limit: int) -> list[StoredBody]:
    """Return the latest ``limit`` versions of detached signatures over an object, in any collection, by date."""
    return _bodies(tx, entry.c.related_to == stix_id, limit)


def _bodies(tx: Connection, condition: ColumnElement[bool], limit: int) -> list[StoredBody]:
    c = entry.c
    rows = tx.execute(
        select(
            c.collection_id,
            collection.c.group_id,
            c.stix_id,
            c.version,
            c.date_added,
            c.expires_at,
            audience.c.key,
            c.author_identity,
            c.submitter_peer_id,
            c.jss_form,
            c.body,
        )
        .join(collection, collection.c.id == c.collection_id)
        .join(audience, audience.c.id == c.audience_id)
        .where(condition)
        .order_by(c.date_added.desc(), c.id.desc())
        .limit(limit)
    )
    found = []
    for row in rows:
        one = row._asdict()
        one["audience"] = Audience.from_key(one.pop("key"))
        one["version"] = one["version"] or format_timestamp(one["date_added"])
        found.append(StoredBody(**one))
    return found[::-1]
