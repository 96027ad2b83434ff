"""From the hub to the system: in the order in which the hub dated it, verified, and only then is the bookmark moved.

1. A page is fetched from the bookmark on. What an object's signatures do not bear out is refused and not handed over.
2. What a retraction names is withdrawn from the system, unless the hub still serves a version of it, which then is
   handed over again: the note says where to look, and the hub's own collection what holds.
3. The system gets the page. What it refuses is kept with its reason, and stops nothing.
4. The bookmark moves behind the page. Killed before, the same page is handed over again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connectors.sdk.exchange import Outgoing, StixObject, Target
from connectors.sdk.hub_side import HubSide
from connectors.sdk.ledger import Ledger, Refusal
from connectors.sdk.result import Result
from hub.client.feed import FeedPage, collection_url, pages
from hub.client.transport import RemoteError
from hub.domain import limits as hub_limits
from hub.domain import retraction
from hub.domain.bundle_verification import Status, verify_objects
from hub.domain.keys import KeyRing
from hub.domain.retraction import MalformedRetraction
from hub.domain.signature_profile import SIGNATURE_TYPE, related_version

_Stix = dict[str, Any]


class Outbound:
    """One run of a target."""

    def __init__(
        self, hub: HubSide, ledger: Ledger, result: Result, *, max_bytes: int | None, notice: Callable[[str], None]
    ) -> None:
        self._hub, self._ledger, self._result = hub, ledger, result
        self._max_bytes, self._notice = max_bytes, notice
        table = hub.connector.table
        self._types = frozenset(table.types)
        self._require = table.require_signatures
        self._url = collection_url(hub.connector.api_root, table.collection)

    def run(self, target: Target) -> None:
        """Hand over everything that is new, as far as the budget goes.

        Raises ConnectorError, RemoteError, ConfigError; what was taken until then is not handed over again.
        """
        ring = self._hub.ring()
        for page in self._pages():
            self._deliver(target, self._outgoing(page, ring))  # 1, 2, 3
            if page.last is not None:
                self._ledger.move(page.last)  # 4
            self._result.octets = self._hub.transport.traffic.octets
            done = self._result
            self._notice(f"{done.objects} handed over, {done.withdrawn} withdrawn, {done.refused} refused")
            if page.more and self._max_bytes is not None and self._result.octets >= self._max_bytes:
                self._notice("the budget of octets is spent; the next run goes on from here")
                return
        self._result.complete = True

    def preview(self) -> None:
        """Count what would be handed over, and hand over nothing."""
        ring = self._hub.ring()
        for page in self._pages():
            batch = self._outgoing(page, ring)
            for obj in batch.objects:
                self._result.report.kept(str(obj.get("type")), "would be handed over")
            self._result.objects += len(batch.objects)
            self._result.withdrawn += len(batch.withdrawn)
            self._result.octets = self._hub.transport.traffic.octets
            if self._max_bytes is not None and self._result.octets >= self._max_bytes:
                return
        self._result.complete = True

    def retry(self, target: Target) -> None:
        """Hand over once more what was refused, as far as the hub still serves it. Raises as `run` does."""
        ids = list(dict.fromkeys(one.stix_id for one in self._ledger.refusals()))
        found = self._hub.served(ids)
        self._ledger.accept(ids)
        checked = self._verified([*found], self._hub.ring())
        self._deliver(target, Outgoing(checked))
        self._result.complete = True

    def _pages(self) -> Iterable[FeedPage]:
        filters = {}
        if self._types:
            # The signatures over what is wanted and the retractions of it come along.
            filters["match[type]"] = ",".join(sorted({*self._types, SIGNATURE_TYPE, retraction.NOTE}))
        return pages(
            self._hub.transport,
            self._url,
            added_after=self._ledger.bookmark,
            limit=self._hub.connector.table.page,
            filters=filters,
        )

    def _outgoing(self, page: FeedPage, ring: KeyRing) -> Outgoing:
        if not all(isinstance(obj.get("id"), str) and isinstance(obj.get("type"), str) for obj in page.objects):
            raise RemoteError("there is something without an id or a type among the objects; this is not a STIX feed")
        objects = self._verified(page.objects, ring)
        revoked = [str(obj["id"]) for obj in objects if obj.get("revoked") is True and obj["type"] != SIGNATURE_TYPE]
        named = list(dict.fromkeys(_named(objects)))
        left = self._verified(self._hub.served(named), ring) if named else []
        still = {str(obj["id"]) for obj in left}
        present = {(obj["id"], related_version(obj)) for obj in objects}
        wanted = [obj for obj in objects if self._wanted(obj)]
        wanted += [obj for obj in left if (obj["id"], related_version(obj)) not in present and self._wanted(obj)]
        return Outgoing(wanted, list(dict.fromkeys([*revoked, *(one for one in named if one not in still)])))

    def _wanted(self, obj: StixObject) -> bool:
        if not self._types or obj["type"] in self._types or retraction.is_retraction(obj):
            return True
        return obj["type"] == SIGNATURE_TYPE and str(obj.get("related_to")).partition("--")[0] in self._types

    def _verified(self, objects: Sequence[_Stix], ring: KeyRing) -> list[_Stix]:
        """Return what may be handed over: nothing whose signature fails, and nothing unsigned where that is not wanted.

        A signature over what is not on the same page is left out: it came with its object, or the object was replaced.
        """
        here = {(str(obj["id"]), related_version(obj)) for obj in objects if obj["type"] != SIGNATURE_TYPE}
        judged = [obj for obj in objects if obj["type"] != SIGNATURE_TYPE or _signed(obj) in here]
        refusals = [
            Refusal(one.id, one.version, "signature", one.reason, self._hub.clock())
            for one in verify_objects(judged, ring, now=self._hub.clock())
            if one.status is Status.FAILED or (self._require and one.status is Status.UNSIGNED)
        ]
        bad = {(one.stix_id, one.version) for one in refusals}
        self._ledger.refuse(refusals)
        self._result.refuse(refusals)
        return [obj for obj in judged if _name(obj) not in bad]

    def _deliver(self, target: Target, batch: Outgoing) -> None:
        if not batch.objects and not batch.withdrawn:
            return
        delivered = target.deliver(batch)
        now = self._hub.clock()
        versions = {str(obj["id"]): related_version(obj) for obj in batch.objects}
        refusals = [
            Refusal(one.stix_id, versions.get(one.stix_id, "-"), "system", _line(one.reason), now)
            for one in delivered.refused
        ]
        self._ledger.refuse(refusals)
        self._result.refuse(refusals)
        self._result.report.add(delivered.report)
        self._result.objects += delivered.taken
        self._result.withdrawn += len(batch.withdrawn)


def _named(objects: Iterable[_Stix]) -> Iterable[str]:
    """Yield the ids that retractions among these name."""
    for obj in objects:
        if not retraction.is_retraction(obj):
            continue
        try:
            yield from (one.stix_id for one in retraction.read(obj).targets)
        except MalformedRetraction:
            continue  # a note that says nothing the hub could have carried out


def _signed(obj: _Stix) -> tuple[str, str]:
    return str(obj.get("related_to")), str(obj.get("related_version"))


def _name(obj: _Stix) -> tuple[str, str]:
    return _signed(obj) if obj["type"] == SIGNATURE_TYPE else (str(obj["id"]), related_version(obj))


def _line(reason: str) -> str:
    return "".join(char for char in reason if char.isprintable())[: hub_limits.MAX_REASON_LENGTH]
