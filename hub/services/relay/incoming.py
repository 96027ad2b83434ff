"""Taking a batch from another hub, however it came: checked as a batch, then through the same ingest as everything."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection

from hub.domain.agreement import Terms
from hub.domain.canonical import Json, read
from hub.domain.hop import digest
from hub.domain.keys import KeyRing
from hub.domain.membership import Caller, Peer, Right
from hub.domain.quota import Amount
from hub.domain.relay_batch import Header, read_batch
from hub.domain.statement import check_statement
from hub.domain.stix import version_key as version_key_of
from hub.domain.submission import Decided, Failed
from hub.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hub.services import access, agreements, commit, ingest, quotas, receipts
from hub.services.access import OpenCollection
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.relay import arrivals, introduced, pauses, reaching
from hub.services.relay.arrivals import Arrival
from hub.services.relay.introduced import NotTaken
from hub.store import keys as key_store
from hub.store import relay_batches
from hub.store import relay_paths as path_store
from hub.store import submissions as submission_store
from hub.store.relay_batches import How
from hub.store.relay_paths import StoredPath
from hub.store.submissions import Submission


class OutOfStep(Conflict):
    """A batch begins after what this hub has. :param position: where the other hub has to go on."""

    code = "out-of-step"
    title = "Something between is missing here"

    def __init__(self, position: str) -> None:
        super().__init__(f"this hub has what came up to {position}: go on from there", field="batch.header.after")
        self.position = position


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch.

    :param receipt: JCS bytes, signed by this hub: one line for each object, in the order of the batch. None for a batch
        that only introduces authors, or asks.
    :param failures: (place in the batch, rule, message) of what was not taken.
    :param introduced: digest of what is known now, in hex, of each author that the batch introduced.
    :param not_introduced: authors whose introduction was not believed, with the reason.
    :param reaches: how far withdrawals have come that the other hub told of, when it only asks.
    """

    receipt: bytes | None
    failures: Sequence[tuple[int, str, str]]
    introduced: Mapping[str, str] = field(default_factory=dict)
    not_introduced: Sequence[NotTaken] = ()
    reaches: Sequence[Mapping[str, Any]] = ()

    @property
    def objects(self) -> int:
        """How many objects were in the batch."""
        return 0 if self.receipt is None else len(orjson.loads(self.receipt)["objects"])

    def answer(self) -> dict[str, Any]:
        """Return it as JSON for the hub that sent the batch."""
        return {
            "receipt": None if self.receipt is None else orjson.loads(self.receipt),
            "failures": [{"index": index, "rule": rule, "message": text} for index, rule, text in self.failures],
            "introduced": dict(self.introduced),
            "reaches": [dict(one) for one in self.reaches],
            "not_introduced": [{"identity": one.identity, "reason": one.reason} for one in self.not_introduced],
        }


