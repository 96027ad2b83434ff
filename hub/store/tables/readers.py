"""What readers were given, what they say about it, and when it goes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from hub.store.tables.columns import Bytewise, Id, Micros, id_column, metadata, peer_column

served_range: Final = Table(
    "served_range",
    metadata,
    # What a reader was given: everything he could see, dated after `after` and up to `upto`.
    id_column(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    peer_column(),
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
