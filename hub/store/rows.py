"""Database rows as the values of `hub.domain`; works on any row that selected the table, joined or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row

from hub.domain.keys import SigningKey
from hub.domain.membership import (
    Collection,
    Credential,
    CredentialKind,
    Member,
    MemberVisibility,
    Peer,
    PeerKind,
    QuantumSafe,
    Retention,
    Right,
    Role,
    TrustGroup,
)
from hub.store import tables

_RIGHTS: Final = (Right.READ, Right.WRITE, Right.MODERATE)
"""In the order of the columns `may_read`, `may_write` and `may_moderate`."""


PEER: Final = len(tables.peer.c)
CREDENTIAL: Final = len(tables.credential.c)
GROUP: Final = len(tables.trust_group.c)
COLLECTION: Final = len(tables.collection.c)
MEMBER: Final = len(tables.member.c)
"""How many values of a row are those of each table."""


def peer_of(row: Row[Any]) -> Peer:
    """Return the peer in a row of `tables.peer`."""
    return peer_from([row._mapping[column] for column in tables.peer.c])


def peer_from(values: Sequence[Any]) -> Peer:
    """Return the peer of the values of `tables.peer`, in the table's order."""
    peer_id, handle, name, kind, identity, country, itu_region, suspended_at, created_at, quantum_safe, *abroad = values
    return Peer(
        peer_id,
        handle,
        name,
        PeerKind(kind),
        identity,
        country,
        itu_region,
        suspended_at,
        created_at,
        QuantumSafe(quantum_safe),
        *abroad,
    )


def credential_of(row: Row[Any]) -> Credential:
    """Return the credential in a row of `tables.credential`, without what proves it."""
    return credential_from([row._mapping[column] for column in tables.credential.c])[0]


def credential_from(values: Sequence[Any]) -> tuple[Credential, bytes, bytes]:
    """Return the credential of the values of `tables.credential`, in the table's order, its salt and its hash."""
    credential_id, peer_id, kind, role, label, username, _, _, salt, secret_hash, *times = values
    credential = Credential(credential_id, peer_id, CredentialKind(kind), Role(role), label, username, *times)
    return credential, salt, secret_hash


def group_of(row: Row[Any]) -> TrustGroup:
    """Return the trust group in a row of `tables.trust_group`."""
    return group_from([row._mapping[column] for column in tables.trust_group.c])


def group_from(values: Sequence[Any]) -> TrustGroup:
    """Return the trust group of the values of `tables.trust_group`, in the table's order."""
    group_id, slug, title, description, default_tlp, tlp_ceiling, signature_required, created_at, *settings = values
    quantum_safe, member_visibility, two_person, pseudonyms = settings
    return TrustGroup(
        group_id,
        slug,
        title,
        description,
        default_tlp,
        tlp_ceiling,
        bool(signature_required),
        created_at,
        QuantumSafe(quantum_safe),
        MemberVisibility(member_visibility),
        bool(two_person),
        bool(pseudonyms),
    )


def member_of(row: Row[Any]) -> Member:
    """Return the membership in a row of `tables.member`."""
    return member_from([row._mapping[column] for column in tables.member.c])


def member_from(values: Sequence[Any]) -> Member:
    """Return the membership of the values of `tables.member`, in the table's order."""
    group_id, peer_id, *held, suspended_at, joined_at = values
    rights = frozenset(right for right, has in zip(_RIGHTS, held, strict=True) if has)
    return Member(group_id, peer_id, rights, suspended_at, joined_at)


def collection_of(row: Row[Any]) -> Collection:
    """Return the collection in a row of `tables.collection`."""
    return collection_from([row._mapping[column] for column in tables.collection.c])


def collection_from(values: Sequence[Any]) -> Collection:
    """Return the collection of the values of `tables.collection`, in the table's order."""
    collection_id, uuid, group_id, title, description, alias, types, created_at = values[:8]
    retention = Retention(*values[11:14])
    allowed = None if types is None else frozenset(filter(None, types.split(",")))
    return Collection(collection_id, uuid, group_id, title, description, alias, allowed, created_at, retention)


def override_from(values: Sequence[Any]) -> tuple[bool | None, bool | None] | None:
    """Return (can_read, can_write) out of an outer join with `tables.collection_override`; None when none is set."""
    read, write = (None if value is None else bool(value) for value in values)
    return None if read is None and write is None else (read, write)


PSEUDONYM_IDENTITY: Final = "pseudonym_identity"
"""Label of the identity of the pseudonym that a key signs for; null when it signs in its peer's own name."""


def key_of(row: Row[Any]) -> SigningKey:
    """Return the signing key in a row that joined `tables.signing_key` with the identity it signs for."""
    given, c = row._mapping, tables.signing_key.c
    return SigningKey(
        id=given[c.id],
        peer_id=given[c.peer_id],
        identity=given.get(PSEUDONYM_IDENTITY) or given[tables.peer.c.identity],
        kid=given[c.kid],
        algorithm=given[c.algorithm],
        public_key=given[c.public_key],
        valid_from=given[c.valid_from],
        valid_until=given[c.valid_until],
        revoked_at=given[c.revoked_at],
        revocation_reason=given[c.revocation_reason],
        created_at=given[c.created_at],
        pseudonym_id=given[c.pseudonym_id],
        reported_at=given[c.reported_at],
    )
