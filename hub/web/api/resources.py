"""Everything the API and ``cybex ... --json`` show, as JSON. Names on the outside, never the database's numbers.

The one number is a credential's id: a certificate or a token has no name that may be shown.
"""

from __future__ import annotations

from typing import Any

from hub.domain.keys import SigningKey
from hub.domain.membership import Caller, Collection, CollectionRights, Credential, Member, Peer, TrustGroup
from hub.domain.taxii_time import format_timestamp
from hub.services.audit import NamedLine
from hub.services.collections import MemberRights, retention_seconds
from hub.services.credentials import Issued
from hub.services.refusals import NamedRefusal
from hub.services.relay_rights import RelayRight

Resource = dict[str, Any]


def instant(us: int | None) -> str | None:
    """Return a time as RFC 3339 with six digits, null for none."""
    return None if us is None else format_timestamp(us)


def caller(who: Caller) -> Resource:
    """Return who is asking."""
    return {"peer": peer(who.peer), "role": who.role.value, "credential": who.credential_id}


def peer(row: Peer) -> Resource:
    """Return a peer."""
    return {
        "handle": row.handle,
        "name": row.name,
        "kind": row.kind.value,
        "identity": row.identity,
        "country": row.country,
        "itu_region": row.itu_region,
        "quantum_safe": row.quantum_safe.value,
        "suspended": row.suspended_at is not None,
    }


def credential(row: Credential) -> Resource:
    """Return a credential without anything secret."""
    return {
        "id": row.id,
        "kind": row.kind.value,
        "role": row.role.value,
        "label": row.label,
        "username": row.username,
        "created_at": instant(row.created_at),
        "expires_at": instant(row.expires_at),
        "revoked_at": instant(row.revoked_at),
        "last_used_at": instant(row.last_used_at),
    }


def issued(row: Issued) -> Resource:
    """Return a new credential with its secret: the only time it is shown."""
    return credential(row.credential) | {"secret": row.secret}


def key(row: SigningKey) -> Resource:
    """Return a signing key."""
    return {
        "kid": row.kid,
        "identity": row.identity,
        "algorithm": row.algorithm,
        "public_key": row.public_key,
        "valid_from": instant(row.valid_from),
        "valid_until": instant(row.valid_until),
        "revoked_at": instant(row.revoked_at),
        "revocation_reason": row.revocation_reason,
    }


def group(row: TrustGroup) -> Resource:
    """Return a trust group."""
    return {
        "slug": row.slug,
        "title": row.title,
        "description": row.description,
        "default_tlp": row.default_tlp,
        "tlp_ceiling": row.tlp_ceiling,
        "signature_required": row.signature_required,
        "quantum_safe": row.quantum_safe.value,
        "member_visibility": row.member_visibility.value,
        "two_person": row.two_person,
        "pseudonyms": row.pseudonyms,
    }


def member(row: tuple[Peer, Member]) -> Resource:
    """Return a member with his rights in the group."""
    who, membership = row
    return {
        "handle": who.handle,
        "name": who.name,
        "identity": who.identity,
        "rights": sorted(right.value for right in membership.rights),
        "suspended": membership.suspended_at is not None,
        "joined_at": instant(membership.joined_at),
    }


def collection(row: tuple[Collection, CollectionRights | None]) -> Resource:
    """Return a collection with the rights of the one who asks; an operator who is no member has none."""
    opened, rights = row
    return {
        "id": opened.uuid,
        "title": opened.title,
        "description": opened.description,
        "alias": opened.alias,
        "allowed_types": None if opened.allowed_types is None else sorted(opened.allowed_types),
        "can_read": rights is not None and rights.can_read,
        "can_write": rights is not None and rights.can_write,
        "retention": dict(retention_seconds(opened.retention)),
    }


def member_rights(row: MemberRights) -> Resource:
    """Return what was set for a member in a collection (null: as in the group) and what follows from it."""
    effective = row.rights
    return {
        "handle": row.peer.handle,
        "can_read": row.override[0],
        "can_write": row.override[1],
        "effective": {
            "can_read": effective is not None and effective.can_read,
            "can_write": effective is not None and effective.can_write,
        },
    }


def relay_right(row: RelayRight) -> Resource:
    """Return a relay right."""
    return {"handle": row.peer.handle, "author_identity": row.author_identity}


def refusal(row: NamedRefusal) -> Resource:
    """Return a refusal; the bytes that were refused are not shown."""
    refused = row.refusal
    return {
        "at": instant(refused.at),
        "handle": row.handle,
        "collection": row.collection,
        "stix_id": refused.stix_id,
        "version": refused.version,
        "rule": refused.rule,
        "reason": refused.reason,
        "submission": refused.submission_uuid,
        "sha256": None if refused.sha256 is None else refused.sha256.hex(),
    }


def audit_line(row: NamedLine) -> Resource:
    """Return an audit line."""
    return {
        "at": instant(row.line.at),
        "handle": row.handle,
        "credential": row.line.credential_id,
        "action": row.line.action,
        "subject": row.line.subject,
        "detail": row.line.detail,
    }
