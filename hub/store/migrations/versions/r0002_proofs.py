"""Receipts, the transparency log, living keys, deliveries, retractions, holds, feedback and retention."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add what proofs need; what was stored before has no place in the log."""
    _columns()
    _keys()
    _log()
    _retractions()
    _readers()


def _columns() -> None:
    """Add columns, each at the end of its table, because SQLite adds none elsewhere."""
    additions: dict[str, list[sa.Column[Any]]] = {
        "peer": [sa.Column("quantum_safe", sa.Text, nullable=False, server_default="optional")],
        "trust_group": [
            sa.Column("quantum_safe", sa.Text, nullable=False, server_default="optional"),
            sa.Column("member_visibility", sa.Text, nullable=False, server_default="open"),
            sa.Column("two_person", sa.Boolean, nullable=False, server_default=sa.false()),
            sa.Column("pseudonyms", sa.Boolean, nullable=False, server_default=sa.false()),
        ],
        "collection": [
            sa.Column("retain_added", sa.BigInteger),
            sa.Column("retain_expired", sa.BigInteger),
            sa.Column("retain_revoked", sa.BigInteger),
            sa.Column("retention_examined", sa.BigInteger, nullable=False, server_default="0"),
        ],
        "signing_key": [sa.Column("pseudonym_id", ID), sa.Column("reported_at", sa.BigInteger)],
        "entry": [sa.Column("log_index", sa.BigInteger), sa.Column("first_audience_id", ID)],
        "submission": [
            sa.Column("receipt", sa.LargeBinary),
            sa.Column("supplements", sa.LargeBinary),
            sa.Column("supplemented_at", sa.BigInteger),
        ],
        "refusal": [sa.Column("log_index", sa.BigInteger)],
        "tombstone": [sa.Column("moderated", sa.Boolean, nullable=False, server_default=sa.false())],
        "audit_line": [sa.Column("log_index", sa.BigInteger)],
    }
    for table, columns in additions.items():
        for column in columns:
            op.add_column(table, column)


def _keys() -> None:
    """What was said of keys, by whom; pseudonyms; what a second moderator has to confirm."""
    op.create_table(
        "pseudonym",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("identity", BYTEWISE, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="pseudonym_group_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="pseudonym_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="pseudonym_pk"),
        sa.UniqueConstraint("identity", name="pseudonym_identity_key"),
        sa.UniqueConstraint("group_id", "peer_id", name="pseudonym_group_id_peer_id_key"),
    )
    op.create_table(
        "key_statement",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("key_id", ID, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["signing_key.id"], name="key_statement_key_id_fk"),
        sa.PrimaryKeyConstraint("id", name="key_statement_pk"),
    )
    op.create_index("key_statement_key", "key_statement", ["key_id"])
    op.create_table(
        "proposal",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.Column("proposed_by", ID, autoincrement=False, nullable=False),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", ID),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="proposal_group_id_fk"),
        sa.ForeignKeyConstraint(["proposed_by"], ["peer.id"], name="proposal_proposed_by_fk"),
        sa.ForeignKeyConstraint(["decided_by"], ["peer.id"], name="proposal_decided_by_fk"),
        sa.PrimaryKeyConstraint("id", name="proposal_pk"),
        sa.UniqueConstraint("uuid", name="proposal_uuid_key"),
    )
    op.create_index("proposal_group", "proposal", ["group_id", "id"])
    op.create_table(
        "key_shown",
        sa.Column("group_id", ID, autoincrement=False, nullable=False),
        sa.Column("key_id", ID, autoincrement=False, nullable=False),
        sa.Column("audience_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="key_shown_group_id_fk"),
        sa.ForeignKeyConstraint(["key_id"], ["signing_key.id"], name="key_shown_key_id_fk"),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name="key_shown_audience_id_fk"),
        sa.PrimaryKeyConstraint("group_id", "key_id", "audience_id", name="key_shown_pk"),
    )
    # What was stored before shows its keys too: else those of a peer that leaves now would be missing.
    op.execute(
        "INSERT INTO key_shown (group_id, key_id, audience_id)"
        " SELECT DISTINCT collection.group_id, entry.key_id, entry.audience_id"
        " FROM entry JOIN collection ON collection.id = entry.collection_id WHERE entry.key_id IS NOT NULL"
    )