def take(hub: Hub, via: Peer, body: bytes, *, how: How) -> Taken:
    """Store what a partner's batch brings; what it reports stored is durable, and the position moves with it.

    1. The batch is of this partner, for this hub, signed by a key of his that stands.
    2. One that is known is answered as it was the first time.
    3. The link is not paused, and it is under the agreement in force, into a group and collection where he may write.
    4. It begins where the last one ended, or before: what comes too early is refused, so that nothing is left out.
    5. The authors it introduces are made known. The path of each object is checked.
    6. The objects go through ingest like anybody's; then what both hubs agreed is asked again.
    7. One transaction: the objects, their paths, the receipt, the position.

    :raises InvalidRequest, SignatureError: the batch itself is not right. Forbidden, NotFound: it may not be here.
    :raises OutOfStep: it begins after what this hub has. TooManyRequests: the partner's quota of this hour is used up.
    """
    now, document = hub.clock(), read(body)
    header, signed, objects = read_batch(document.value)
    with hub.db.read() as tx:
        own = hub_identity(tx)
        ring = KeyRing(key_store.of_peer(tx, via.id), allow_test_key=hub.allow_test_key)
        if header.sender != via.identity:  # 1
            raise InvalidRequest("it is of another hub than the one that hands it over", field="batch.header.from")
        if header.to != own:
            raise InvalidRequest("it is for another hub", field="batch.header.to")
        check_statement(signed, ring, signee=via.identity, now=now)
        earlier = relay_batches.get(tx, via.id, "in", header.id)
        if earlier is not None and earlier.receipt is not None:  # 2
            known_now = introduced.digests_of(header.introductions)
            return Taken(earlier.receipt, _failures_of(tx, earlier.receipt), known_now)
        pauses.require_open(tx, via)  # 3
        terms, opened = _opened(tx, hub, via, header, now=now)
        _in_step(tx, via, header, opened)  # 4
    not_taken = introduced.take(hub, via, header.introductions)  # 5
    known_now = introduced.digests_of(header.introductions)
    if not header.items and header.upto is None:
        with hub.db.read() as tx:
            reaches = reaching.due(tx, hub, via, again=True)
        return Taken(None, (), known_now, not_taken, reaches)
    with hub.db.read() as tx:
        paths, failed = arrivals.check(tx, hub, header, objects)
        relayed = _relayed(tx, opened, objects, paths)
    received = ingest.Received(list(objects), document.plain)
    examined = ingest.examine(hub, opened, via, received, now=now, relayed=relayed)  # 6
    known = [one for one in examined.known if one.index in paths]
    on_their_way = [one for one in examined.decided if one.parsed.index in paths]
    decided, stopped = arrivals.settle(examined.place, terms, header, on_their_way, paths)
    invalid = [one for one in examined.failed if one.index not in failed]
    refused = [*failed.values(), *invalid, *stopped]
    submission = _submission(hub, via, opened, body, len(objects), now=now)
    with hub.db.write() as tx:  # 7
        if how != "pack":  # the operator himself brings those in, and no partner can do it for him
            quotas.charge(tx, hub, via, Amount(len(objects), len(body)))
        stored, not_admitted = commit.commit(tx, hub, examined.place, submission.uuid, decided, now=now)
        refused += not_admitted
        lines = commit.record_refusals(tx, hub, examined.place, submission.uuid, refused, now=now)
        submission = ingest.settled(submission, [*known, *stored], refused, now=hub.clock())
        receipt = receipts.made(hub, examined.place, submission, [*known, *stored], lines)
        submission_store.add(tx, replace(submission, receipt=receipt), None)
        path_store.add(tx, _stored_paths(via, opened, _keys(decided), paths, stored, now=now))
        _remember(tx, via, opened, header, signed, body, receipt, how, now=now)
    ingest.report(submission, via)
    return Taken(receipt, _failures(refused), known_now, not_taken)


def partner(caller: Caller) -> Peer:
    """Return the partner hub that is calling. Raises NotFound for everybody else, who need not know of relays."""
    if not caller.peer.partner_hub:
        raise NotFound("there is no such resource")
    return caller.peer


def answer_of(tx: Connection, receipt: bytes) -> dict[str, Any]:
    """Return the answer to a batch that was taken earlier, from its receipt."""
    return Taken(receipt, _failures_of(tx, receipt)).answer()


def _opened(tx: Connection, hub: Hub, via: Peer, header: Header, *, now: int) -> tuple[Terms, OpenCollection]:
    agreement = agreements.in_force(tx, hub, via, now)
    if agreement is None or agreement.id != header.agreement:
        raise Forbidden("no agreement between our hubs with this id is in force", field="batch.header.agreement")
    terms = next((one for one in agreement.taking(hub_identity(tx)) if one.there == header.group), None)
    if terms is None:
        raise NotFound("the agreement gives nothing into such a group here", field="batch.header.group")
    opened = access.relayed(tx, via, header.group, header.collection)
    access.require(opened.rights, Right.WRITE)
    return terms, opened


def _in_step(tx: Connection, via: Peer, header: Header, opened: OpenCollection) -> None:
    if header.after is None or header.upto is None:
        return
    whole = (header.after + header.upto).isascii() and header.after.isdecimal() and header.upto.isdecimal()
    if not (whole and int(header.after) <= int(header.upto)):
        raise InvalidRequest("positions are whole numbers that do not go back", field="batch.header.after")
    reached = relay_batches.position(tx, via.id, opened.collection.id, "in") or "0"
    if int(header.after) > int(reached):
        raise OutOfStep(reached)


