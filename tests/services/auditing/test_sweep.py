"""One changed bit in any column is found, except in the columns that docs/trust.md names."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from hub.store.tables import metadata
from tests.services.auditing.conftest import Lived
from tests.services.auditing.corruption import Unchangeable, corrupted, values
from tests.services.auditing.world import audited

TEXT = (Path(__file__).parents[3] / "docs/trust.md").read_text()
NOT_FOUND = {
    "audit_line": {"id"},
    "collection": {"created_at", "deletions", "retention_examined"},
    "credential": {
        "created_at",
        "fingerprint",
        "label",
        "last_used_at",
        "lookup",
        "revoked_at",
        "salt",
        "secret_hash",
        "username",
    },
    "entry": {"id"},
    "held_version": {"id", "submission_uuid"},
    "hold": {column.name for column in metadata.tables["hold"].c},
    "kept_version": {"audience_id", "id", "kept_at"},
    "key_shown": {column.name for column in metadata.tables["key_shown"].c},
    "key_statement": {"id"},
    "log_checkpoint": {"at"},
    "log_leaf": {"at", "subject_peer_id"},
    "member": {"joined_at", "suspended_at"},
    "pack": {"answered_at", "made_at", "positions", "receipt"},
    "peer": {"created_at", "suspended_at"},
    "quota_use": {column.name for column in metadata.tables["quota_use"].c},
    "refusal": {"id"},
    "relay_right": {"granted_at"},
    "retention_due": {column.name for column in metadata.tables["retention_due"].c},
    "retraction": {"author_peer_id", "id", "reason"},
    "served_range": {column.name for column in metadata.tables["served_range"].c},
    "signing_key": {"created_at", "reported_at"},
    "submission": {"deletions", "details", "id", "leased_until"},
    "tombstone": {"moderated", "owner_peer_id"},
    "trust_group": {"created_at"},
}
"""By table, the columns in which a changed bit may go unseen."""

SAMPLE = 40


def test_a_changed_bit_is_found_in_every_other_column(lived_sqlite: Lived) -> None:
    """A sample: each bit costs a whole audit."""
    url, dice = lived_sqlite.url, random.Random(2026)
    columns = [
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.c
        if column.name not in NOT_FOUND.get(table.name, ()) and values(url, table.name, column.name)
    ]
    assert len(columns) > 100
    missed = []
    for table, column in dice.sample(columns, SAMPLE):
        try:
            with corrupted(url, table, column, dice) as what:
                if not audited(lived_sqlite.hub):
                    missed.append(what)
        except Unchangeable:
            continue
    assert missed == []


@pytest.mark.parametrize("table", sorted(NOT_FOUND))
def test_the_page_names_every_column_that_is_not_found(table: str) -> None:
    section = TEXT.partition("## What `cybex audit` checks")[2]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    named = {row: set(re.findall(r"`([a-z_0-9]+)`", row)) for row in rows}
    whole = NOT_FOUND[table] == {column.name for column in metadata.tables[table].c}
    wanted = set() if whole else NOT_FOUND[table]
    here = {name for names in named.values() if table in names for name in names}
    assert table in here
    assert wanted <= here
