"""What is stored and served, who may see it, and how it came in."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from hub.store.tables.columns import Bytewise, Id, Micros, Octets, id_column, metadata, peer_column

WHOLE_GROUP_ID: Final = 1
"""Row of `audience` that admits every member; made by the first migration, so that most entries need no look-up."""

audience: Final = Table(
    "audience",
    metadata,
    id_column(),
    # The key of an audience of 1,000 peers is longer than an index entry may be, hence the digest.
    Column("digest", Octets, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
)

audience_peer: Final = Table(
    "audience_peer",
    metadata,
    Column("audience_id", Id, ForeignKey("audience.id"), primary_key=True, autoincrement=False),
    peer_column(primary_key=True),
)

entry: Final = Table(
    "entry",
    metadata,
    id_column(),
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
    peer_column("submitter_peer_id"),
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
    Column("body", Octets, nullable=False),  # after what pages need: SQLite reaches it without its overflow pages
    Column("log_index", BigInteger),
    Column("first_audience_id", Id),  # null: the audience was never narrowed
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
    peer_column("owner_peer_id"),
    Column("moderated", Boolean, nullable=False, server_default=false()),  # its owner has to ask a moderator, too
)

submission: Final = Table(
    "submission",
    metadata,
    id_column(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    peer_column(),
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
    Column("receipt", Octets),  # JCS bytes, signed by the hub; null while pending
    # A JSON list of the later receipts, one for each part of what was held that has been decided on since.
    Column("supplements", Octets),
    Column("supplemented_at", Micros),
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
    id_column(),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    peer_column(),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sha256", Octets),
    Column("at", Micros, nullable=False),
    Column("body", Octets),
    Column("log_index", BigInteger),
)

held_version: Final = Table(
    "held_version",
    metadata,
    id_column(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    peer_column(),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("embargo_until", Micros, nullable=False),
    Column("body", Octets, nullable=False),
    UniqueConstraint("stix_id", "collection_id", "peer_id", "sha256"),
    Index("held_version_due", "embargo_until", "id"),
)
