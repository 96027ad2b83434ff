"""From the system to the hub: every object signed, answered for by a receipt, and only then is the bookmark moved.

1. What an interrupted run had signed is posted first, octet for octet: the same version never gets two contents.
2. Of each batch, what was published before is left out, and what cannot be signed is refused here.
3. The signed objects are on disk before the first is posted.
4. Each answer is kept before the next post. What the hub refuses is kept with rule and reason, and stops nothing.
5. What the system withdrew is retracted, as far as it was published here.
6. The bookmark moves when nothing waits any more.

Killed after any step, the next run goes on with it, and the hub recognises what it has already.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import orjson

from connectors.sdk import limits
from connectors.sdk.exchange import Source, StixObject
from connectors.sdk.hub_side import HubSide
from connectors.sdk.ledger import RETRACTION, Ledger, Refusal, Waiting
from connectors.sdk.result import Result
from connectors.sdk.sealing import Sealer
from hub.client.transport import RemoteError
from hub.domain.admission import VERSION
from hub.domain.canonical import jcs
from hub.domain.signature_profile import INLINE_EXTENSION_ID

WHOLE_ENVELOPE: Final = frozenset({400, 413, 422})
"""Answers about what was sent, not about who sent it: cut in two, the part that is at fault is found."""


class Inbound:
    """One run of a source."""

    def __init__(
        self, hub: HubSide, ledger: Ledger, result: Result, *, max_bytes: int | None, notice: Callable[[str], None]
    ) -> None:
        self._hub, self._ledger, self._result = hub, ledger, result
        self._max_bytes, self._notice = max_bytes, notice
        self._sealer = Sealer(hub, ledger, result)
        self._posts = 0

    def run(self, source: Source) -> None:
        """Bring everything that is new, as far as the budget goes.

        Raises ConnectorError, RemoteError, ReceiptError; what was answered until then is kept.
        """
        if not self._empty_outbox():  # 1
            return
        for incoming in source.batches(self._ledger.bookmark):
            waiting, refusals = self._sealer.prepare(incoming)  # 2
            self._ledger.fill(waiting, incoming.bookmark, refusals)  # 3
            self._result.refuse(refusals)
            if not self._empty_outbox():
                return
            done = self._result
            self._notice(f"{done.objects} published, {done.withdrawn} withdrawn, {done.refused} refused")
        self._result.complete = True

    def retry(self) -> None:
        """Post once more what was refused, except what only another version can mend. Raises as `run` does."""
        if not self._empty_outbox():
            return
        again = [one for one in self._ledger.refusals() if one.body is not None]
        objects = [orjson.loads(one.body) for one in again if one.body is not None]
        waiting, refusals = self._sealer.signed(objects, again=True)
        self._ledger.fill(waiting, None, refusals)
        self._result.refuse(refusals)
        self._result.complete = self._empty_outbox()

    def _empty_outbox(self) -> bool:  # 4, 5
        """Post what waits; say whether all of it is answered for, and not the budget spent before."""
        while True:
            rows = self._ledger.waiting(limits.BATCH_OBJECTS)
            if not rows:
                self._ledger.settle()  # 6
                return True
            some = self._within_budget(rows[:1] if rows[0].kind == RETRACTION else rows)
            if not some:
                self._notice("the budget of octets is spent; the next run goes on from here")
                return False
            if some[0].kind == RETRACTION:
                self._retract(some[0])
            else:
                self._post(some)

    def _within_budget(self, rows: list[Waiting]) -> list[Waiting]:
        """Return as many as the budget has room for, unpacked; one at least in a run, or it would wait for ever."""
        if self._max_bytes is None:
            return rows
        left = self._max_bytes - self._result.octets
        taken = 0
        for count, row in enumerate(rows):
            taken += len(row.body)
            if taken > left:
                return rows[: max(count, 0 if self._posts else 1)]
        return rows

    def _post(self, rows: list[Waiting]) -> None:
        objects: list[dict[str, Any]] = [one for row in rows for one in orjson.loads(row.body)]
        try:
            pushed = self._hub.post(objects)
        except RemoteError as error:
            if error.http_status not in WHOLE_ENVELOPE:
                raise
            if len(rows) > 1:
                self._post(rows[: len(rows) // 2])
                self._post(rows[len(rows) // 2 :])
                return
            refusals = [self._refused(rows[0], "envelope", error.detail)]
            self._ledger.answered(rows, (), (), refusals)
            self._result.refuse(refusals)
            return
        self._count()
        said = _lines(pushed.failures)
        of_id = Counter(row.stix_id for row in rows)
        done: list[Waiting] = []
        refused: list[tuple[Waiting, str, str]] = []
        for row in rows:
            alone = said.get((row.stix_id, None)) if of_id[row.stix_id] == 1 else None
            line = said.get((row.stix_id, row.version)) or alone
            if line is None:
                done.append(row)
            else:
                refused.append((row, *_rule(line)))
        self._result.objects += len(done)
        known = self._published_before([row for row, rule, _ in refused if rule == VERSION])
        refusals = [self._refused(*one) for one in refused if one[0] not in known]
        for row in done:  # a signature that was refused although its object was taken: it has to be known
            names = [str(one.get("id")) for one in orjson.loads(row.body)[1:]]
            lines = [(name, said[(name, None)]) for name in names if (name, None) in said]
            refusals += [Refusal(name, "-", *_rule(line), self._hub.clock()) for name, line in lines]
        self._ledger.answered(rows, [*done, *known], (), refusals)
        self._result.refuse(refusals)

    def _published_before(self, rows: list[Waiting]) -> list[Waiting]:
        """Return those of which the hub has this very content under a signature that we made and have forgotten.

        So a folder that was lost costs nothing but the questions.
        """
        try:
            served = self._hub.served(list({row.stix_id for row in rows}), every_version=True) if rows else []
        except RemoteError:  # the credential may not read there: then the refusal stands
            return []
        contents = {digest for obj in served for digest in _unsigned(obj)}
        known = [row for row in rows if row.sha256 in contents]
        self._result.unchanged += len(known)
        return known

    def _retract(self, row: Waiting) -> None:
        targets: list[str] = orjson.loads(row.original)
        pushed = self._hub.post(orjson.loads(row.body))
        self._count()
        if not pushed.failures:
            self._ledger.answered([row], (), targets, ())
            self._result.withdrawn += len(targets)
        elif len(targets) > 1:  # one that is gone already refuses the whole note
            self._ledger.replace([row], self._sealer.retractions(targets, together=max(1, len(targets) // 10)))
        else:
            # It is not there any more, or never was ours: either way there is nothing left that could be withdrawn.
            refusals = [Refusal(targets[0], "withdrawal", *_rule(pushed.failures[0]), self._hub.clock())]
            self._ledger.answered([row], (), targets, refusals)
            self._result.refuse(refusals)

    def _count(self) -> None:
        """Count what has crossed the wire so far, packed as it was."""
        self._posts += 1
        self._result.octets = self._hub.transport.traffic.octets

    def _refused(self, row: Waiting, rule: str, reason: str) -> Refusal:
        return Refusal(row.stix_id, row.version, rule, reason, self._hub.clock(), row.original)


def _unsigned(obj: StixObject) -> Iterator[bytes]:
    """Yield the SHA-256 of what an object may have been before its author signed it."""
    if "signatures" not in obj:
        return
    plain = {name: value for name, value in obj.items() if name not in ("signatures", "extensions")}
    extensions = obj.get("extensions")
    left = {key: body for key, body in extensions.items() if key != INLINE_EXTENSION_ID} if extensions else {}
    if not left:
        yield hashlib.sha256(jcs(plain)).digest()
    yield hashlib.sha256(jcs({**plain, "extensions": left})).digest()


def _lines(failures: Sequence[dict[str, Any]]) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return the status line for each (id, version) that failed, and for each id."""
    said: dict[tuple[str, str | None], dict[str, Any]] = {}
    for line in failures:
        stix_id = str(line.get("id"))
        said[(stix_id, str(line.get("version")))] = said[(stix_id, None)] = line
    return said


def _rule(line: dict[str, Any]) -> tuple[str, str]:
    """Return the rule and the reason in the message of a status line."""
    message = "".join(char for char in str(line.get("message", "")) if char.isprintable())[: limits.ERROR_LENGTH]
    rule, _, reason = message.partition(": ")
    return (rule, reason) if reason else ("hub", message or "the hub does not say why")
