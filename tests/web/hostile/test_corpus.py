"""The corpus of hostile requests: each is refused in the form of the standard, repeats nothing and leaves nothing."""

from __future__ import annotations

import pytest

from tests.web.hostile import json_rows, object_rows, request_rows, signature_rows
from tests.web.hostile.row import Row
from tests.web.hostile.target import Target, check_failure, check_no_echo

ROWS = json_rows.ROWS + object_rows.ROWS + request_rows.ROWS + signature_rows.ROWS
DISLIKED_BY_DATABASES = (
    json_rows.DISLIKED_BY_DATABASES
    + object_rows.DISLIKED_BY_DATABASES
    + request_rows.DISLIKED_BY_DATABASES
    + signature_rows.DISLIKED_BY_DATABASES
)


def names(rows: tuple[Row, ...]) -> list[str]:
    """Return the names of rows, which are all different."""
    assert len({row.name for row in rows}) == len(rows)
    return [row.name for row in rows]


def test_the_corpus_is_large() -> None:
    assert len(names(ROWS)) >= 150


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_hostile(row: Row, sqlite_target: Target) -> None:
    attack(row, sqlite_target)


@pytest.mark.parametrize("row", DISLIKED_BY_DATABASES, ids=names(DISLIKED_BY_DATABASES))
def test_hostile_on_postgresql(row: Row, postgresql_target: Target) -> None:
    attack(row, postgresql_target)


def attack(row: Row, target: Target) -> None:
    """Send a request, and assert everything that must hold of its answer and of the hub afterwards."""
    before = target.counts()
    answer = target.send(row)
    assert answer.status in row.status, answer.body
    assert 400 <= answer.status < 500 or (answer.status == 202 and row.method == "POST")
    if answer.status == 202:
        check_failure(answer, row.fails)
    if row.method != "HEAD":
        assert answer.body
    check_no_echo(answer)
    assert target.counts() == before, "something was stored"
    target.check_alive()