def _relayed(
    tx: Connection, opened: OpenCollection, objects: Sequence[Json], paths: Mapping[int, Arrival]
) -> ingest.Relayed:
    """Return for whom the batch speaks, and which objects without an author it may go on with."""
    authors: set[str] = set()
    unowned: dict[str, str] = {}
    for index, obj in enumerate(objects):
        if not isinstance(obj, dict) or index not in paths:
            continue
        author, stix_id = obj.get("created_by_ref"), obj.get("id")
        if isinstance(author, str):
            authors.add(author)
        elif isinstance(stix_id, str):
            unowned[stix_id] = paths[index].origin
        if obj.get("type") == "identity" and isinstance(stix_id, str):
            authors.add(stix_id)
        authors.add(paths[index].hops[0].giver)
    known = path_store.of_objects(tx, sorted(unowned), collection_id=opened.collection.id)
    continued = {one.stix_id for one in known if one.hubs[0] == unowned[one.stix_id]}
    return ingest.Relayed(frozenset(authors), frozenset(continued))


def _keys(decided: Sequence[Decided]) -> dict[int, tuple[str, str | None, bytes]]:
    """Return (STIX id, version key, SHA-256) of each object, by its place in the batch."""
    return {one.parsed.index: (one.parsed.facts.id, one.parsed.facts.version_key, one.parsed.sha256) for one in decided}


def _stored_paths(
    via: Peer,
    opened: OpenCollection,
    keys: Mapping[int, tuple[str, str | None, bytes]],
    paths: Mapping[int, Arrival],
    stored: Sequence[commit.Succeeded],
    *,
    now: int,
) -> list[StoredPath]:
    """Return the path of everything that is here now, whoever brought it first; of what has no version, by its date."""
    found = []
    for one in stored:
        stix_id, version_key, sha256 = keys[one.index]
        key = version_key if version_key is not None else version_key_of(one.version)
        found.append(StoredPath(opened.collection.id, stix_id, key, via.id, sha256, paths[one.index].documents, now))
    return found


def _submission(hub: Hub, via: Peer, opened: OpenCollection, body: bytes, total: int, *, now: int) -> Submission:
    return Submission(
        uuid=ingest.new_uuid(hub),
        group_id=opened.group.id,
        collection_id=opened.collection.id,
        peer_id=via.id,
        credential_id=None,
        state="pending",
        received_at=now,
        completed_at=None,
        sha256=hashlib.sha256(body).digest(),
        total=total,
        successes=[],
        failures=[],
        pendings=[],
    )


def _remember(
    tx: Connection,
    via: Peer,
    opened: OpenCollection,
    header: Header,
    signed: Mapping[str, Json],
    body: bytes,
    receipt: bytes,
    how: How,
    *,
    now: int,
) -> None:
    relay_batches.add(
        tx,
        relay_batches.Confirmed(
            peer_id=via.id,
            collection_id=opened.collection.id,
            direction="in",
            how=how,
            uuid=header.id,
            sha256=digest(signed),
            at=now,
            objects=len(header.items),
            octets=len(body),
            receipt=receipt,
            upto=header.upto,
        ),
    )
    if header.upto is not None:
        reached = relay_batches.position(tx, via.id, opened.collection.id, "in") or "0"
        position = str(max(int(header.upto), int(reached)))
        relay_batches.advance(tx, via.id, opened.collection.id, "in", position, objects=len(header.items), now=now)


def _failures(refused: Sequence[Failed]) -> list[tuple[int, str, str]]:
    return sorted((one.index, one.rule, one.message) for one in refused)


def _failures_of(tx: Connection, receipt: bytes) -> list[tuple[int, str, str]]:
    """Return the failures of a batch that is known already, as its status has them."""
    document = orjson.loads(receipt)
    submission = submission_store.by_uuid(tx, document["submission"])
    messages = {} if submission is None else {
        (line["id"], line["version"]): line["message"].partition(": ")[2] for line in submission.failures
    }  # fmt: skip
    return [
        (index, line["rule"], messages.get((line["id"], line["version"]), line["rule"]))
        for index, line in enumerate(document["objects"])
        if line["decision"] == "refused"
    ]
