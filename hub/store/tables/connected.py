"""Connectors and exports: what other systems bring, and what they fetch."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from hub.store.tables.columns import Bytewise, Id, Micros, Octets, id_column, metadata, peer_column

connector: Final = Table(
    "connector",
    metadata,
    # A connector of a peer, as it last reported itself, wherever it runs.
    id_column(),
    peer_column(),
    Column("name", Bytewise, nullable=False),
    Column("kind", Text, nullable=False),
    Column("direction", Text, nullable=False),  # in, out
    Column("target", Text, nullable=False),  # group/collection
    Column("every_seconds", Integer),  # null: it is started by hand
    Column("created_at", Micros, nullable=False),
    Column("state", Text, nullable=False),  # running, ok, failing, paused
    Column("started_at", Micros),
    Column("finished_at", Micros),
    Column("last_success_at", Micros),
    Column("last_error", Text),
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("retry_at", Micros),
    Column("lag_seconds", BigInteger),
    Column("objects", BigInteger, nullable=False, server_default="0"),  # of all runs
    Column("withdrawn", BigInteger, nullable=False, server_default="0"),
    Column("refused", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("peer_id", "name"),
)

connector_run: Final = Table(
    "connector_run",
    metadata,
    id_column(),
    Column("connector_id", Id, ForeignKey("connector.id"), nullable=False),
    Column("uuid", Bytewise, nullable=False, unique=True),
    Column("started_at", Micros, nullable=False),
    Column("finished_at", Micros, nullable=False),
    Column("outcome", Text, nullable=False),  # ok, failed
    Column("objects", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("error", Text),
    Column("report", Octets, nullable=False),  # compact JSON: what was kept, merged, guessed, dropped
    Index("connector_run_connector", "connector_id", "id"),
)

export_token: Final = Table(
    "export_token",
    metadata,
    # A secret address at which a machine may poll one export, and nothing else, with the rights of its peer.
    id_column(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    peer_column(),
    Column("credential_id", Id, ForeignKey("credential.id")),  # that made it
    Column("group_id", Id, ForeignKey("trust_group.id"), nullable=False),
    Column("collection_id", Id, ForeignKey("collection.id")),  # null: all of the group's that the peer reads
    Column("format", Text, nullable=False),
    Column("options", Octets, nullable=False),  # compact JSON
    Column("label", Text, nullable=False),
    Column("lookup", Bytewise, nullable=False, unique=True),
    Column("salt", Octets, nullable=False),
    Column("secret_hash", Octets, nullable=False),
    Column("created_at", Micros, nullable=False),
    Column("expires_at", Micros),
    Column("revoked_at", Micros),
    Column("last_used_at", Micros),
    Index("export_token_peer", "peer_id"),
)
