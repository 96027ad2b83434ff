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
    false,
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
    Column("quantum_safe", Text, nullable=False, server_default="optional"),
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
    Column("quantum_safe", Text, nullable=False, server_default="optional"),
    Column("member_visibility", Text, nullable=False, server_default="open"),
    Column("two_person", Boolean, nullable=False, server_default=false()),
    Column("pseudonyms", Boolean, nullable=False, server_default=false()),
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
    # Retention, microseconds; null keeps for ever.
    Column("retain_added", Micros),  # after date_added
    Column("retain_expired", Micros),  # after the object's own valid_until
    Column("retain_revoked", Micros),  # after date_added of the version that revokes it
    Column("retention_examined", Micros, nullable=False, server_default="0"),  # up to here retention_due is complete
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
    Column("pseudonym_id", Id),  # null: the peer signs in its own name
    Column("reported_at", Micros),  # when the hub was told of the revocation
    Index("signing_key_peer", "peer_id"),
)

key_statement: Final = Table(
    "key_statement",
    metadata,
    _id(),
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
    _id(),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    _peer(),
    Column("identity", Bytewise, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", Micros, nullable=False),
    UniqueConstraint("group_id", "peer_id"),
)

proposal: Final = Table(
    "proposal",
    metadata,
    _id(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Octets, nullable=False),  # compact JSON
    _peer("proposed_by"),
    Column("proposed_at", Micros, nullable=False),
    Column("expires_at", Micros, nullable=False),
    Column("decided_by", Id, ForeignKey("peer.id")),
    Column("decided_at", Micros),
    Column("state", Text, nullable=False),  # open, confirmed, rejected
    Index("proposal_group", "group_id", "id"),
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
    _peer("owner_peer_id"),
    Column("moderated", Boolean, nullable=False, server_default=false()),  # its owner has to ask a moderator, too
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
    Column("log_index", BigInteger),
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
    Column("log_index", BigInteger),
)

log_state: Final = Table(
    "log_state",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # one row, whose lock orders all leaves
    Column("size", BigInteger, nullable=False),
    Column("origin", Text),  # first line of every checkpoint; set once
)

log_leaf: Final = Table(
    "log_leaf",
    metadata,
    # No foreign keys: the log is for ever, and a row costs as little as it can.
    Column("idx", Id, primary_key=True, autoincrement=False),
    Column("at", Micros, nullable=False),
    Column("kind", Text, nullable=False),
    Column("peer_id", Id),  # whose doing it was; null: the hub's own machine
    Column("subject_peer_id", Id),  # whom it was about, when that is another peer
    Column("salt", Octets, nullable=False),
    Column("payload", Octets, nullable=False),  # JCS bytes; the leaf is a hash of salt and payload
)

log_tile: Final = Table(
    "log_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", Id, primary_key=True, autoincrement=False),
    Column("hashes", Octets, nullable=False),  # 1 to 256 hashes of 32 octets
)

log_checkpoint: Final = Table(
    "log_checkpoint",
    metadata,
    Column("size", Id, primary_key=True, autoincrement=False),
    Column("root", Octets, nullable=False),
    Column("at", Micros, nullable=False),
    Column("note", Octets, nullable=False),  # signed by the hub, cosignatures not included
)

witness: Final = Table(
    "witness",
    metadata,
    _id(),
    Column("name", Bytewise, nullable=False, unique=True),
    Column("verifier_key", Text, nullable=False),
    Column("peer_id", Id, ForeignKey("peer.id")),
    Column("created_at", Micros, nullable=False),
    Column("removed_at", Micros),
)

cosignature: Final = Table(
    "cosignature",
    metadata,
    Column("size", Id, ForeignKey("log_checkpoint.size"), primary_key=True, autoincrement=False),
    Column("witness_id", Id, ForeignKey("witness.id"), primary_key=True, autoincrement=False),
    Column("at", Micros, nullable=False),
    Column("line", Text, nullable=False),
)

