"""Agreements, links and dead letters as the API and ``cybex ... --json`` show them."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.agreement import Agreement
from hub.services.agreements import Kept
from hub.services.crossing import Crossing, words
from hub.services.links import Progress, Seen, Shown
from hub.store.dead_letters import DeadLetter
from hub.web.api.resources import Resource, instant

_SECOND = 1_000_000


def agreement(row: Kept) -> Resource:
    """Return an agreement, with the document as it is handed to the other hub."""
    return {
        "id": row.agreement.id,
        "peer": row.peer.handle,
        "state": row.stored.state,
        "in_force": row.in_force,
        "groups": groups(row.agreement),
        "hop_budget": row.agreement.hop_budget,
        "valid_from": instant(row.agreement.valid_from),
        "expires": instant(row.agreement.expires),
        "created_at": instant(row.stored.created_at),
        "agreed_at": instant(row.stored.agreed_at),
        "ended_at": instant(row.stored.ended_at),
        "document": row.document,
    }


def groups(row: Agreement) -> list[Resource]:
    """Return the pairs of groups, the first hub's group first."""
    return [
        {
            "slugs": list(one.slugs),
            "direction": one.direction,
            "tlp_ceiling": one.tlp_ceiling,
            "types": None if one.types is None else sorted(one.types),
            "same_group": one.same_group,
        }
        for one in row.groups
    ]


def link(row: Shown) -> Resource:
    """Return a link and how it is doing; its credential is shown to nobody."""
    return {
        "peer": row.peer.handle,
        "url": row.link.url,
        "push": row.link.push,
        "pull": row.link.pull,
        "allow_private": row.link.allow_private,
        "max_bytes": row.link.max_bytes,
        "paused": row.link.paused_at is not None,
        "state": row.state,
        "summary": row.said,
        "agreement": None if row.agreement is None else row.agreement.id,
        "agreement_expires": None if row.agreement is None else instant(row.agreement.expires),
        "created_at": instant(row.link.created_at),
        "last_attempt_at": instant(row.link.last_attempt_at),
        "last_success_at": instant(row.link.last_success_at),
        "last_error": row.link.last_error,
        "failures": row.link.failures,
        "retry_at": instant(row.link.retry_at),
        "sent_octets": row.link.sent_octets,
        "received_octets": row.link.received_octets,
        "dead_letters": row.letters,
        "collections": progress(row.progress),
    }


def seen(row: Seen) -> Resource:
    """Return what another hub may know of its own link here."""
    return {
        "agreement": None if row.agreement is None else row.agreement.id,
        "agreement_expires": None if row.agreement is None else instant(row.agreement.expires),
        "paused": row.paused,
        "failures": row.failures,
        "retry_at": instant(row.retry_at),
        "last_success_at": instant(row.last_success_at),
        "dead_letters": row.letters,
        "quota": {
            "objects": row.quota[0],
            "octets": row.quota[1],
            "used_objects": row.used[0],
            "used_octets": row.used[1],
        },
        "collections": progress(row.progress),
    }


def progress(rows: Sequence[Progress]) -> list[Resource]:
    """Return how far each collection has come."""
    return [
        {
            "group": one.group,
            "collection": one.collection,
            "direction": one.direction,
            "position": one.position,
            "objects": one.objects,
            "updated_at": instant(one.updated_at),
            "waiting": one.waiting,
            "behind_seconds": None if one.behind_us is None else one.behind_us // _SECOND,
        }
        for one in rows
    ]


def crossing(row: Crossing) -> Resource:
    """Return whether a version crosses to another hub."""
    return {
        "peer": row.peer.handle,
        "crosses": row.decision.allowed,
        "rule": row.decision.rule,
        "reason": row.decision.reason,
        "agreement": row.agreement,
        "hops": row.hops,
        "summary": words(row),
    }


def handed_over(row: Crossing) -> Resource:
    """Return what another hub was handed of a version, null where nothing was."""
    handed = row.handed
    return crossing(row) | {
        "handed": None
        if handed is None
        else {
            "outcome": handed.outcome,
            "rule": handed.rule,
            "at": instant(handed.at),
            "how": handed.how,
            "batch": handed.batch,
            "receipt": handed.receipted,
        }
    }


def dead_letter(row: DeadLetter) -> Resource:
    """Return a dead letter."""
    return {
        "id": row.uuid,
        "peer": row.peer,
        "group": row.group,
        "collection": row.collection,
        "direction": row.direction,
        "object": row.stix_id,
        "version": row.version,
        "sha256": None if row.sha256 is None else bytes(row.sha256).hex(),
        "rule": row.rule,
        "reason": row.reason,
        "attempts": row.attempts,
        "first_at": instant(row.first_at),
        "last_at": instant(row.last_at),
        "state": row.state,
        "settled_at": instant(row.settled_at),
    }
