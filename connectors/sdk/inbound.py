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
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import orjson

from connectors.sdk import limits
from connectors.sdk.exchange import Incoming, Source, StixObject
from connectors.sdk.hub_side import HubSide
from connectors.sdk.kind import ConnectorError
from connectors.sdk.ledger import OBJECT, RETRACTION, Ledger, Refusal, Waiting
from connectors.sdk.result import Result
from hub.client.transport import RemoteError
from hub.domain.canonical import jcs
from hub.domain.retraction import STIX_ID
from hub.domain.signature_profile import SIGNATURE_TYPE, related_version
from hub.errors import MalformedJson, SignatureError

WHOLE_ENVELOPE: Final = frozenset({400, 413, 422})
"""Answers about what was sent, not about who sent it: cut in two, the part that is at fault is found."""

_FIRST: Final = {"marking-definition": 0, "extension-definition": 0, "identity": 1, "indicator": 2}
"""What others need comes first, then what protects somebody: a thin link may end the run after any of them."""


class Inbound:
    """One run of a source."""

    def __init__(
        self, hub: HubSide, ledger: Ledger, result: Result, *, max_bytes: int | None, notice: Callable[[str], None]
    ) -> None:
        self._hub, self.ledger, self._result = hub, ledger, result
        self.max_bytes, self._notice = max_bytes, notice

    def run(self, source: Source) -> None:
        """Bring everything that is new, as far as the budget goes.

        Raises ConnectorError, RemoteError, ReceiptError; what was answered until then is kept.
        """
        if not self._empty_outbox():  # 1
            return
        for incoming in source.batches(self.ledger.bookmark):
            waiting, refusals = self.prepare(incoming)  # 2
            self.ledger.fill(waiting, incoming.bookmark, refusals)  # 3
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
        again = [one for one in self.ledger.refusals() if one.body is not None]
        objects = [orjson.loads(one.body) for one in again if one.body is not None]
        waiting, refusals = self._signed(objects, again=True)
        self.ledger.fill(waiting, None, refusals)
        self._result.refuse(refusals)
        self._result.complete = self._empty_outbox()

    def prepare(self, incoming: Incoming) -> tuple[list[Waiting], list[Refusal]]:
        """Return what is to be posted of a batch, signed, and what is refused before it is."""
        if len(incoming.objects) > limits.INCOMING_OBJECTS:
            raise ConnectorError(f"the source gives more than {limits.INCOMING_OBJECTS} objects at once")
        self._result.report.add(incoming.report)
        gone = list(dict.fromkeys(incoming.withdrawn))
        withdrawn = set(gone)
        waiting, refusals = self._signed(one for one in incoming.objects if one.get("id") not in withdrawn)
        return waiting + self._retractions([one for one in gone if self.ledger.has(one)]), refusals

    def _signed(self, objects: Iterable[StixObject], *, again: bool = False) -> tuple[list[Waiting], list[Refusal]]:
        waiting: dict[tuple[str, str], Waiting] = {}
        refusals: list[Refusal] = []
        for obj in sorted(objects, key=lambda one: _FIRST.get(str(one.get("type")), 3)):
            try:
                found = self._one(obj, waiting, again)
            except (SignatureError, MalformedJson) as error:
                found = self._refusal(obj, "unreadable", "-", error.detail)
            if isinstance(found, Refusal):
                refusals.append(found)
            elif found is not None:
                waiting[(found.stix_id, found.version)] = found
        return list(waiting.values()), refusals

    def _one(self, obj: StixObject, waiting: dict[tuple[str, str], Waiting], again: bool) -> Waiting | Refusal | None:
        stix_id = obj.get("id")
        if not isinstance(stix_id, str) or STIX_ID.fullmatch(stix_id) is None or not isinstance(obj.get("type"), str):
            return self._refusal(obj, "unreadable", "-", "it has no STIX id or no type")
        octets = jcs(dict(obj))
        if len(octets) > limits.OBJECT_BYTES:
            return self._refusal(obj, "too-large", "-", f"it is longer than {limits.OBJECT_BYTES} octets")
        version, sha256 = related_version(obj), hashlib.sha256(octets).digest()
        same = waiting.get((stix_id, version))
        before = same.sha256 if same is not None else self.ledger.published(stix_id, version)
        if before == sha256:
            self._result.unchanged += 1
            return None
        if before is not None:
            reason = "the system gives another content under the same version; it is taken once `modified` is later"
            return self._refusal(obj, "version", version, reason)
        if not again and self.ledger.refused(stix_id, version) == octets:
            self._result.known_refusals += 1
            return None
        signed = self._hub.sign(obj)
        if obj["type"] != SIGNATURE_TYPE and len(signed) == 1:
            self._result.signed += 1
        self._result.vouched += len(signed) - 1
        return Waiting(OBJECT, stix_id, version, sha256, orjson.dumps(signed), octets)

    def _retractions(self, stix_ids: Sequence[str], together: int = 100) -> list[Waiting]:
        made = []
        for start in range(0, len(stix_ids), together):
            some = list(stix_ids[start : start + together])
            note = self._hub.retraction(some)
            body, targets = orjson.dumps([note]), orjson.dumps(some)
            made.append(Waiting(RETRACTION, note["id"], related_version(note), b"", body, targets))
        return made

    def _empty_outbox(self) -> bool:  # 4, 5
        """Post what waits; say whether all of it is answered for, and not the budget spent before."""
        while True:
            rows = self.ledger.waiting(limits.BATCH_OBJECTS)
            if not rows:
                self.ledger.settle()  # 6
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
        """Return as many as the budget has room for: one at least in a run, or what is too large waits for ever."""
        if self.max_bytes is None:
            return rows
        left = self.max_bytes - self._result.octets
        taken = 0
        for count, row in enumerate(rows):
            taken += len(row.body)
            if taken > left:
                return rows[: max(count, 0 if self._result.octets else 1)]
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
            self.ledger.answered(rows, (), (), refusals)
            self._result.refuse(refusals)
            return
        self._result.octets += sum(len(row.body) for row in rows)
        said = _lines(pushed.failures)
        of_id = Counter(row.stix_id for row in rows)
        done: list[Waiting] = []
        refusals = []
        for row in rows:
            alone = said.get((row.stix_id, None)) if of_id[row.stix_id] == 1 else None
            line = said.get((row.stix_id, row.version)) or alone
            if line is None:
                done.append(row)
            else:
                refusals.append(self._refused(row, *_rule(line)))
        for row in done:  # a signature that was refused although its object was taken: it has to be known
            names = [str(one.get("id")) for one in orjson.loads(row.body)[1:]]
            lines = [(name, said[(name, None)]) for name in names if (name, None) in said]
            refusals += [Refusal(name, "-", *_rule(line), self._hub.clock()) for name, line in lines]
        self.ledger.answered(rows, done, (), refusals)
        self._result.objects += len(done)
        self._result.refuse(refusals)

    def _retract(self, row: Waiting) -> None:
        targets: list[str] = orjson.loads(row.original)
        pushed = self._hub.post(orjson.loads(row.body))
        self._result.octets += len(row.body)
        if not pushed.failures:
            self.ledger.answered([row], (), targets, ())
            self._result.withdrawn += len(targets)
        elif len(targets) > 1:  # one that is gone already refuses the whole note
            self.ledger.replace([row], self._retractions(targets, together=max(1, len(targets) // 10)))
        else:
            # It is not there any more, or never was ours: either way there is nothing left that could be withdrawn.
            refusals = [Refusal(targets[0], "withdrawal", *_rule(pushed.failures[0]), self._hub.clock())]
            self.ledger.answered([row], (), targets, refusals)
            self._result.refuse(refusals)

    def _refused(self, row: Waiting, rule: str, reason: str) -> Refusal:
        return Refusal(row.stix_id, row.version, rule, reason, self._hub.clock(), row.original)

    def _refusal(self, obj: StixObject, rule: str, version: str, reason: str) -> Refusal:
        """Return a refusal of our own, which another content has to mend: it is not tried again as it is."""
        stix_id = obj.get("id")
        name = stix_id if isinstance(stix_id, str) and STIX_ID.fullmatch(stix_id) else "an object without an id"
        return Refusal(name, version, rule, reason, self._hub.clock())


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
