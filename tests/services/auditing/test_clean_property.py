"""Whatever the peers of a group do, in whatever order, an honest hub audits clean."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.services.auditing.world import audited
from tests.services.test_sharing_property import Group


class AuditedGroup(Group):
    """The same random lives; at the end of each the hub is audited."""

    def teardown(self) -> None:
        try:
            assert audited(self.desk.hub) == []
        finally:
            super().teardown()


AuditedGroup.TestCase.settings = settings(
    max_examples=4, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAuditedGroup = AuditedGroup.TestCase
