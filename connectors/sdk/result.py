"""What became of one run: counted while it goes on, kept on this machine, told to the hub in short."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.sdk import limits
from connectors.sdk.ledger import Refusal
from connectors.sdk.report import Report


@dataclass(slots=True)
class Result:
    """The counts of a run.

    :param objects: that the other side has now because of this run. :param unchanged: that it had already.
    :param known_refusals: that were refused before and have not changed, and were not tried again.
    :param signed: of our own, inline. :param vouched: of others, by a signature beside them.
    :param octets: carried to and from the hub, packed as they were. :param complete: nothing was left when it ended.
    """

    objects: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    refused: int = 0
    known_refusals: int = 0
    signed: int = 0
    vouched: int = 0
    octets: int = 0
    complete: bool = False
    report: Report = field(default_factory=Report)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusals: list[Refusal]) -> None:
        """Count what was not taken; the first of them are named in the record."""
        self.refused += len(refusals)
        self.refusals += refusals[: max(0, limits.REFUSALS_NAMED - len(self.refusals))]

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept with the run."""
        return {
            "objects": self.objects,
            "unchanged": self.unchanged,
            "withdrawn": self.withdrawn,
            "refused": self.refused,
            "known_refusals": self.known_refusals,
            "signed": self.signed,
            "vouched": self.vouched,
            "octets": self.octets,
            "complete": self.complete,
            "refusals": [
                {"id": one.stix_id, "version": one.version, "rule": one.rule, "reason": one.reason}
                for one in self.refusals
            ],
            "report": self.report.to_json(),
        }
