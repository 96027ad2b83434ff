"""One line for everything an operator, moderator or administrator does: who, with which credential, what, when."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.domain.membership import Caller
from hub.services.actor import Actor
from hub.services.context import Hub
from hub.store import audit as audit_store


def record(tx: Connection, hub: Hub, actor: Actor, action: str, subject: str, **detail: object) -> None:
    """Write the line in the transaction of the change itself, so that there is never one without the other.

    :param action: dotted nouns and verbs such as ``member.suspend``.
    :param subject: public names only, such as ``groups/alpha/members/aa``.
    :param detail: what was set; never a secret.
    """
    caller = actor if isinstance(actor, Caller) else None
    audit_store.add(
        tx,
        at=hub.clock(),
        actor_peer_id=None if caller is None else caller.peer.id,
        credential_id=None if caller is None else caller.credential_id,
        action=action,
        subject=subject,
        detail=detail,
    )
