"""Trust groups, who is in them, and their collections."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint, false

from hub.store.tables.columns import Bytewise, Id, Micros, Octets, id_column, metadata, peer_column

trust_group: Final = Table(
    "trust_group",
    metadata,
    id_column(),
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
    peer_column(primary_key=True),
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
    id_column(),
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
    peer_column(primary_key=True),
    Column("can_read", Boolean),
    Column("can_write", Boolean),
)

relay_right: Final = Table(
    "relay_right",
    metadata,
    Column("group_id", Id, ForeignKey("trust_group.id"), primary_key=True, autoincrement=False),
    peer_column(primary_key=True),
    Column("author_identity", Bytewise, primary_key=True),
    Column("granted_at", Micros, nullable=False),
)

proposal: Final = Table(
    "proposal",
    metadata,
    id_column(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Octets, nullable=False),  # compact JSON
    peer_column("proposed_by"),
    Column("proposed_at", Micros, nullable=False),
    Column("expires_at", Micros, nullable=False),
    Column("decided_by", Id, ForeignKey("peer.id")),
    Column("decided_at", Micros),
    Column("state", Text, nullable=False),  # open, confirmed, rejected
    Index("proposal_group", "group_id", "id"),
)
