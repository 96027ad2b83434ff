"""The first schema: membership, credentials, keys, entries, submissions, refusals, held versions, audit."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NOT_REVOKED = "revoked_at IS NULL"
PENDING = "completed_at IS NULL"
RELATED = "related_to IS NOT NULL"


def upgrade() -> None:
    """Make every table, and the audience that is the whole group, whose id is 1."""
    _membership()
    _entries()
    _submissions()


def _membership() -> None:
    """Who is who, and who may do what."""
    op.create_table(
        "peer",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("handle", BYTEWISE, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("identity", BYTEWISE, nullable=False),
        sa.Column("country", sa.Text),
        sa.Column("itu_region", sa.Text),
        sa.Column("suspended_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="peer_pk"),
        sa.UniqueConstraint("handle", name="peer_handle_key"),
        sa.UniqueConstraint("identity", name="peer_identity_key"),
    )
    op.create_table(
        "credential",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("username", BYTEWISE),
        sa.Column("lookup", BYTEWISE),
        sa.Column("fingerprint", BYTEWISE),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="credential_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="credential_pk"),
        sa.UniqueConstraint("lookup", name="credential_lookup_key"),
    )
    op.create_index(
        "credential_fingerprint",
        "credential",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text(NOT_REVOKED),
        postgresql_where=sa.text(NOT_REVOKED),
    )
    op.create_index("credential_peer", "credential", ["peer_id"])
    op.create_index(
        "credential_username",
        "credential",
        ["username"],
        unique=True,
        sqlite_where=sa.text(NOT_REVOKED),
        postgresql_where=sa.text(NOT_REVOKED),
    )
    op.create_table(
        "trust_group",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("slug", BYTEWISE, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("default_tlp", sa.Text, nullable=False),
        sa.Column("tlp_ceiling", sa.Text, nullable=False),
        sa.Column("signature_required", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="trust_group_pk"),
        sa.UniqueConstraint("slug", name="trust_group_slug_key"),
    )
    op.create_table(
        "member",
        sa.Column("group_id", ID, autoincrement=False, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("may_read", sa.Boolean, nullable=False),
        sa.Column("may_write", sa.Boolean, nullable=False),
        sa.Column("may_moderate", sa.Boolean, nullable=False),
        sa.Column("suspended_at", sa.BigInteger),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="member_group_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="member_peer_id_fk"),
        sa.PrimaryKeyConstraint("group_id", "peer_id", name="member_pk"),
    )
    op.create_index("member_peer", "member", ["peer_id"])
    op.create_table(
        "collection",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("alias", BYTEWISE),
        sa.Column("allowed_types", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_date_added", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("entries", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("deletions", sa.BigInteger, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="collection_group_id_fk"),
        sa.PrimaryKeyConstraint("id", name="collection_pk"),
        sa.UniqueConstraint("group_id", "alias", name="collection_group_id_alias_key"),
        sa.UniqueConstraint("uuid", name="collection_uuid_key"),
    )
    op.create_table(
        "collection_override",
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("can_read", sa.Boolean),
        sa.Column("can_write", sa.Boolean),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="collection_override_collection_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="collection_override_peer_id_fk"),
        sa.PrimaryKeyConstraint("collection_id", "peer_id", name="collection_override_pk"),
    )
    op.create_table(
        "relay_right",
        sa.Column("group_id", ID, autoincrement=False, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("author_identity", BYTEWISE, nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="relay_right_group_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="relay_right_peer_id_fk"),
        sa.PrimaryKeyConstraint("group_id", "peer_id", "author_identity", name="relay_right_pk"),
    )
    op.create_table(
        "signing_key",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("kid", BYTEWISE, nullable=False),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("revocation_reason", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="signing_key_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="signing_key_pk"),
        sa.UniqueConstraint("kid", name="signing_key_kid_key"),
    )
    op.create_index("signing_key_peer", "signing_key", ["peer_id"])


def _entries() -> None:
    """What is stored, for whom, and what was deleted."""
    op.create_table(
        "audience",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="audience_pk"),
        sa.UniqueConstraint("digest", name="audience_digest_key"),
    )
    audience = sa.table("audience", sa.column("digest"), sa.column("key"), sa.column("kind"))
    digest = hashlib.sha256(b"group").digest()
    op.execute(audience.insert().values(digest=digest, key="group", kind="group"))  # the first row of all: id 1
    op.create_table(
        "audience_peer",
        sa.Column("audience_id", ID, autoincrement=False, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name="audience_peer_audience_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="audience_peer_peer_id_fk"),
        sa.PrimaryKeyConstraint("audience_id", "peer_id", name="audience_peer_pk"),
    )
    op.create_table(
        "entry",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("date_added", sa.BigInteger, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("type", BYTEWISE, nullable=False),
        sa.Column("version", BYTEWISE),
        sa.Column("version_key", BYTEWISE, nullable=False),
        sa.Column("audience_id", ID, nullable=False),
        sa.Column("superseded_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("author_identity", BYTEWISE),
        sa.Column("introduced", sa.Boolean, nullable=False),
        sa.Column("submitter_peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("submission_uuid", BYTEWISE, nullable=False),
        sa.Column("tlp", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("onward_relay", sa.Boolean, nullable=False),
        sa.Column("key_id", ID),
        sa.Column("jss_form", sa.Text),
        sa.Column("signed_at", sa.BigInteger),
        sa.Column("carrier", sa.Text),
        sa.Column("related_to", BYTEWISE),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name="entry_audience_id_fk"),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="entry_collection_id_fk"),
        sa.ForeignKeyConstraint(["key_id"], ["signing_key.id"], name="entry_key_id_fk"),
        sa.ForeignKeyConstraint(["submitter_peer_id"], ["peer.id"], name="entry_submitter_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="entry_pk"),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02},
    )
    op.create_index("entry_date", "entry", ["collection_id", "date_added"], unique=True)
    op.create_index(
        "entry_page",
        "entry",
        ["collection_id", "date_added", "audience_id", "superseded_at", "expires_at", "type", "version_key", "size"],
        postgresql_include=["id"],
    )
    op.create_index("entry_version", "entry", ["stix_id", "collection_id", "version_key"], unique=True)
    op.create_index(
        "entry_related",
        "entry",
        ["related_to", "collection_id"],
        sqlite_where=sa.text(RELATED),
        postgresql_where=sa.text(RELATED),
    )
    op.create_table(
        "held_version",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("submission_uuid", BYTEWISE, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("embargo_until", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="held_version_collection_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="held_version_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="held_version_pk"),
        sa.UniqueConstraint(
            "stix_id",
            "collection_id",
            "peer_id",
            "sha256",
            name="held_version_stix_id_collection_id_peer_id_sha256_key",
        ),
    )
    op.create_index("held_version_due", "held_version", ["embargo_until", "id"])
    op.create_table(
        "tombstone",
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version_key", BYTEWISE, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("owner_peer_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="tombstone_collection_id_fk"),
        sa.ForeignKeyConstraint(["owner_peer_id"], ["peer.id"], name="tombstone_owner_peer_id_fk"),
        sa.PrimaryKeyConstraint("collection_id", "stix_id", "version_key", name="tombstone_pk"),
    )


def _submissions() -> None:
    """What was sent, what was refused, and what operators did."""
    op.create_table(
        "submission",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uuid", BYTEWISE, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("credential_id", ID),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("completed_at", sa.BigInteger),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("deletions", sa.BigInteger, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="submission_collection_id_fk"),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name="submission_credential_id_fk"),
        sa.ForeignKeyConstraint(["group_id"], ["trust_group.id"], name="submission_group_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="submission_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="submission_pk"),
        sa.UniqueConstraint("uuid", name="submission_uuid_key"),
    )
    op.create_index("submission_completed", "submission", ["completed_at"])
    op.create_index(
        "submission_pending",
        "submission",
        ["received_at", "id"],
        sqlite_where=sa.text(PENDING),
        postgresql_where=sa.text(PENDING),
    )
    op.create_index("submission_repeat", "submission", ["collection_id", "peer_id", "sha256"])
    op.create_table(
        "refusal",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("submission_uuid", BYTEWISE, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("peer_id", ID, autoincrement=False, nullable=False),
        sa.Column("stix_id", BYTEWISE, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.ForeignKeyConstraint(["collection_id"], ["collection.id"], name="refusal_collection_id_fk"),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name="refusal_peer_id_fk"),
        sa.PrimaryKeyConstraint("id", name="refusal_pk"),
    )
    op.create_table(
        "audit_line",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_peer_id", ID),
        sa.Column("credential_id", ID),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["actor_peer_id"], ["peer.id"], name="audit_line_actor_peer_id_fk"),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name="audit_line_credential_id_fk"),
        sa.PrimaryKeyConstraint("id", name="audit_line_pk"),
    )
