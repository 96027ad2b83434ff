"""Peers, their credentials and keys, and the names they publish under."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from hub.store.tables.columns import Bytewise, Id, Micros, Octets, id_column, metadata, peer_column

peer: Final = Table(
    "peer",
    metadata,
    id_column(),
    Column("handle", Bytewise, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("identity", Bytewise, nullable=False, unique=True),
    Column("country", Text),
    Column("itu_region", Text),
    Column("suspended_at", Micros),
    Column("created_at", Micros, nullable=False),
    Column("quantum_safe", Text, nullable=False, server_default="optional"),
    Column("home_peer_id", Id),  # the hub that introduced this author; null: a peer of this hub
    Column("quota_objects", BigInteger),  # in an hour; null is the hub's own bound
    Column("quota_octets", BigInteger),
)

credential: Final = Table(
    "credential",
    metadata,
    id_column(),
    peer_column(),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("username", Bytewise),
    Column("lookup", Bytewise, unique=True),
    Column("fingerprint", Bytewise),
    Column("salt", Octets, nullable=False),
    Column("secret_hash", Octets, nullable=False),
    Column("created_at", Micros, nullable=False),
    Column("expires_at", Micros),
    Column("revoked_at", Micros),
    Column("last_used_at", Micros),
    Index("credential_peer", "peer_id"),
    # A revoked credential keeps its line for the audit, but its user name and certificate may be used again.
    Index(
        "credential_username",
        "username",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
    Index(
        "credential_fingerprint",
        "fingerprint",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

signing_key: Final = Table(
    "signing_key",
    metadata,
    id_column(),
    peer_column(),
    Column("kid", Bytewise, nullable=False, unique=True),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("valid_from", Micros, nullable=False),
    Column("valid_until", Micros),
    Column("revoked_at", Micros),
    Column("revocation_reason", Text),
    Column("created_at", Micros, nullable=False),
    Column("pseudonym_id", Id),  # null: the peer signs in its own name
    Column("reported_at", Micros),  # when the hub was told of the revocation
    Index("signing_key_peer", "peer_id"),
)

key_statement: Final = Table(
    "key_statement",
    metadata,
    id_column(),
    Column("key_id", Id, ForeignKey("signing_key.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("at", Micros, nullable=False),
    Column(
        "statement", Octets, nullable=False
    ),  # JCS bytes, signed: by the peer's key, or by the hub's for an operator
    Index("key_statement_key", "key_id"),
)

pseudonym: Final = Table(
    "pseudonym",
    metadata,
    id_column(),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    peer_column(),
    Column("identity", Bytewise, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", Micros, nullable=False),
    UniqueConstraint("group_id", "peer_id"),
)