def _log() -> None:
    """The transparency log (RFC 6962), its checkpoints, and who cosigned them."""
    op.create_table(
        "log_state",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("origin", sa.Text),
        sa.PrimaryKeyConstraint("id", name="log_state_pk"),
    )
    op.create_table(
        "log_leaf",
        sa.Column("idx", ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("peer_id", ID),
        sa.Column("subject_peer_id", ID),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("idx", name="log_leaf_pk"),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("idx", ID, autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name="log_tile_pk"),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", ID, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("size", name="log_checkpoint_pk"),
    )
    op.create_table(
        "witness",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", BYTEWISE, nullable=False),
        sa.Column("verifier_key", sa.Text, nullable=False),
        sa.Column("peer_id", ID),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="witness_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="witness_pk"),
        sa.UniqueConstraint("name", name="witness_name_key"),
    )
    op.create_table(
        "cosignature",
        sa.Column("size", ID, autoincrement=False, nullable=False),
        sa.Column("witness_id", ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoint.size"], name="cosignature_size_fk"),
        sa.ForeignKeyConstraint(["witness_id"], ["witness.id"], name="cosignature_witness_id_fk"),
        sa.PrimaryKeyConstraint("size", "witness_id", name="cosignature_pk"),
    )


def _retractions() -> None:
    """What was withdrawn, whom it has to reach, and what is kept as evidence."""
    op.create_table(
        "retraction",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_peer_id", ID),
        sa.Column("author_peer_id", ID),
        sa.Column("versions", sa.LargeBinary, nullable=False),
        sa.Column("holders_audience_id", ID, nullable=False),
        sa.Column("notice_id", BYTEWISE),
        sa.Column("log_index", sa.BigInteger),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="retraction_collection_id_fk"),
        sa.ForeignKeyConstraint(["actor_peer_id"], ["peer.id"], name="retraction_actor_peer_id_fk"),
        sa.ForeignKeyConstraint(["author_peer_id"], ["peer.id"], name="retraction_author_peer_id_fk"),
        sa.ForeignKeyConstraint(["holders_audience_id"], ["audience.id"], name="retraction_holders_audience_id_fk"),
        sa.PrimaryKeyConstraint("id", name="retraction_pk"),
    )
    op.create_index("retraction_act", "retraction", ["uuid"])
    op.create_index("retraction_notice", "retraction", ["notice_id"])
    op.create_index("retraction_collection", "retraction", ["collection_id", "id"])
    op.create_index("retraction_object", "retraction", ["stix_id"])
    op.create_table(
        "hold",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("collection_id", ID),
        sa.Column("stix_id", BYTEWISE),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_at", sa.BigInteger, nullable=False),
        sa.Column("released_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="hold_group_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="hold_collection_id_fk"),
        sa.PrimaryKeyConstraint("id", name="hold_pk"),
        sa.UniqueConstraint("uuid", name="hold_uuid_key"),
    )
    op.create_table(
        "kept_version",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version", BYTEWISE),
        sa.Column("date_added", sa.BigInteger, nullable=False),
        sa.Column("audience_id", ID, nullable=False),
        sa.Column("submitter_peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("submission_uuid", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("log_index", sa.BigInteger),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="kept_version_collection_id_fk"),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name="kept_version_audience_id_fk"),
        sa.ForeignKeyConstraint(["submitter_peer_id"], ["peer.id"], name="kept_version_submitter_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="kept_version_pk"),
    )
    op.create_index("kept_version_object", "kept_version", ["stix_id"])


def _readers() -> None:
    """What readers were given, what they confirm, and what they say about it."""
    op.create_table(
        "acknowledgement",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version", BYTEWISE, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        sa.Column("log_index", sa.BigInteger),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="acknowledgement_group_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="acknowledgement_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="acknowledgement_pk"),
        sa.UniqueConstraint(
            "stix_id",
            "version",
            "group_id",
            "peer_id",
            "outcome",
            name="acknowledgement_stix_id_version_group_id_peer_id_outcome_key",
        ),
    )
    op.create_table(
        "served_range",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
        sa.Column("types", sa.Text),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="served_range_collection_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="served_range_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="served_range_pk"),
    )
    op.create_index("served_range_reader", "served_range", ["collection_id", "peer_id", "after"])
    op.create_table(
        "feedback",
        sa.Column("target", BYTEWISE, nullable=False),
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("date_added", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("log_index", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="feedback_collection_id_fk"),
        sa.PrimaryKeyConstraint("target", "collection_id", "date_added", name="feedback_pk"),
    )
    op.create_index("feedback_log", "feedback", ["log_index"])
    op.create_table(
        "retention_due",
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("date_added", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="retention_due_collection_id_fk"),
        sa.PrimaryKeyConstraint("collection_id", "date_added", "cause", name="retention_due_pk"),
    )
    op.create_index("retention_due_at", "retention_due", ["collection_id", "cause", "at"])
