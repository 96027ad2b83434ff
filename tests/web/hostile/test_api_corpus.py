"""Hostile requests to /api/v1 are refused as problems, repeat nothing and change nothing, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from hub.store import tables
from tests.services.cast import Cast
from tests.services.conftest import postgresql_cast, postgresql_copy, sqlite_cast, sqlite_copy
from tests.web.api.conftest import clients
from tests.web.hostile.api_rows import ROWS, ApiRow
from tests.web.hostile.row import CANARY

__all__ = ["postgresql_cast", "postgresql_copy", "sqlite_cast", "sqlite_copy"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest) -> Cast:
    """The cast in one database for all rows: none of them may change it."""
    made: Cast = request.getfixturevalue(f"{request.param}_cast")[1]
    return made


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_hostile(row: ApiRow, attacked: Cast) -> None:
    before = counts(attacked)
    answer = clients(attacked)("operator").call(row.method, row.target, raw=row.body, **row.headers)
    assert answer.status in row.status, answer.body
    assert CANARY not in (answer.body.decode() + str(answer.headers)).lower()
    assert counts(attacked) == before
    assert clients(attacked)("operator").get("/whoami").status == 200


def counts(cast: Cast) -> dict[str, int]:
    """Return how many rows each table has."""
    with cast.hub.db.read() as tx:
        return {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }
