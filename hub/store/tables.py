"""Every table of the hub, as SQLAlchemy metadata; a test proves the migrations equal to it on both databases.

Identifiers inside the database are integers. Times are microseconds since the epoch. Texts that are matched or ordered
bytewise (STIX ids, versions, UUIDs) carry ``COLLATE "C"`` on PostgreSQL, which is what SQLite does anyway.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    }
)

# SQLite counts its rows only in a column declared INTEGER, which holds 64 bits there.
Id: Final[TypeEngine[int]] = BigInteger().with_variant(Integer, "sqlite")
Micros: Final[TypeEngine[int]] = BigInteger()
Bytewise: Final[TypeEngine[str]] = Text().with_variant(Text(collation="C"), "postgresql")
Octets: Final[TypeEngine[bytes]] = LargeBinary()


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _peer(name: str = "peer_id", *, primary_key: bool = False) -> Column[int]:
    return Column(name, Id, ForeignKey("peer.id"), primary_key=primary_key, nullable=False, autoincrement=False)


peer: Final = Table(
    "peer",
    metadata,
    _id(),
    Column("handle", Bytewise, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("identity", Bytewise, nullable=False, unique=True),
    Column("country", Text),
    Column("itu_region", Text),
    Column("suspended_at", Micros),
    Column("created_at", Micros, nullable=False),
)

credential: Final = Table(
    "credential",
    metadata,
    _id(),
    _peer(),
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

trust_group: Final = Table(
    "trust_group",
    metadata,
    _id(),
    Column("slug", Bytewise, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("default_tlp", Text, nullable=False),
    Column("tlp_ceiling", Text, nullable=False),
    Column("signature_required", Boolean, nullable=False),
    Column("created_at", Micros, nullable=False),
)

member: Final = Table(
    "member",
    metadata,
    Column("group_id", Id, ForeignKey("trust_group.id"), primary_key=True, autoincrement=False),
    _peer(primary_key=True),
    Column("may_read", Boolean, nullable=False),
    Column("may_write", Boolean, nullable=False),
    Column("may_moderate", Boolean, nullable=False),
    Column("suspended_at", Micros),
    Column("joined_at", Micros, nullable=False),
    Index("member_peer", "peer_id"),
)

collection: Final = Table(
    "collection",
    metadata,
    _id(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("alias", Bytewise),
    Column("allowed_types", Text),  # comma-separated, sorted; null is every type
    Column("created_at", Micros, nullable=False),
    # What follows changes under the collection's lock only.
    Column("last_date_added", Micros, nullable=False, server_default="0"),
    Column("entries", BigInteger, nullable=False, server_default="0"),
    Column("deletions", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("group_id", "alias"),
)

collection_override: Final = Table(
    "collection_override",
    metadata,
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    _peer(primary_key=True),
    Column("can_read", Boolean),
    Column("can_write", Boolean),
)

relay_right: Final = Table(
    "relay_right",
    metadata,
    Column("group_id", Id, ForeignKey("trust_group.id"), primary_key=True, autoincrement=False),
    _peer(primary_key=True),
    Column("author_identity", Bytewise, primary_key=True),
    Column("granted_at", Micros, nullable=False),
)

signing_key: Final = Table(
    "signing_key",
    metadata,
    _id(),
    _peer(),
    Column("kid", Bytewise, nullable=False, unique=True),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("valid_from", Micros, nullable=False),
    Column("valid_until", Micros),
    Column("revoked_at", Micros),
    Column("revocation_reason", Text),
    Column("created_at", Micros, nullable=False),
    Index("signing_key_peer", "peer_id"),
)

WHOLE_GROUP_ID: Final = 1
"""Row of `audience` that admits every member; made by the first migration, so that most entries need no look-up."""

audience: Final = Table(
    "audience",
    metadata,
    _id(),
    # The key of an audience of 1,000 peers is longer than an index entry may be, hence the digest.
    Column("digest", Octets, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
)

audience_peer: Final = Table(
    "audience_peer",
    metadata,
    Column("audience_id", Id, ForeignKey("audience.id"), primary_key=True, autoincrement=False),
    _peer(primary_key=True),
)

entry: Final = Table(
    "entry",
    metadata,
    _id(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    Column("date_added", Micros, nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("type", Bytewise, nullable=False),
    Column("version", Bytewise),  # null: the object has no version of its own, date_added is
    Column("version_key", Bytewise, nullable=False),
    Column("audience_id", Id, ForeignKey("audience.id"), nullable=False),
    Column("superseded_at", Micros),
    Column("expires_at", Micros),
    Column("size", Integer, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("author_identity", Bytewise),
    Column("introduced", Boolean, nullable=False),
    _peer("submitter_peer_id"),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("tlp", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("onward_relay", Boolean, nullable=False),
    Column("key_id", Id, ForeignKey("signing_key.id")),
    Column("jss_form", Text),
    Column("signed_at", Micros),
    Column("carrier", Text),
    Column("related_to", Bytewise),  # of a detached signature: the object it signs
    Column("body", Octets, nullable=False),  # last, so that SQLite reaches the others without its overflow pages
    Index("entry_date", "collection_id", "date_added", unique=True),
    # Every condition of a page that is not about one object is decided inside this index.
    Index(
        "entry_page",
        "collection_id",
        "date_added",
        "audience_id",
        "superseded_at",
        "expires_at",
        "type",
        "version_key",
        "size",
        postgresql_include=["id"],
    ),
    Index("entry_version", "stix_id", "collection_id", "version_key", unique=True),
    Index(
        "entry_related",
        "related_to",
        "collection_id",
        sqlite_where=text("related_to IS NOT NULL"),
        postgresql_where=text("related_to IS NOT NULL"),
    ),
    # Vacuum marks what an index alone may answer for: by default only after a fifth of the table is new.
    postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02},
)

tombstone: Final = Table(
    "tombstone",
    metadata,
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    Column("stix_id", Bytewise, primary_key=True),
    Column("version_key", Bytewise, primary_key=True),  # empty: the whole object
    Column("deleted_at", Micros, nullable=False),
    _peer("owner_peer_id"),
)

submission: Final = Table(
    "submission",
    metadata,
    _id(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    _peer(),
    Column("credential_id", Id, ForeignKey("credential.id")),
    Column("state", Text, nullable=False),
    Column("received_at", Micros, nullable=False),
    Column("completed_at", Micros),
    Column("leased_until", Micros),
    Column("sha256", Octets, nullable=False),
    Column("total", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("deletions", BigInteger, nullable=False),  # of the collection, when this was received
    Column("details", Octets, nullable=False),  # compact JSON: successes, failures, pendings
    Column("body", Octets),  # while pending
    Index("submission_repeat", "collection_id", "peer_id", "sha256"),
    Index("submission_completed", "completed_at"),
    Index(
        "submission_pending",
        "received_at",
        "id",
        sqlite_where=text("completed_at IS NULL"),
        postgresql_where=text("completed_at IS NULL"),
    ),
)

refusal: Final = Table(
    "refusal",
    metadata,
    _id(),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    _peer(),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sha256", Octets),
    Column("at", Micros, nullable=False),
    Column("body", Octets),
)

held_version: Final = Table(
    "held_version",
    metadata,
    _id(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    _peer(),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("embargo_until", Micros, nullable=False),
    Column("body", Octets, nullable=False),
    UniqueConstraint("stix_id", "collection_id", "peer_id", "sha256"),
    Index("held_version_due", "embargo_until", "id"),
)

audit_line: Final = Table(
    "audit_line",
    metadata,
    _id(),
    Column("at", Micros, nullable=False),
    Column("actor_peer_id", Id, ForeignKey("peer.id")),
    Column("credential_id", Id, ForeignKey("credential.id")),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Octets, nullable=False),  # compact JSON
)
