"""Database rows as the values of `hub.domain`; works on any row that selected the table, joined or not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from hub.domain.keys import SigningKey
from hub.domain.membership import (
    Collection,
    Credential,
    CredentialKind,
    Member,
    Peer,
    PeerKind,
    Right,
    Role,
    TrustGroup,
)
from hub.store import tables


def peer_of(row: Row[Any]) -> Peer:
    """Return the peer in a row of `tables.peer`."""
    given, c = row._mapping, tables.peer.c
    return Peer(
        id=given[c.id],
        handle=given[c.handle],
        name=given[c.name],
        kind=PeerKind(given[c.kind]),
        identity=given[c.identity],
        country=given[c.country],
        itu_region=given[c.itu_region],
        suspended_at=given[c.suspended_at],
        created_at=given[c.created_at],
    )


def credential_of(row: Row[Any]) -> Credential:
    """Return the credential in a row of `tables.credential`, without what proves it."""
    given, c = row._mapping, tables.credential.c
    return Credential(
        id=given[c.id],
        peer_id=given[c.peer_id],
        kind=CredentialKind(given[c.kind]),
        role=Role(given[c.role]),
        label=given[c.label],
        username=given[c.username],
        created_at=given[c.created_at],
        expires_at=given[c.expires_at],
        revoked_at=given[c.revoked_at],
        last_used_at=given[c.last_used_at],
    )


def group_of(row: Row[Any]) -> TrustGroup:
    """Return the trust group in a row of `tables.trust_group`."""
    given, c = row._mapping, tables.trust_group.c
    return TrustGroup(
        id=given[c.id],
        slug=given[c.slug],
        title=given[c.title],
        description=given[c.description],
        default_tlp=given[c.default_tlp],
        tlp_ceiling=given[c.tlp_ceiling],
        signature_required=given[c.signature_required],
        created_at=given[c.created_at],
    )


def member_of(row: Row[Any]) -> Member:
    """Return the membership in a row of `tables.member`."""
    given, c = row._mapping, tables.member.c
    held = ((c.may_read, Right.READ), (c.may_write, Right.WRITE), (c.may_moderate, Right.MODERATE))
    return Member(
        group_id=given[c.group_id],
        peer_id=given[c.peer_id],
        rights=frozenset(right for column, right in held if given[column]),
        suspended_at=given[c.suspended_at],
        joined_at=given[c.joined_at],
    )


def collection_of(row: Row[Any]) -> Collection:
    """Return the collection in a row of `tables.collection`."""
    given, c = row._mapping, tables.collection.c
    types = given[c.allowed_types]
    return Collection(
        id=given[c.id],
        uuid=given[c.uuid],
        group_id=given[c.group_id],
        title=given[c.title],
        description=given[c.description],
        alias=given[c.alias],
        allowed_types=None if types is None else frozenset(filter(None, types.split(","))),
        created_at=given[c.created_at],
    )


def override_of(row: Row[Any]) -> tuple[bool | None, bool | None] | None:
    """Return (can_read, can_write) in a row that outer-joined `tables.collection_override`; None when none is set."""
    given, c = row._mapping, tables.collection_override.c
    override = (given[c.can_read], given[c.can_write])
    return None if override == (None, None) else override


def key_of(row: Row[Any]) -> SigningKey:
    """Return the signing key in a row that joined `tables.signing_key` with its peer's identity."""
    given, c = row._mapping, tables.signing_key.c
    return SigningKey(
        id=given[c.id],
        peer_id=given[c.peer_id],
        identity=given[tables.peer.c.identity],
        kid=given[c.kid],
        algorithm=given[c.algorithm],
        public_key=given[c.public_key],
        valid_from=given[c.valid_from],
        valid_until=given[c.valid_until],
        revoked_at=given[c.revoked_at],
        revocation_reason=given[c.revocation_reason],
        created_at=given[c.created_at],
    )
