"""The audit knows of every export token: whose it is, for which export, and whether it was revoked."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.services import export_tokens
from tests.services.auditing.world import audited
from tests.services.desk import Desk

CHANGES = {
    "export_token.peer_id": "peer_id = (SELECT id FROM peer WHERE handle = 'aa')",
    "export_token.group_id": "group_id = (SELECT id FROM trust_group WHERE slug = 'bravo')",
    "export_token.collection_id": "collection_id = NULL",
    "export_token.format": "format = 'stix'",
    "export_token.expires_at": "expires_at = NULL",
    "export_token.revoked_at": "revoked_at = NULL",
    "export_token.uuid": "uuid = '9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6'",
}


@pytest.fixture
def made(desk: Desk) -> Desk:
    """Make two tokens and revoke one."""
    bb = desk.callers["bb"]
    for collection, options in ((None, {}), ("indicators", {"min_confidence": 50, "keep_out": ["x.org"]})):
        one = export_tokens.add(
            desk.hub, bb, handle=None, slug="alpha", collection=collection, format_="ip", options=options, label="fw"
        )
    export_tokens.revoke(desk.hub, bb, one.token.uuid)
    return desk


def test_what_was_made_and_revoked_is_in_order_and_what_was_changed_is_found(made: Desk) -> None:
    assert audited(made.hub) == []
    with made.hub.db.read() as tx:
        row = tx.execute(text("SELECT * FROM export_token WHERE collection_id IS NOT NULL")).one()._asdict()
    back = ", ".join(f"{name} = :{name}" for name in row)
    for column, change in CHANGES.items():
        with made.hub.db.write() as tx:
            tx.execute(text(f"UPDATE export_token SET {change} WHERE id = {row['id']}"))  # noqa: S608 - the lines above
        assert column in {found.place for found in audited(made.hub)}
        with made.hub.db.write() as tx:
            tx.execute(text(f"UPDATE export_token SET {back} WHERE id = :id"), row)  # noqa: S608 - names of columns
    assert audited(made.hub) == []
