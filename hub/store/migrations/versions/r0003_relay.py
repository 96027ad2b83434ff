"""Hubs that connect to hubs, connectors, and exports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add what crosses the border of the hub, in both directions."""
    op.add_column("peer", sa.Column("home_peer_id", ID))
    op.add_column("peer", sa.Column("quota_objects", sa.BigInteger))
    op.add_column("peer", sa.Column("quota_octets", sa.BigInteger))
    _agreements()
    _relay()
    _connected()


def _agreements() -> None:
    """What hubs have agreed, how they reach each other, and whom they introduce."""
    op.create_table(
        "agreement",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("agreed_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="agreement_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="agreement_pk"),
        sa.UniqueConstraint("uuid", name="agreement_uuid_key"),
    )
    op.create_index("agreement_peer", "agreement", ["peer_id", "id"])
    op.create_table(
        "link",
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("push", sa.Boolean, nullable=False),
        sa.Column("pull", sa.Boolean, nullable=False),
        sa.Column("allow_private", sa.Boolean, nullable=False),
        sa.Column("max_bytes", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("paused_at", sa.BigInteger),
        sa.Column("last_attempt_at", sa.BigInteger),
        sa.Column("last_success_at", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_at", sa.BigInteger),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("sent_octets", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("received_octets", sa.BigInteger, nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="link_peer_id_fk"),
        sa.PrimaryKeyConstraint("peer_id", name="link_pk"),
    )
    op.create_table(
        "link_position",
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("objects", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="link_position_peer_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="link_position_collection_id_fk"),
        sa.PrimaryKeyConstraint("peer_id", "collection_id", "direction", name="link_position_pk"),
    )
    op.create_table(
        "introduction",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("subject_identity", BYTEWISE, nullable=False),
        sa.Column("home_peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("via_peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["home_peer_id"], ["peer.id"], name="introduction_home_peer_id_fk"),
        sa.ForeignKeyConstraint(["via_peer_id"], ["peer.id"], name="introduction_via_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="introduction_pk"),
        sa.UniqueConstraint("subject_identity", name="introduction_subject_identity_key"),
    )
    op.create_table(
        "introduction_sent",
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("subject_identity", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="introduction_sent_peer_id_fk"),
        sa.PrimaryKeyConstraint("peer_id", "subject_identity", name="introduction_sent_pk"),
    )


def _relay() -> None:
    """What came and went, what did not, and how much of it."""
    op.create_table(
        "relay_path",
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version_key", BYTEWISE, nullable=False),
        sa.Column("from_peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("hops", sa.LargeBinary, nullable=False),
        sa.Column("hop_count", sa.Integer, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="relay_path_collection_id_fk"),
        sa.ForeignKeyConstraint(["from_peer_id"], ["peer.id"], name="relay_path_from_peer_id_fk"),
        sa.PrimaryKeyConstraint("collection_id", "stix_id", "version_key", "from_peer_id", name="relay_path_pk"),
    )
    op.create_index("relay_path_object", "relay_path", ["stix_id"])
    op.create_table(
        "relay_batch",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("objects", sa.Integer, nullable=False),
        sa.Column("octets", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.LargeBinary),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("upto", sa.Text),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="relay_batch_peer_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="relay_batch_collection_id_fk"),
        sa.PrimaryKeyConstraint("id", name="relay_batch_pk"),
        sa.UniqueConstraint("uuid", "peer_id", "direction", name="relay_batch_uuid_peer_id_direction_key"),
    )
    op.create_index("relay_batch_peer", "relay_batch", ["peer_id", "collection_id", "direction", "id"])
    op.create_table(
        "relay_sent",
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version_key", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("rule", sa.Text),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="relay_sent_peer_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="relay_sent_collection_id_fk"),
        sa.ForeignKeyConstraint(["batch_id"], ["relay_batch.id"], name="relay_sent_batch_id_fk"),
        sa.PrimaryKeyConstraint("peer_id", "collection_id", "stix_id", "version_key", name="relay_sent_pk"),
    )
    op.create_index("relay_sent_object", "relay_sent", ["stix_id"])
    op.create_table(
        "dead_letter",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("settled_as", sa.Text),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="dead_letter_peer_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="dead_letter_collection_id_fk"),
        sa.PrimaryKeyConstraint("id", name="dead_letter_pk"),
        sa.UniqueConstraint("uuid", name="dead_letter_uuid_key"),
    )
    op.create_index("dead_letter_peer", "dead_letter", ["peer_id", "id"])
    op.create_table(
        "relay_reach",
        sa.Column("act", BYTEWISE, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("holders", sa.Integer, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="relay_reach_peer_id_fk"),
        sa.PrimaryKeyConstraint("act", "peer_id", "direction", name="relay_reach_pk"),
    )
    op.create_table(
        "pack",
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("number", ID, autoincrement=False, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("positions", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.LargeBinary),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="pack_peer_id_fk"),
        sa.PrimaryKeyConstraint("peer_id", "direction", "number", name="pack_pk"),
    )
    op.create_table(
        "quota_use",
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("hour", ID, autoincrement=False, nullable=False),
        sa.Column("objects", sa.BigInteger, nullable=False),
        sa.Column("octets", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="quota_use_peer_id_fk"),
        sa.PrimaryKeyConstraint("peer_id", "hour", name="quota_use_pk"),
    )


def _connected() -> None:
    """Connectors and exports."""
    op.create_table(
        "connector",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("name", BYTEWISE, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("every_seconds", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("last_success_at", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_at", sa.BigInteger),
        sa.Column("lag_seconds", sa.BigInteger),
        sa.Column("objects", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("withdrawn", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="connector_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="connector_pk"),
        sa.UniqueConstraint("peer_id", "name", name="connector_peer_id_name_key"),
    )
    op.create_table(
        "connector_run",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("connector_id", ID, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("objects", sa.Integer, nullable=False),
        sa.Column("withdrawn", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("report", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["connector_id"], ["connector.id"], name="connector_run_connector_id_fk"),
        sa.PrimaryKeyConstraint("id", name="connector_run_pk"),
        sa.UniqueConstraint("uuid", name="connector_run_uuid_key"),
    )
    op.create_index("connector_run_connector", "connector_run", ["connector_id", "id"])
    op.create_table(
        "export_token",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("credential_id", ID),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("collection_id", ID),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("options", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("lookup", BYTEWISE, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="export_token_peer_id_fk"),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name="export_token_credential_id_fk"),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="export_token_group_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="export_token_collection_id_fk"),
        sa.PrimaryKeyConstraint("id", name="export_token_pk"),
        sa.UniqueConstraint("uuid", name="export_token_uuid_key"),
        sa.UniqueConstraint("lookup", name="export_token_lookup_key"),
    )
    op.create_index("export_token_peer", "export_token", ["peer_id"])
