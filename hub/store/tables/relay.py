"""Other hubs: agreements, links, introductions, what came and went, and what did not."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from hub.store.tables.columns import Bytewise, Id, Micros, Octets, id_column, metadata, peer_column

agreement: Final = Table(
    "agreement",
    metadata,
    # What two hubs have signed; the newest agreed one of a peer is in force.
    id_column(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    peer_column(),
    Column("state", Text, nullable=False),  # offered, agreed, ended
    Column("document", Octets, nullable=False),  # JCS bytes with the signatures it has so far
    Column("created_at", Micros, nullable=False),
    Column("agreed_at", Micros),
    Column("ended_at", Micros),
    Index("agreement_peer", "peer_id", "id"),
)

link: Final = Table(
    "link",
    metadata,
    # How this hub reaches another one, and how that has been going.
    peer_column(primary_key=True),
    Column("url", Text),  # null: it is carried by hand, or only the other side calls
    Column("push", Boolean, nullable=False),
    Column("pull", Boolean, nullable=False),
    Column("allow_private", Boolean, nullable=False),
    Column("max_bytes", BigInteger),  # octets on the wire in one run; null is no bound
    Column("created_at", Micros, nullable=False),
    Column("paused_at", Micros),
    Column("last_attempt_at", Micros),
    Column("last_success_at", Micros),
    Column("last_error", Text),
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("retry_at", Micros),
    Column("leased_until", Micros),
    Column("sent_octets", BigInteger, nullable=False, server_default="0"),
    Column("received_octets", BigInteger, nullable=False, server_default="0"),
)

link_position: Final = Table(
    "link_position",
    metadata,
    peer_column(primary_key=True),
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    Column("direction", Text, primary_key=True),  # out: of our own dates; in: of theirs
    Column("position", Text, nullable=False),  # as the giving hub writes it; the other one only gives it back
    Column("objects", BigInteger, nullable=False, server_default="0"),
    Column("updated_at", Micros, nullable=False),
)

introduction: Final = Table(
    "introduction",
    metadata,
    # What a hub says, signed, of an author who is at home there: who he is and which keys are his.
    id_column(),
    Column("subject_identity", Bytewise, nullable=False, unique=True),
    peer_column("home_peer_id"),
    peer_column("via_peer_id"),
    Column("issued_at", Micros, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("document", Octets, nullable=False),
    Column("received_at", Micros, nullable=False),
)

introduction_sent: Final = Table(
    "introduction_sent",
    metadata,
    peer_column(primary_key=True),
    Column("subject_identity", Bytewise, primary_key=True),
    Column("sha256", Octets, nullable=False),
    Column("at", Micros, nullable=False),
)

relay_path: Final = Table(
    "relay_path",
    metadata,
    # By which hubs a version came here, once for each hub that brought it.
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    Column("stix_id", Bytewise, primary_key=True),
    Column("version_key", Bytewise, primary_key=True),
    peer_column("from_peer_id", primary_key=True),
    Column("sha256", Octets, nullable=False),
    Column("hops", Octets, nullable=False),  # a JSON list of signed hop statements, the first hub first
    Column("hop_count", Integer, nullable=False),
    Column("received_at", Micros, nullable=False),
    Index("relay_path_object", "stix_id"),
)

relay_batch: Final = Table(
    "relay_batch",
    metadata,
    # What another hub has answered for: one row for each batch that it has confirmed, or that came from it.
    id_column(),
    peer_column(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    Column("direction", Text, nullable=False),  # out, in
    Column("how", Text, nullable=False),  # push, pull, pack
    Column("uuid", Bytewise, nullable=False),
    Column("sha256", Octets, nullable=False),  # of the batch
    Column("at", Micros, nullable=False),
    Column("objects", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("receipt", Octets),  # JCS bytes, signed by the hub that received
    Column("told_at", Micros),  # of a batch that was fetched here: when the giving hub got the receipt
    Column("upto", Text),  # position that is reached with it; null where it moves none
    UniqueConstraint("uuid", "peer_id", "direction"),
    Index("relay_batch_peer", "peer_id", "collection_id", "direction", "id"),
)

relay_sent: Final = Table(
    "relay_sent",
    metadata,
    # What another hub was given, version by version: whom a retraction has to reach, and the way on in a path.
    peer_column(primary_key=True),
    Column("collection_id", Id, ForeignKey("collection.id"), primary_key=True, autoincrement=False),
    Column("stix_id", Bytewise, primary_key=True),
    Column("version_key", Bytewise, primary_key=True),
    Column("sha256", Octets, nullable=False),
    Column("batch_id", Id, ForeignKey("relay_batch.id"), nullable=False),
    Column("outcome", Text, nullable=False),  # accepted, duplicate, held, refused
    Column("rule", Text),
    Index("relay_sent_object", "stix_id"),
)

dead_letter: Final = Table(
    "dead_letter",
    metadata,
    # What did not arrive at another hub, or could not be taken from it, and waits for an operator.
    id_column(),
    Column("uuid", Bytewise, nullable=False, unique=True),
    peer_column(),
    Column("collection_id", Id, ForeignKey("collection.id"), nullable=False),
    Column("direction", Text, nullable=False),
    Column("stix_id", Bytewise, nullable=False),
    Column("version", Bytewise, nullable=False),
    Column("sha256", Octets),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Micros, nullable=False),
    Column("last_at", Micros, nullable=False),
    Column("settled_at", Micros),
    Column("settled_as", Text),  # replayed, dropped
    Index("dead_letter_peer", "peer_id", "id"),
)

relay_reach: Final = Table(
    "relay_reach",
    metadata,
    # What a hub reports of a withdrawal beyond it: how many had it there, and how many have removed it.
    Column("act", Bytewise, primary_key=True),
    peer_column(primary_key=True),
    Column("direction", Text, primary_key=True),  # in: that hub's report; out: what it was told from here
    Column("holders", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("at", Micros, nullable=False),
    Column("statement", Octets, nullable=False),  # JCS bytes, signed by that hub
)

pack: Final = Table(
    "pack",
    metadata,
    # The files that carried a link by hand, in both directions, by the number that shows replays and gaps.
    peer_column(primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("uuid", Bytewise, nullable=False),
    Column("sha256", Octets, nullable=False),
    Column("made_at", Micros, nullable=False),
    Column("answered_at", Micros),
    Column("positions", Octets, nullable=False),  # compact JSON: its batches, and how far each collection is with it
    Column("receipt", Octets),
)

quota_use: Final = Table(
    "quota_use",
    metadata,
    peer_column(primary_key=True),
    Column("hour", Id, primary_key=True, autoincrement=False),  # since the epoch
    Column("objects", BigInteger, nullable=False),
    Column("octets", BigInteger, nullable=False),
)
