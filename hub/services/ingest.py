"""Take a submission: parse, validate, verify, decide, commit. One door for everybody, a relayed object included."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.domain.canonical import Json, read
from hub.domain.envelope import read_envelope
from hub.domain.membership import Caller, Peer, Right
from hub.domain.quota import Amount
from hub.domain.submission import Decided, Failed, label, parse_objects
from hub.errors import ConfigError
from hub.services import access, commit, measures, quotas, receipts
from hub.services.access import OpenCollection
from hub.services.actor import HUB_HANDLE
from hub.services.builtin import recognise
from hub.services.context import Hub
from hub.services.decision import NOBODY, Place, decide_all
from hub.services.verification import Signers, key_ring, stored_targets, verify
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import relay_rights as relay_right_store
from hub.store import submissions as submission_store
from hub.store.submissions import Submission

log = structlog.get_logger()

SERVED_BY_ID = "served to every reader by its id, not stored again"


def submit(hub: Hub, caller: Caller, opened: OpenCollection, body: bytes) -> Submission:
    """Return the status of a posted envelope or bundle (TAXII 2.1 §5.5); what it reports stored is durable.

    A large envelope is only received here, and `pending` until the worker has processed it. The repeat of a submission
    that was taken whole is answered with the earlier status.

    :param body: the decoded octets as they were received.
    :raises MalformedJson: the body is not I-JSON.
    :raises Unprocessable: it holds no objects, or too many.
    :raises TooManyRequests: it would exceed the quota of the peer.
    """
    access.require(opened.rights, Right.WRITE)
    digest = hashlib.sha256(body).digest()
    with hub.db.read() as tx:
        earlier = submission_store.repeat_of(tx, opened.collection.id, caller.peer.id, digest)
    if earlier is not None:
        quotas.charge_octets(hub, caller.peer, len(body))
        return earlier
    received = parse_body(body, hub.bounds.max_objects)
    now, amount = hub.clock(), Amount(len(received.objects), len(body))
    submission = Submission(
        uuid=new_uuid(hub),
        group_id=opened.group.id,
        collection_id=opened.collection.id,
        peer_id=caller.peer.id,
        credential_id=caller.credential_id,
        state="pending",
        received_at=now,
        completed_at=None,
        sha256=digest,
        total=len(received.objects),
        successes=[],
        failures=[],
        pendings=[],
    )
    if len(body) > hub.bounds.sync_content_length:
        pendings = [pending_line(index, obj) for index, obj in enumerate(received.objects)]
        submission = replace(submission, pendings=pendings)
        with hub.db.write() as tx:
            quotas.charge(tx, hub, caller.peer, amount)
            submission_store.add(tx, submission, body)
        hub.wakeup.set()
        return submission
    examined = examine(hub, opened, caller.peer, received, now=now)
    with hub.db.write() as tx:
        quotas.charge(tx, hub, caller.peer, amount)
        stored, refused = commit.commit(tx, hub, examined.place, submission.uuid, examined.decided, now=now)
        failed = [*examined.failed, *refused]
        lines = commit.record_refusals(tx, hub, examined.place, submission.uuid, failed, now=now)
        submission = settled(submission, [*examined.known, *stored], failed, now=hub.clock())
        receipt = receipts.made(hub, examined.place, submission, [*examined.known, *stored], lines)
        submission = replace(submission, receipt=receipt)
        submission_store.add(tx, submission, None)
    report(submission, caller.peer)
    return submission


@dataclass(frozen=True, slots=True)
class Received:
    """The objects of an envelope or bundle, unchecked.

    :param plain: of all of them, as `hub.domain.canonical.jcs` takes it.
    """

    objects: list[Json]
    plain: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """A submission up to the point of no return: what may be published, and what may not."""

    place: Place
    decided: list[Decided]
    failed: list[Failed]
    known: list[commit.Succeeded]  # what the hub serves by id on its own account


@dataclass(frozen=True, slots=True)
class Relayed:
    """What a partner hub may do with the objects it sends, beside what any member may.

    :param authors: identities for whom it hands over. :param continued: as `Place.continued`.
    """

    authors: frozenset[str]
    continued: frozenset[str] = frozenset()


def examine(
    hub: Hub,
    opened: OpenCollection,
    submitter: Peer,
    received: Received,
    *,
    now: int,
    relayed: Relayed | None = None,
) -> Examined:
    """Parse, validate, verify and decide; nothing is written.

    What happens between here and the commit (a key revoked, a right withdrawn) counts as later than this submission.
    """
    parsed, failed = parse_objects(received.objects, hub.validator, plain=received.plain)
    with hub.db.read() as tx:
        place = place_for(tx, opened, submitter, relayed)
        authors = {author: place.identities[author] for author in place.relay_rights}
        signers = Signers(submitter, authors, for_others=place.relayed)
        recognised = recognise(tx, parsed, opened.group.id)
        stored = stored_targets(tx, opened, submitter, recognised.rest, now=now)
        verified = verify(recognised.rest, stored, signers, key_ring(tx, signers, opened.group.id, hub), now=now)
        decided, denied = decide_all(tx, place, verified, stored, now=now)
    return Examined(
        place,
        decided,
        [*failed, *recognised.failed, *denied],
        [
            commit.Succeeded(
                item.index,
                item.facts.id,
                item.facts.version or item.facts.id,
                SERVED_BY_ID,
                "served-by-hub",
                item.sha256,
            )
            for item in recognised.known
        ],
    )


def place_for(tx: Connection, opened: OpenCollection, submitter: Peer, relayed: Relayed | None = None) -> Place:
    """Return where the submission goes, with everything that rules may ask about its sender."""
    peers = {peer.identity: peer for peer in peer_store.all(tx)}
    by_id = {peer.id: peer for peer in peers.values()}
    hub_identity = _hub_identity(peers)
    pseudonyms = pseudonym_store.all(tx)
    here = {one.identity: by_id[one.peer_id] for one in pseudonyms if one.group_id == opened.group.id}
    elsewhere = {one.identity: NOBODY for one in pseudonyms if one.group_id != opened.group.id}
    identities = {identity: peer.id for identity, peer in (peers | here).items()}
    held = relay_right_store.held(tx, opened.group.id, submitter.id) if relayed is None else relayed.authors
    return Place(
        group=opened.group,
        collection=opened.collection,
        rights=opened.rights,
        submitter=submitter,
        peers=peers | here | elsewhere,
        identities=identities,
        relay_rights=frozenset(author for author in held if author in identities),
        hub_identity=hub_identity,
        pseudonyms=frozenset(here),
        relayed=relayed is not None,
        continued=frozenset() if relayed is None else relayed.continued,
    )


def _hub_identity(peers: Mapping[str, Peer]) -> str:
    for identity, peer in peers.items():
        if peer.handle == HUB_HANDLE:
            return identity
    raise ConfigError("the hub has no peer of its own to sign receipts; run: cybex init")


def parse_body(body: bytes, max_objects: int) -> Received:
    """Return the objects of an envelope or bundle. Raises MalformedJson or Unprocessable."""
    document = read(body)
    return Received(read_envelope(document.value, max_objects=max_objects), document.plain)


def new_uuid(hub: Hub) -> str:
    """Return a fresh UUIDv4, as TAXII 2.1 §2 wants an identifier to be."""
    return str(UUID(bytes=hub.token_bytes(16), version=4))


def pending_line(index: int, obj: Json) -> dict[str, str]:
    """Return the status line of an object that is not processed yet."""
    stix_id, version = label(index, obj)
    return {"id": stix_id, "version": version}


def settled(
    submission: Submission, stored: Sequence[commit.Succeeded], failed: Sequence[Failed], *, now: int
) -> Submission:
    """Return the submission as complete, its lines in the order of the envelope."""
    return replace(
        submission,
        state="complete",
        completed_at=now,
        successes=success_lines(stored),
        failures=failure_lines(failed),
        pendings=[],
    )


def success_lines(stored: Sequence[commit.Succeeded]) -> list[dict[str, str]]:
    """Return `successes` of the status (TAXII 2.1 §4.3.1), in the order of the envelope."""
    lines = []
    for item in sorted(stored, key=lambda one: one.index):
        line = {"id": item.stix_id, "version": item.version}
        if item.message:
            line["message"] = item.message
        lines.append(line)
    return lines


def failure_lines(failed: Sequence[Failed]) -> list[dict[str, str]]:
    """Return `failures` of the status, each with the rule and the reason, in the order of the envelope."""
    return [
        {"id": item.stix_id, "version": item.version, "message": f"{item.rule}: {item.message}"}
        for item in sorted(failed, key=lambda one: one.index)
    ]


def report(submission: Submission, submitter: Peer) -> None:
    """Log what became of a submission: counts and rules, no content."""
    rules: dict[str, int] = {}
    for line in submission.failures:
        rule = line["message"].partition(":")[0]
        rules[rule] = rules.get(rule, 0) + 1
    measures.submission(len(submission.successes), rules)
    log.info(
        "ingest.complete",
        peer=submitter.handle,
        submission=submission.uuid,
        stored=len(submission.successes),
        refused=len(submission.failures),
        rules=rules,
    )
