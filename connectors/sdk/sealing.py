"""Every object of a batch, signed and ready to be posted; what was published before, or cannot be signed, left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from connectors.sdk import limits
from connectors.sdk.exchange import Incoming, StixObject
from connectors.sdk.hub_side import HubSide
from connectors.sdk.kind import ConnectorError
from connectors.sdk.ledger import OBJECT, RETRACTION, Ledger, Refusal, Waiting
from connectors.sdk.result import Result
from hub.domain.canonical import jcs
from hub.domain.retraction import STIX_ID
from hub.domain.signature_profile import SIGNATURE_TYPE, related_version
from hub.errors import MalformedJson, SignatureError

_FIRST: Final = {"marking-definition": 0, "extension-definition": 0, "identity": 1, "indicator": 2}
"""What others need comes first, then what protects somebody: a thin link may end the run after any of them."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Signs what a source gives, and remembers nothing itself: the ledger does."""

    hub: HubSide
    ledger: Ledger
    result: Result

    def prepare(self, incoming: Incoming) -> tuple[list[Waiting], list[Refusal]]:
        """Return what is to be posted of a batch, signed, and what is refused before it is."""
        if len(incoming.objects) > limits.INCOMING_OBJECTS:
            raise ConnectorError(f"the source gives more than {limits.INCOMING_OBJECTS} objects at once")
        self.result.report.add(incoming.report)
        gone = list(dict.fromkeys(incoming.withdrawn))
        withdrawn = set(gone)
        waiting, refusals = self.signed(one for one in incoming.objects if one.get("id") not in withdrawn)
        return waiting + self.retractions([one for one in gone if self.ledger.has(one)]), refusals

    def signed(self, objects: Iterable[StixObject], *, again: bool = False) -> tuple[list[Waiting], list[Refusal]]:
        """Return these objects signed, what is needed first in front, and what cannot be.

        :param again: also what was refused before and has not changed.
        """
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
            self.result.unchanged += 1
            return None
        if before is not None:
            reason = "the system gives another content under the same version; it is taken once `modified` is later"
            return self._refusal(obj, "version", version, reason)
        if not again and self.ledger.refused(stix_id, version) == octets:
            self.result.known_refusals += 1
            return None
        signed = self.hub.sign(obj)
        if obj["type"] != SIGNATURE_TYPE and len(signed) == 1:
            self.result.signed += 1
        self.result.vouched += len(signed) - 1
        return Waiting(OBJECT, stix_id, version, sha256, orjson.dumps(signed), octets)

    def retractions(self, stix_ids: Sequence[str], together: int = 100) -> list[Waiting]:
        """Return signed notes that withdraw these, so many in each."""
        made = []
        for start in range(0, len(stix_ids), together):
            some = list(stix_ids[start : start + together])
            note = self.hub.retraction(some)
            body, targets = orjson.dumps([note]), orjson.dumps(some)
            made.append(Waiting(RETRACTION, note["id"], related_version(note), b"", body, targets))
        return made

    def _refusal(self, obj: StixObject, rule: str, version: str, reason: str) -> Refusal:
        """Return a refusal of our own, which another content has to mend: it is not tried again as it is."""
        stix_id = obj.get("id")
        name = stix_id if isinstance(stix_id, str) and STIX_ID.fullmatch(stix_id) else "an object without an id"
        return Refusal(name, version, rule, reason, self.hub.clock())
