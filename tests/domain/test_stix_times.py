"""The moments of a version are bounded in length: they become part of a key in the database."""

from __future__ import annotations

import pytest

from hub.domain.stix_times import time_problems
from tests.web.taxii.world import indicator

DIGITS = "123456789012345678901234567890"


@pytest.mark.parametrize("name", ["created", "modified"])
@pytest.mark.parametrize(("digits", "problems"), [(DIGITS, []), (DIGITS + "1", ["bounds"])], ids=["30", "31"])
def test_a_moment_has_at_most_thirty_digits_of_a_second(name: str, digits: str, problems: list[str]) -> None:
    later = "2026-10-02T00:00:00Z" if name == "created" else "2026-10-01T00:00:00Z"
    obj = {**indicator(1, later), name: f"2026-10-01T00:00:00.{digits}Z"}
    found = list(time_problems(obj, observable=False))
    assert [problem.rule for problem in found] == problems
    assert all(problem.field == name for problem in found)
