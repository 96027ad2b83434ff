"""The audit of a whole hub: every check, in the order in which each can rely on the ones before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from hub.domain.key_material import PublicKey
from hub.services.auditing import (
    acceptance,
    acknowledgements,
    audiences,
    credentials,
    entries,
    graves,
    held,
    key_ring,
    leaves,
    lines,
    notices,
    partners,
    relays,
    settings,
    stored_bytes,
    submissions,
    unexplained,
)
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.store import scan
from hub.store.database import Database

Check = Callable[[Ground], Findings]

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("log", leaves.check),
    ("lines", lines.check),
    ("settings", settings.check),
    ("partners", partners.check),
    ("keys", key_ring.check),
    ("relays", relays.check),
    ("credentials", credentials.check),
    ("audiences", audiences.check),
    ("entries", entries.check),
    ("kept", stored_bytes.kept),
    ("evidence", acceptance.kept),
    ("acknowledgements", acknowledgements.check),
    ("retractions", notices.records),
    ("receipts", submissions.check),
    ("refusals", submissions.refusals),
    ("held", held.check),
    ("tombstones", graves.tombstones),
    ("deliveries", graves.deliveries),
    ("lost", unexplained.check),
)
"""The log first: its root is signed. What contradicts it afterwards is what was changed."""

TWICE: Final = ("log_leaf", "refusal")


@dataclass(slots=True)
class Audit:
    """One audit under way; iterate `findings` to its end.

    :param done: rows looked at. :param total: rows to look at, known when the first check begins.
    :param unverifiable: how many things could not be judged, by reason.
    """

    db: Database
    signing_key: PublicKey
    log_key: PublicKey
    done: int = 0
    total: int = 0
    checking: str = ""
    entries: int = 0
    unverifiable: dict[str, int] = field(default_factory=dict)
    progress: Callable[[], None] = lambda: None

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, in the order of the checks, as of one moment; the hub may go on working meanwhile."""
        with self.db.one_snapshot(), self.db.read() as tx, scan.undecoded(tx):
            ground = Ground(tx, self.signing_key, self.log_key, self._step)
            ground.load()
            counted = (*(name for name in scan.names()), *TWICE)
            self.total = sum(scan.count(tx, name) for name in counted)
            self.entries = scan.count(tx, "entry")
            for name, check in CHECKS:
                self.checking = name
                yield from check(ground)
            self.unverifiable = dict(ground.unverifiable)
        self.done = self.total
        self.progress()

    def _step(self, rows: int) -> None:
        self.done = min(self.total, self.done + rows)
        self.progress()
