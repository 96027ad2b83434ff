"""What the worker does: large envelopes, the end of embargoes, retention. Each step may be killed and done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from hub.domain import limits
from hub.domain.canonical import Json, read
from hub.domain.membership import CollectionRights, Peer, effective_rights
from hub.domain.quota import hour_of
from hub.domain.submission import Decided, Failed, VersionName
from hub.errors import NotFound
from hub.services import commit, ingest, receipts
from hub.services.access import OpenCollection
from hub.services.context import Hub
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import held as held_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import quotas as quota_store
from hub.store import refusals as refusal_store
from hub.store import submissions as submission_store
from hub.store.submissions import Submission

log = structlog.get_logger()

LEASE_US = 60 * 1_000_000
"""How long a claimed envelope is left to its worker without a sign of progress; then another takes it over. Verifying
the largest envelope takes ten seconds on a fast core."""

NO_RIGHTS = CollectionRights(can_read=False, can_write=False, can_moderate=False)


def run_once(hub: Hub) -> bool:
    """Do one piece of work; False when there was none, so that the caller may wait."""
    return process_pending(hub) or release_embargoes(hub)


def take_over(hub: Hub) -> int:
    """Free what a killed worker had claimed, for a worker that knows it is the only one; return how many envelopes."""
    with hub.db.write() as tx:
        return submission_store.release(tx)


def process_pending(hub: Hub) -> bool:
    """Process the oldest pending envelope, if any; its status is complete afterwards.

    A crash leaves whole chunks stored and the status pending: the next run finds them stored already and goes on.
    """
    with hub.db.write() as tx:
        claimed = submission_store.claim(tx, hub.clock(), LEASE_US)
    if claimed is None:
        return False
    submission, body = claimed
    opened, submitter = _reopen(hub, submission.group_id, submission.collection_id, submission.peer_id)
    received = ingest.parse_body(body, hub.bounds.max_objects)
    examined = ingest.examine(hub, opened, submitter, received, now=submission.received_at)
    done: list[commit.Succeeded] = list(examined.known)
    failed: list[Failed] = list(examined.failed)
    remaining = {item.parsed.index for item in examined.decided}
    *chunks, last = _chunks(examined.decided) or [[]]
    for chunk in chunks:
        with hub.db.write() as tx:
            stored, refused = commit.commit(tx, hub, examined.place, submission.uuid, chunk, now=hub.clock())
            done += stored
            failed += refused
            remaining -= {item.parsed.index for item in chunk}
            so_far = _so_far(submission, done, failed, received.objects, remaining)
            submission_store.progress(tx, so_far, leased_until=hub.clock() + LEASE_US)
    with hub.db.write() as tx:  # together with the last objects, so that no status is pending without one that is
        now = hub.clock()
        stored, refused = commit.commit(tx, hub, examined.place, submission.uuid, last, now=now)
        done, failed = [*done, *stored], [*failed, *refused]
        lines = commit.record_refusals(tx, hub, examined.place, submission.uuid, failed, now=now)
        settled = ingest.settled(submission, done, failed, now=now)
        settled = replace(settled, receipt=receipts.made(hub, examined.place, settled, done, lines))
        submission_store.complete(tx, settled)
    ingest.report(settled, submitter)
    return True


def release_embargoes(hub: Hub) -> bool:
    """Decide again on one submission's objects whose embargo has ended, and publish what is still permitted.

    They get a fresh `date_added`, so that a reader who has polled past the day of submission still sees them. All of
    the submission is decided on together: an object is nothing without the signature that was held with it.
    """
    with hub.db.read() as tx:
        due = held_store.due(tx, hub.clock(), limit=limits.MAX_OBJECTS)
    if due is None:
        return False
    opened, submitter = _reopen(hub, due.group_id, due.collection_id, due.peer_id)
    documents = [read(body) for body in due.bodies]
    received = ingest.Received([one.value for one in documents], all(one.plain for one in documents))
    now = hub.clock()
    examined = ingest.examine(hub, opened, submitter, received, now=now)
    stored = refused = 0
    for chunk in _chunks(examined.decided):
        with hub.db.write() as tx:
            done, failed = commit.commit(tx, hub, examined.place, due.submission_uuid, chunk, now=hub.clock())
            lines = commit.record_refusals(tx, hub, examined.place, due.submission_uuid, failed, now=now)
            held_store.remove(tx, [due.ids[item.parsed.index] for item in chunk])
            receipts.supplement(tx, hub, examined.place, due.submission_uuid, done, lines)
        stored, refused = stored + len(done), refused + len(failed)
    decided = {item.parsed.index for item in examined.decided}
    with hub.db.write() as tx:
        lines = commit.record_refusals(tx, hub, examined.place, due.submission_uuid, examined.failed, now=now)
        held_store.remove(tx, [held for index, held in enumerate(due.ids) if index not in decided])
        receipts.supplement(tx, hub, examined.place, due.submission_uuid, [], lines)
    log.info(
        "embargo.released",
        submission=due.submission_uuid,
        stored=stored,
        refused=refused + len(examined.failed),
    )
    return True


def purge(hub: Hub) -> int:
    """Remove the statuses that have been kept long enough (TAXII 2.1 §4.3), and what was refused with them.

    Returns how many statuses went.
    """
    before = hub.clock() - hub.bounds.status_retention_seconds * 1_000_000
    with hub.db.write() as tx:
        quota_store.forget(tx, hour_of(hub.clock()) - limits.QUOTA_HOURS_KEPT)
        refusal_store.purge(tx, before)
        return submission_store.purge(tx, before)


def _reopen(hub: Hub, group_id: int, collection_id: int, peer_id: int) -> tuple[OpenCollection, Peer]:
    """Return the collection with the rights its submitter has *now*; a lost membership is no rights."""
    with hub.db.read() as tx:
        peer = peer_store.by_id(tx, peer_id)
        group = group_store.by_id(tx, group_id)
        collection = collection_store.by_id(tx, collection_id)
        member = member_store.get(tx, group_id, peer_id)
        override = collection_store.overrides(tx, collection_id).get(peer_id)
    if peer is None or group is None or collection is None:
        raise NotFound("the submission's peer, group or collection is gone")
    rights = effective_rights(member, override) if peer.suspended_at is None else None
    return OpenCollection(group, collection, rights or NO_RIGHTS), peer


def _chunks(decided: Sequence[Decided]) -> list[list[Decided]]:
    """Cut into transactions; a signature always travels with the object it signs."""
    signatures: dict[VersionName, list[Decided]] = {}
    for item in decided:
        if item.parsed.is_signature:
            signatures.setdefault(item.parsed.version_signed, []).append(item)
    chunks: list[list[Decided]] = [[]]
    for item in decided:
        if item.parsed.is_signature:
            continue
        if len(chunks[-1]) >= limits.COMMIT_CHUNK_OBJECTS:
            chunks.append([])
        chunks[-1].append(item)
        if signatures:
            chunks[-1] += signatures.pop(item.parsed.version_named, [])
    for rest in signatures.values():
        chunks[-1] += rest
    return [chunk for chunk in chunks if chunk]


def _so_far(
    submission: Submission,
    done: Sequence[commit.Succeeded],
    failed: Sequence[Failed],
    objects: Sequence[Json],
    remaining: set[int],
) -> Submission:
    return replace(
        submission,
        successes=ingest.success_lines(done),
        failures=ingest.failure_lines(failed),
        pendings=[ingest.pending_line(index, objects[index]) for index in sorted(remaining)],
    )
