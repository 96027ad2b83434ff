"""One line for everything an operator, moderator or administrator does: who, with which credential, what, when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain.log_event import Event
from hub.domain.membership import Caller
from hub.domain.taxii_time import format_timestamp
from hub.services import transparency
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.store import audit as audit_store
from hub.store import peers as peer_store
from hub.store.audit import AuditLine


def record(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    action: str,
    subject: str,
    about: int | None = None,
    /,
    **detail: object,
) -> None:
    """Write the line and its leaf in the transaction of the change itself, so that there is never one without another.

    The log is locked from here to the end of the transaction: record last.

    :param action: dotted nouns and verbs such as ``member.suspend``.
    :param subject: public names only, such as ``groups/alpha/members/aa``.
    :param about: id of the peer whom it concerns, who may open the leaf.
    :param detail: what was set; never a secret. Names that end in ``_at``, ``_from`` or ``_until`` are times.
    """
    caller = actor if isinstance(actor, Caller) else None
    now = hub.clock()
    readable = {name: _readable(name, value) for name, value in detail.items()}
    event = Event(
        action,
        {
            "actor": "the hub's own machine" if caller is None else caller.peer.identity,
            "at": format_timestamp(now),
            "detail": readable,
            "subject": subject,
        },
        None if caller is None else caller.peer.id,
        about,
    )
    (log_index,) = transparency.append(tx, hub, [event], now=now)
    audit_store.add(
        tx,
        at=now,
        actor_peer_id=None if caller is None else caller.peer.id,
        credential_id=None if caller is None else caller.credential_id,
        action=action,
        subject=subject,
        detail=readable,
        log_index=log_index,
    )


def _readable(name: str, value: object) -> object:
    if isinstance(value, int) and name.endswith(("_at", "_from", "_until")):
        return format_timestamp(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A line with the handle of the peer that acted; None is the hub's own machine."""

    line: AuditLine
    handle: str | None


def recent(hub: Hub, actor: Actor, *, limit: int, before: int | None = None) -> list[NamedLine]:
    """Return the newest lines, the newest first; ``before`` is the id of the last one seen. Operators only."""
    require_operator(actor)
    with hub.db.read() as tx:
        rows = audit_store.recent(tx, limit=limit, before=before)
        handles = {peer.id: peer.handle for peer in peer_store.all(tx)}
    return [NamedLine(row, None if row.actor_peer_id is None else handles[row.actor_peer_id]) for row in rows]
