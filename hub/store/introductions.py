"""What other hubs say of authors at home there, and which hub has heard what from this one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from hub.store.batches import batches
from hub.store.tables import introduction, introduction_sent


@dataclass(frozen=True, slots=True)
class Kept:
    """An introduction as it was received: JCS bytes with the home hub's signature. ``issued_at`` in microseconds."""

    subject_identity: str
    home_peer_id: int
    via_peer_id: int
    issued_at: int
    sha256: bytes  # of what it says
    document: bytes


def keep(tx: Connection, kept: Kept, *, now: int) -> None:
    """Store an introduction in place of an earlier one of the same name."""
    tx.execute(delete(introduction).where(introduction.c.subject_identity == kept.subject_identity))
    tx.execute(
        insert(introduction).values(
            subject_identity=kept.subject_identity,
            home_peer_id=kept.home_peer_id,
            via_peer_id=kept.via_peer_id,
            issued_at=kept.issued_at,
            sha256=kept.sha256,
            document=kept.document,
            received_at=now,
        )
    )


def of(tx: Connection, identities: Collection[str]) -> dict[str, Kept]:
    """Return the introductions of these names."""
    c, found = introduction.c, dict[str, Kept]()
    for some in batches(sorted(identities)):
        rows = tx.execute(select(introduction).where(c.subject_identity.in_(some)))
        found.update(
            (
                row.subject_identity,
                Kept(
                    row.subject_identity,
                    row.home_peer_id,
                    row.via_peer_id,
                    row.issued_at,
                    bytes(row.sha256),
                    bytes(row.document),
                ),
            )
            for row in rows
        )
    return found


def sent_to(tx: Connection, peer_id: int) -> dict[str, bytes]:
    """Return, by name, the digest of the introduction that a hub has confirmed."""
    c = introduction_sent.c
    rows = tx.execute(select(c.subject_identity, c.sha256).where(c.peer_id == peer_id))
    return {row.subject_identity: bytes(row.sha256) for row in rows}


def note_sent(tx: Connection, peer_id: int, digests: Mapping[str, bytes], *, now: int) -> None:
    """Note that a hub has confirmed these introductions."""
    for some in batches(sorted(digests)):
        c = introduction_sent.c
        tx.execute(delete(introduction_sent).where(c.peer_id == peer_id, c.subject_identity.in_(some)))
        tx.execute(
            insert(introduction_sent),
            [{"peer_id": peer_id, "subject_identity": one, "sha256": digests[one], "at": now} for one in some],
        )
