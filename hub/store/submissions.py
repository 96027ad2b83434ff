"""Submissions: what was sent, what became of each object, and what is still to be processed (TAXII 2.1 §4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from hub.errors import Conflict
from hub.store.tables import collection, held_version
from hub.store.tables import submission as table

State = Literal["pending", "complete"]
Line = Mapping[str, Any]
"""A status detail: ``id``, ``version`` and, where there is something to say, ``message``."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One posted envelope. Times are microseconds since the epoch.

    :param sha256: of the decoded body. :param total: objects in it.
    :param receipt: the hub's signed statement, JCS bytes; None while it is pending, and for what is older than that.
    :param supplements: a JSON list of later receipts, of what was held then; None without any.
    """

    uuid: str
    group_id: int
    collection_id: int
    peer_id: int
    credential_id: int | None
    state: State
    received_at: int
    completed_at: int | None
    sha256: bytes
    total: int
    successes: Sequence[Line] = field(default_factory=list)
    failures: Sequence[Line] = field(default_factory=list)
    pendings: Sequence[Line] = field(default_factory=list)
    receipt: bytes | None = None
    supplements: bytes | None = None


def add(tx: Connection, submission: Submission, body: bytes | None) -> None:
    """Record a submission; ``body`` is kept while it is pending, and None for one that is complete already."""
    if (body is None) == (submission.state == "pending"):
        raise ValueError("a pending submission has a body, a complete one has not")
    deletions = select(collection.c.deletions).where(collection.c.id == submission.collection_id).scalar_subquery()
    tx.execute(
        insert(table).values(
            uuid=submission.uuid,
            group_id=submission.group_id,
            collection_id=submission.collection_id,
            peer_id=submission.peer_id,
            credential_id=submission.credential_id,
            received_at=submission.received_at,
            sha256=submission.sha256,
            total=submission.total,
            deletions=deletions,
            body=body,
            **_outcome(submission),
        )
    )


def get(tx: Connection, group_id: int, uuid: str, peer_id: int) -> Submission | None:
    """Return a submission of this peer in this group; anybody else's does not exist."""
    row = tx.execute(_where(table.c.uuid == uuid, table.c.group_id == group_id, table.c.peer_id == peer_id)).first()
    return None if row is None else _submission(row)


def by_uuid(tx: Connection, uuid: str) -> Submission | None:
    """Return a submission of anybody; whoever asks decides who may see it."""
    row = tx.execute(_where(table.c.uuid == uuid)).first()
    return None if row is None else _submission(row)


def repeat_of(tx: Connection, collection_id: int, peer_id: int, sha256: bytes) -> Submission | None:
    """Return the newest submission of the same bytes by the same peer that would have the same result today.

    That is one that was completed without failures, since when nothing was deleted from the collection.
    """
    row = tx.execute(
        _where(
            table.c.collection_id == collection_id,
            table.c.peer_id == peer_id,
            table.c.sha256 == sha256,
            table.c.state == "complete",
            table.c.failed == 0,
            table.c.deletions
            == select(collection.c.deletions).where(collection.c.id == collection_id).scalar_subquery(),
        )
        .order_by(table.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else _submission(row)


def claim(tx: Connection, now: int, lease_us: int) -> tuple[Submission, bytes] | None:
    """Return the oldest pending submission that nobody works on, and its body; it is the caller's for `lease_us`.

    When the lease ends without `complete`, another worker gets it, from its beginning. `progress` renews nothing:
    choose a lease longer than the largest envelope takes.
    """
    row = tx.execute(
        select(table)
        .where(table.c.completed_at.is_(None), or_(table.c.leased_until.is_(None), table.c.leased_until <= now))
        .order_by(table.c.received_at, table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    tx.execute(update(table).where(table.c.id == row.id).values(leased_until=now + lease_us))
    return _submission(row), row.body


def release(tx: Connection) -> int:
    """Give up every lease; return how many. For a worker that starts and knows that it is the only one."""
    return tx.execute(
        update(table).where(table.c.completed_at.is_(None), table.c.leased_until.is_not(None)).values(leased_until=None)
    ).rowcount


def progress(tx: Connection, submission: Submission, *, leased_until: int | None = None) -> None:
    """Record what is done so far, and optionally renew the lease.

    Raises Conflict when it is complete already: another worker took it over, so this transaction must not commit.
    """
    values: dict[str, Any] = _outcome(submission)
    if leased_until is not None:
        values["leased_until"] = leased_until
    _change(tx, submission, values)


def complete(tx: Connection, submission: Submission) -> None:
    """Record the final outcome and drop the body. Raises Conflict when it is complete already."""
    if submission.state != "complete" or submission.completed_at is None:
        raise ValueError("the outcome of a complete submission says when it was completed")
    _change(tx, submission, {**_outcome(submission), "body": None, "leased_until": None})


def supplement(tx: Connection, uuid: str, receipt: bytes, *, now: int) -> None:
    """Keep a later receipt, JCS bytes, behind those that the submission has; nothing when the submission is gone."""
    found = table.c.uuid == uuid
    row = tx.execute(select(table.c.supplements).where(found).with_for_update()).first()
    if row is not None:
        so_far = [] if row.supplements is None else [row.supplements[1:-1]]
        values = {"supplements": b"[" + b",".join([*so_far, receipt]) + b"]", "supplemented_at": now}
        tx.execute(update(table).where(found).values(values))


def purge(tx: Connection, before: int) -> int:
    """Remove submissions that were completed and supplemented before this moment; return how many.

    What they stored stays. One of which something is still held stays as well: its receipt is not finished.
    """
    c = table.c
    return tx.execute(
        delete(table).where(
            c.completed_at < before,
            or_(c.supplemented_at.is_(None), c.supplemented_at < before),
            c.uuid.not_in(select(held_version.c.submission_uuid)),
        )
    ).rowcount


def _change(tx: Connection, submission: Submission, values: dict[str, Any]) -> None:
    statement = update(table).where(table.c.uuid == submission.uuid, table.c.completed_at.is_(None)).values(values)
    if tx.execute(statement).rowcount != 1:
        raise Conflict("the submission was completed by another worker meanwhile")


def _outcome(submission: Submission) -> dict[str, Any]:
    lines = [list(submission.successes), list(submission.failures), list(submission.pendings)]
    return {
        "state": submission.state,
        "completed_at": submission.completed_at,
        "failed": len(submission.failures),
        "details": orjson.dumps(lines, default=dict),
        "receipt": submission.receipt,
    }


def _where(*conditions: ColumnElement[bool]) -> Any:
    c = table.c
    return select(
        c.uuid,
        c.group_id,
        c.collection_id,
        c.peer_id,
        c.credential_id,
        c.state,
        c.received_at,
        c.completed_at,
        c.sha256,
        c.total,
        c.details,
        c.receipt,
        c.supplements,
    ).where(*conditions)


def _submission(row: Row[Any]) -> Submission:
    successes, failures, pendings = orjson.loads(row.details)
    return Submission(
        uuid=row.uuid,
        group_id=row.group_id,
        collection_id=row.collection_id,
        peer_id=row.peer_id,
        credential_id=row.credential_id,
        state=row.state,
        received_at=row.received_at,
        completed_at=row.completed_at,
        sha256=row.sha256,
        total=row.total,
        successes=successes,
        failures=failures,
        pendings=pendings,
        receipt=row.receipt,
        supplements=row.supplements,
    )