key_shown: Final = Table(
    "key_shown",
    metadata,
    # Which keys signed what a group's readers may see: how the keys of a peer that left stay in its directory.
    Column("group_id", Id, ForeignKey("trust_group.id"), primary_key=True, autoincrement=False),
    Column("key_id", Id, ForeignKey("signing_key.id"), primary_key=True, autoincrement=False),
    Column("audience_id", Id, ForeignKey("audience.id"), primary_key=True, autoincrement=False),
)

acknowledgement: Final = Table(
    "acknowledgement",
    metadata,
    _id(),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Bytewise, nullable=False),
    _peer(),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("at", Micros, nullable=False),
    Column("statement", Octets, nullable=False),  # JCS bytes, signed by the peer
    Column("log_index", BigInteger),
    UniqueConstraint("stix_id", "version", "group_id", "peer_id", "outcome"),
)

retraction: Final = Table(
    "retraction",
    metadata,
    _id(),
    Column("uuid", Bytewise, nullable=False),  # of the act; it may concern several objects
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("kind", Text, nullable=False),  # revoked deleted retracted moderated narrowed
    Column("reason", Text),
    Column("at", Micros, nullable=False),
    Column("actor_peer_id", Id, ForeignKey("peer.id")),
    Column("author_peer_id", Id, ForeignKey("peer.id")),  # who may follow it up, beside the actor
    Column("versions", Octets, nullable=False),  # compact JSON: [version, sha256 in hex] of each that went
    Column("holders_audience_id", Id, ForeignKey("audience.id"), nullable=False),  # whom it has to reach
    Column("notice_id", Bytewise),  # STIX id of the object by which the feed says it
    Column("log_index", BigInteger),
    Index("retraction_object", "stix_id"),
    Index("retraction_act", "uuid"),
    Index("retraction_notice", "notice_id"),
    Index("retraction_collection", "collection_id", "id"),
)

hold: Final = Table(
    "hold",
    metadata,
    _id(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("collection_id", Id, ForeignKey("collection.id")),  # null: the whole group
    Column("stix_id", Bytewise),  # null: everything in it
    Column("reason", Text, nullable=False),
    Column("placed_at", Micros, nullable=False),
    Column("released_at", Micros),
)

kept_version: Final = Table(
    "kept_version",
    metadata,
    # Evidence under a legal hold: what was withdrawn and is served to nobody.
    _id(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Bytewise),
    Column("date_added", Micros, nullable=False),
    Column("audience_id", Id, ForeignKey("audience.id"), nullable=False),
    _peer("submitter_peer_id"),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("log_index", BigInteger),
    Column("kept_at", Micros, nullable=False),
    Column("body", Octets, nullable=False),
    Index("kept_version_object", "stix_id"),
)

served_range: Final = Table(
    "served_range",
    metadata,
    # What a reader was given: everything he could see, dated after `after` and up to `upto`.
    _id(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    _peer(),
    Column("after", Micros, nullable=False),
    Column("upto", Micros, nullable=False),
    Column("types", Text),  # comma-separated, sorted: only these; null is every type
    Column("how", Text, nullable=False),  # page, object, push, or presumed when a reader left
    Column("first_at", Micros, nullable=False),
    Column("last_at", Micros, nullable=False),
    Index("served_range_reader", "collection_id", "peer_id", "after"),
)

feedback: Final = Table(
    "feedback",
    metadata,
    # Which stored sightings, opinions and notes are about which object.
    Column("target", Bytewise, primary_key=True),
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    Column("date_added", Micros, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("value", Text),  # of an opinion its opinion; of a sighting its count
    Column("log_index", BigInteger, nullable=False),  # in the order of commits on the whole hub
    Index("feedback_log", "log_index"),
)

retention_due: Final = Table(
    "retention_due",
    metadata,
    # What a stored body says about its own end, so that no body is parsed twice for it.
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    Column("date_added", Micros, primary_key=True, autoincrement=False),
    Column("cause", Text, primary_key=True),  # expired, revoked
    Column("at", Micros, nullable=False),
    Index("retention_due_at", "collection_id", "cause", "at"),
)
