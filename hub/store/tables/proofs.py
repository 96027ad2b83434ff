"""The transparency log, what was withdrawn, and what readers confirm."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from hub.store.tables.columns import Bytewise, Id, Micros, Octets, id_column, metadata, peer_column

audit_line: Final = Table(
    "audit_line",
    metadata,
    id_column(),
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
    id_column(),
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
    id_column(),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Bytewise, nullable=False),
    peer_column(),
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
    id_column(),
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
    id_column(),
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
    id_column(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Bytewise),
    Column("date_added", Micros, nullable=False),
    Column("audience_id", Id, ForeignKey("audience.id"), nullable=False),
    peer_column("submitter_peer_id"),
    Column("submission_uuid", Bytewise, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("log_index", BigInteger),
    Column("kept_at", Micros, nullable=False),
    Column("body", Octets, nullable=False),
    Index("kept_version_object", "stix_id"),
)
