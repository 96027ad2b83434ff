"""A collection of another TAXII server as a target: posted in envelopes, each object with an answer of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from taxii2client.exceptions import TAXIIServiceException  # type: ignore[import-untyped] # it has no types
from taxii2client.v21 import ApiRoot, Collection  # type: ignore[import-untyped] # it has no types

from connectors.sdk.exchange import Delivered, Outgoing, Refused, StixObject
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from connectors.taxii.client import StrictConnection
from connectors.taxii.mapping import mended, version
from hub.client.remote import RemoteError
from hub.domain import limits
from hub.domain.canonical import jcs
from hub.domain.stix import STANDARD_TYPES, is_timestamp, version_key

_ABOUT_CONTENT: Final = frozenset({400, 413, 422, 500})
"""Answers that one object in an envelope can cause; OpenTAXII and medallion answer 500 to some they cannot store."""

_FRAME: Final = len(b'{"objects":[]}')
_LONGEST_POLL: Final = 5.0
_HELD_TOGETHER: Final = 50
"""Ids in one question: 50 make an address of about 3,000 octets, which every server reads."""


@dataclass(frozen=True, slots=True)
class _Sent:
    stix_id: str
    version: str
    octets: bytes

    @property
    def key(self) -> tuple[str, str]:
        return _key(self.stix_id, self.version)


class TaxiiTarget:
    """Hands objects to a collection.

    :param collect: opens the collection and its API root. :param together: objects in one envelope.
    :param delete: what was withdrawn is deleted there. :param patience: seconds to wait for a pending status.
    """

    def __init__(
        self,
        collect: Callable[[], tuple[StrictConnection, ApiRoot, Collection]],
        *,
        together: int,
        delete: bool,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._collect, self._together, self._delete = collect, together, delete
        self._patience, self._sleep, self.progress = patience, sleep, progress
        self._opened: tuple[StrictConnection, ApiRoot, Collection] | None = None

    def deliver(self, batch: Outgoing) -> Delivered:
        """Hand a batch over; see `connectors.sdk.exchange.Target`. What is there already counts as taken."""
        try:
            if self._opened is None:
                self._opened = self._collect()
            return _Delivery(self, *self._opened).of(batch)
        except RemoteError as error:
            raise ConnectorError(error.detail) from None
        except TAXIIServiceException as error:
            raise ConnectorError(f"the server does not take anything here: {type(error).__name__}") from None

    @property
    def together(self) -> int:
        """Objects in one envelope."""
        return self._together

    @property
    def deletes(self) -> bool:
        """Whether what was withdrawn is deleted."""
        return self._delete

    def waits(self) -> Iterator[None]:
        """Wait between questions, longer and longer, as long as there is patience."""
        waited, pause = 0.0, 0.25
        while waited < self._patience:
            self._sleep(pause)
            waited += pause
            pause = min(_LONGEST_POLL, pause * 1.5)
            yield


class _Delivery:
    """One batch on its way."""

    def __init__(self, target: TaxiiTarget, connection: StrictConnection, root: ApiRoot, to: Collection) -> None:
        self._target, self._connection, self._root, self._to = target, connection, root, to
        self._report = Report()
        self._refused: list[Refused] = []
        self._suspect: list[_Sent] = []
        self._taken = 0

    def of(self, batch: Outgoing) -> Delivered:
        if not self._to.can_write:
            raise ConnectorError("this credential may not write to the collection; ask the server's administrator")
        gone = set(batch.withdrawn)
        sent = [_sent(obj) for obj in batch.objects if obj.get("id") not in gone or obj.get("revoked") is True]
        for group in self._groups(sent):
            self._post(group)
        if self._suspect and not self._taken:
            raise ConnectorError("the server fails on everything it is given (500); its administrator should know")
        for one in self._suspect:
            self._refuse(one, "the server fails when it is given this object (500)")
        revoked = {obj.get("id") for obj in batch.objects if obj.get("revoked") is True}
        for stix_id in dict.fromkeys(batch.withdrawn):
            if stix_id not in revoked:
                self._withdraw(stix_id)
        return Delivered(self._taken, self._report, tuple(self._refused))

    def _groups(self, sent: Sequence[_Sent]) -> Iterator[list[_Sent]]:
        """Cut into envelopes of so many objects, and of no more octets than the server takes (§4.2.1)."""
        most = self._largest()
        group: list[_Sent] = []
        size = _FRAME
        for one in sent:
            if len(one.octets) + _FRAME > most:
                self._refuse(one, "it is longer than what the server takes (max_content_length)")
                continue
            if group and (len(group) == self._target.together or size + len(one.octets) + 1 > most):
                yield group
                group, size = [], _FRAME
            group.append(one)
            size += len(one.octets) + 1
        if group:
            yield group

    def _largest(self) -> int:
        try:
            most = self._root.max_content_length
        except (TAXIIServiceException, TypeError):  # a root that says little may still take objects
            return limits.MAX_CONTENT_LENGTH
        return most if isinstance(most, int) and most > 0 else limits.MAX_CONTENT_LENGTH

    def _post(self, group: list[_Sent]) -> None:
        """Post one envelope; what the whole of it is refused for is looked for in its halves."""
        envelope = b'{"objects":[' + b",".join(one.octets for one in group) + b"]}"
        try:
            status = self._finished(envelope)
        except RemoteError as error:
            if error.http_status not in _ABOUT_CONTENT:
                raise
            if len(group) > 1:
                self._halves(group)
            elif error.http_status == 500:
                self._suspect.append(group[0])
            else:
                self._refuse(group[0], f"the server does not take it ({error.http_status})")
            return
        failures = [line for line in _list(status.get("failures")) if isinstance(line, dict)]
        count = status.get("failure_count")
        if isinstance(count, int) and count > len(failures) and len(group) > 1:
            self._halves(group)  # the lists are optional (§4.3.1): one object alone needs none
            return
        failed = {_key(str(line.get("id")), str(line.get("version", ""))) for line in failures}
        named = {stix_id for stix_id, _ in failed}
        alone = isinstance(count, int) and count > 0 and len(group) == 1
        versions = {one.stix_id: sum(other.stix_id == one.stix_id for other in group) for one in group if failures}
        bad = [
            one for one in group if alone or one.key in failed or (one.stix_id in named and versions[one.stix_id] == 1)
        ]
        self._take([one for one in group if one not in bad])
        self._look_at(bad)
        self._target.progress(f"{self._taken} taken, {len(self._refused)} refused")

    def _halves(self, group: list[_Sent]) -> None:
        middle = len(group) // 2
        self._post(group[:middle])
        self._post(group[middle:])

    def _finished(self, envelope: bytes) -> Mapping[str, Any]:
        """Return the status of an envelope once the server has decided on all of it (§4.3)."""
        status = self._status(lambda: self._to.add_objects(envelope, wait_for_completion=False))
        if status.get("status") == "complete":
            return status
        stix_id = str(status.get("id"))
        for _ in self._target.waits():
            status = self._status(lambda: self._root.get_status(stix_id))
            if status.get("status") == "complete":
                return status
        raise ConnectorError("the server has not decided in time; the batch is handed over again in the next run")

    def _status(self, ask: Callable[[], object]) -> Mapping[str, Any]:
        """Return a status resource, also one whose counts the library finds fault with."""
        self._connection.forget()
        try:
            ask()
        except (TAXIIServiceException, TypeError, KeyError, AttributeError):
            if not isinstance(self._connection.heard(), dict):
                raise RemoteError("the answer is not a TAXII status; check the address") from None
        status = self._connection.heard()
        if not isinstance(status, dict) or status.get("status") not in ("complete", "pending"):
            raise RemoteError("the answer is not a TAXII status; check the address")
        return status

    def _take(self, sent: Sequence[_Sent]) -> None:
        self._taken += len(sent)
        for one in sent:
            kind = one.stix_id.partition("--")[0]
            kind = kind if kind in STANDARD_TYPES else "other types"
            self._report.kept(kind, kind)

    def _look_at(self, bad: Sequence[_Sent]) -> None:
        """Settle what was reported as failed: medallion reports what it has already, so it is asked what it has."""
        for start in range(0, len(bad), _HELD_TOGETHER):
            some = bad[start : start + _HELD_TOGETHER]
            held = self._held(some)
            for one in some:
                if held is None:
                    self._refuse(one, "the server reports a failure; whether it has it already cannot be read there")
                elif held.get(one.key) == one.octets:
                    self._taken += 1
                    self._report.merged("objects[]", "objects[]", "the server had it already")
                elif one.key in held:
                    self._refuse(one, "the server has another content under this version")
                else:
                    self._refuse(one, "the server reports a failure")

    def _held(self, some: Sequence[_Sent]) -> dict[tuple[str, str], bytes] | None:
        """Return what the server has under these ids, every version; None when it may not be read."""
        if not some or not self._to.can_read:
            return None
        held: dict[tuple[str, str], bytes] = {}
        ids = list(dict.fromkeys(one.stix_id for one in some))
        following: dict[str, str] = {}
        for _ in range(len(some) + 1):
            try:
                answer = self._to.get_objects(id=ids, version="all", limit=limits.PAGE_OBJECTS_DEFAULT, **following)
            except RemoteError as error:
                if error.http_status in (401, 403, 404):
                    return None
                raise
            page = answer if isinstance(answer, dict) else {}
            for obj in _list(page.get("objects")):
                if isinstance(obj, dict) and isinstance(obj.get("id"), str):
                    whole = mended(obj, Report()) if "type" in obj else obj
                    held[_key(str(obj["id"]), version(obj))] = jcs(whole)
            token = page.get("next")
            if page.get("more") is not True or not isinstance(token, str):
                break
            following = {"next": token}
        return held

    def _withdraw(self, stix_id: str) -> None:
        if not self._target.deletes:
            self._report.dropped("withdrawn[]", "set delete = true to have withdrawn objects deleted there")
            return
        try:
            # All versions: without the filter some servers delete the last one, and show the one before (§5.7).
            self._to.delete_object(stix_id, version="all")
        except RemoteError as error:
            if error.http_status == 404:
                self._report.merged("withdrawn[]", "DELETE", "the server does not have it")
            elif error.http_status in (401, 403, 405, 501):
                self._report.dropped("withdrawn[]", "the server does not let this credential delete")
            else:
                raise
            return
        if self._still_there(stix_id):  # OpenTAXII 0.9.3 answers 200 and takes the deletion back
            reason = "the server says that it deleted it, and still gives it"
            self._refused.append(Refused(stix_id, reason))
            self._report.dropped("withdrawn[]", reason)
        else:
            self._report.kept("withdrawn[]", "DELETE")

    def _still_there(self, stix_id: str) -> bool:
        if not self._to.can_read:
            return False
        try:
            answer = self._to.get_object(stix_id, version="all")
        except RemoteError as error:
            if error.http_status in (401, 403, 404):
                return False
            raise
        return isinstance(answer, dict) and bool(answer.get("objects"))

    def _refuse(self, one: _Sent, reason: str) -> None:
        self._refused.append(Refused(one.stix_id, reason))
        self._report.dropped("objects[]", reason)


def _sent(obj: StixObject) -> _Sent:
    return _Sent(str(obj.get("id")), version(obj), jcs(dict(obj)))


def _key(stix_id: str, text: str) -> tuple[str, str]:
    """Return id and version such that two spellings of one instant are the same: OpenTAXII prints its own."""
    return stix_id, version_key(text) if is_timestamp(text) else text


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
