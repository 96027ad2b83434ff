"""One changed bit in the database is found, and the first finding names the place."""

from __future__ import annotations

import random

import pytest

from tests.services.auditing.conftest import Lived
from tests.services.auditing.corruption import corrupted
from tests.services.auditing.world import audited

INCIDENT = "type = 'incident'"
PLACES = (
    ("entry", "body", INCIDENT),
    ("entry", "sha256", INCIDENT),
    ("entry", "size", INCIDENT),
    ("entry", "stix_id", INCIDENT),
    ("entry", "version", INCIDENT),
    ("entry", "version_key", INCIDENT),
    ("entry", "date_added", INCIDENT),
    ("entry", "superseded_at", ""),
    ("entry", "audience_id", ""),
    ("entry", "expires_at", ""),
    ("entry", "tlp", ""),
    ("entry", "onward_relay", ""),
    ("entry", "author_identity", ""),
    ("entry", "submitter_peer_id", ""),
    ("entry", "key_id", INCIDENT),
    ("entry", "signed_at", INCIDENT),
    ("entry", "log_index", ""),
    ("audience", "key", "kind = 'named'"),
    ("audience_peer", "peer_id", ""),
    ("trust_group", "default_tlp", ""),
    ("member", "may_moderate", ""),
    ("relay_right", "author_identity", ""),
    ("peer", "identity", "handle <> 'hub'"),
    ("signing_key", "public_key", ""),
    ("signing_key", "revocation_reason", ""),
    ("key_statement", "statement", ""),
    ("credential", "role", ""),
    ("collection", "last_date_added", "entries > 0"),
    ("submission", "receipt", ""),
    ("submission", "total", ""),
    ("submission", "sha256", ""),
    ("refusal", "rule", ""),
    ("held_version", "body", ""),
    ("tombstone", "stix_id", ""),
    ("audit_line", "detail", "action = 'group.add'"),
    ("audit_line", "actor_peer_id", ""),
    ("log_leaf", "payload", "kind = 'accepted'"),
    ("log_tile", "hashes", ""),
    ("log_checkpoint", "root", ""),
    ("log_checkpoint", "note", ""),
    ("log_state", "size", ""),
)
ON_BOTH = ("entry.body", "entry.audience_id", "member.may_moderate", "log_leaf.payload", "submission.receipt")
NAMES = [f"{table}.{column}" for table, column, _ in PLACES]


def _check(lived: Lived, table: str, column: str, where: str) -> None:
    with corrupted(lived.url, table, column, random.Random(f"{table}.{column}"), where) as what:
        found = audited(lived.hub)
    assert found, what
    assert found[0].place == f"{table}.{column}", (what, found[:3])


@pytest.mark.parametrize(("table", "column", "where"), PLACES, ids=NAMES)
def test_one_changed_bit_is_named_first(lived_sqlite: Lived, table: str, column: str, where: str) -> None:
    _check(lived_sqlite, table, column, where)


@pytest.mark.parametrize("place", ON_BOTH)
def test_one_changed_bit_is_named_first_on_postgresql(lived_postgresql: Lived, place: str) -> None:
    _check(lived_postgresql, *PLACES[NAMES.index(place)])


def test_the_hub_is_whole_again_afterwards(lived_sqlite: Lived) -> None:
    assert audited(lived_sqlite.hub) == []
