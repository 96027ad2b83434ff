"""A hub that nobody has touched audits clean, whatever its peers and its operator did."""

from __future__ import annotations

from tests.services.auditing.conftest import Lived
from tests.services.auditing.world import audited


def test_a_hub_that_was_only_used_audits_clean(lived: Lived) -> None:
    assert audited(lived.hub) == []
