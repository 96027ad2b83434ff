"""Receipts as the hub makes them: of every decision, the same when asked again, and later ones for what was held."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from hub.domain import limits
from hub.domain.canonical import jcs, parse
from hub.domain.keys import KeyRing
from hub.domain.membership import Role
from hub.domain.receipt_check import Proved, Sent, check_receipt, check_supplement
from hub.domain.tlp import MARKING_DEFINITIONS
from hub.errors import NotFound
from hub.services import ingest, members, receipts, work
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Bounds
from hub.store import keys as key_store
from hub.store import log as log_store
from hub.store import peers as peer_store
from hub.store import submissions
from hub.store.submissions import Submission
from hub.web.taxii.status import resource
from tests.services.desk import Desk, canonical, marked

SCHEMA = Path(__file__).parents[2] / "schemas" / "hub" / "receipt.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))


def ring(desk: Desk) -> tuple[KeyRing, str]:
    with desk.hub.db.read() as tx:
        own = peer_store.by_handle(tx, "hub")
        assert own is not None
        return KeyRing(key_store.of_peer(tx, own.id)), own.identity


def body_of(objects: list[Any]) -> bytes:
    return json.dumps({"objects": objects}).encode()


def post(desk: Desk, objects: list[Any], handle: str = "aa") -> Submission:
    return ingest.submit(desk.hub, desk.callers[handle], desk.opened(handle), body_of(objects))


def proved(desk: Desk, submission: Submission, objects: list[Any], handle: str = "aa") -> Proved:
    """Check a receipt as its submitter does, against what he sent and the status he was given."""
    assert submission.receipt is not None
    document = parse(submission.receipt)
    VALIDATOR.validate(document)
    assert jcs(document) == submission.receipt
    keys, hub = ring(desk)
    return check_receipt(
        document,
        keys,
        hub=hub,
        submitter=desk.identity[handle],
        body_sha256=hashlib.sha256(body_of(objects)).digest(),
        sent=[Sent(str(one.get("id")), hashlib.sha256(jcs(one)).digest()) for one in objects],
        status=resource(submission),
        now=desk.now(),
    )


def every_decision(desk: Desk) -> list[Any]:
    """Return an envelope of which each object meets another decision."""
    (before,) = desk.sign("aa", desk.incident())
    desk.post("aa", before)
    embargo = desk.releasability("aa", embargo_until=desk.stamp(3600))
    (later,) = desk.sign("aa", marked(desk.incident(), embargo))
    (fresh,) = desk.sign("aa", desk.incident())
    return [
        fresh,
        before,
        *desk.sign("aa", embargo),
        later,
        dict(MARKING_DEFINITIONS[0]),
        desk.incident(),  # not signed
        {"type": "incident", "id": "no id at all"},
    ]


def test_a_receipt_of_every_decision_holds_and_has_the_published_form(desk: Desk) -> None:
    objects = every_decision(desk)
    submission = post(desk, objects)
    receipt = proved(desk, submission, objects).receipt
    decisions = [line.decision for line in receipt.lines]
    assert set(decisions) == {"accepted", "duplicate", "held", "served-by-hub", "refused"}
    assert decisions[:2] == ["accepted", "duplicate"]
    assert [line.stix_id for line in receipt.lines][-1] == f"objects[{len(objects) - 1}]"


def test_each_accepted_line_names_the_leaf_that_says_so(desk: Desk) -> None:
    objects = every_decision(desk)
    submission = post(desk, objects)
    for line in proved(desk, submission, objects).receipt.lines:
        if line.decision in ("accepted", "refused"):
            assert line.log_index is not None
            with desk.hub.db.read() as tx:
                (leaf,) = log_store.leaves(tx, line.log_index, line.log_index + 1)
            payload = json.loads(leaf.payload)
            assert (payload["event"], payload["submission"]) == (line.decision, submission.uuid)
            if line.decision == "accepted" and line.sha256 is not None:
                assert (payload["id"], payload["sha256"]) == (line.stix_id, line.sha256.hex())


def test_a_pending_envelope_gets_its_receipt_when_it_is_complete(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = every_decision(desk)
    monkeypatch.setattr(limits, "COMMIT_CHUNK_OBJECTS", 1)
    desk.cast.hub = replace(desk.hub, bounds=Bounds(sync_content_length=10))
    pending = post(desk, objects)
    assert pending.receipt is None
    with pytest.raises(NotFound):
        receipts.get(desk.hub, desk.callers["aa"], pending.uuid)
    assert work.process_pending(desk.hub)
    with desk.hub.db.read() as tx:
        done = submissions.by_uuid(tx, pending.uuid)
    assert done is not None
    proved(desk, done, objects)


def test_a_repeat_is_answered_with_the_very_same_receipt(desk: Desk) -> None:
    objects = desk.sign("aa", desk.incident(), desk.incident())
    first = post(desk, objects)
    desk.wait(60)
    again = post(desk, objects)
    assert again.receipt == first.receipt is not None
    assert receipts.get(desk.hub, desk.callers["aa"], first.uuid).receipt == first.receipt


def test_a_receipt_is_for_the_submitters_peer_and_the_operator(desk: Desk) -> None:
    submission = desk.share("aa", desk.incident())
    desk.cast.issue("aa-feed", "aa", Role.FEED)
    for actor in (OPERATOR, desk.cast.caller("operator"), desk.cast.caller("aa-feed"), desk.callers["aa"]):
        kept = receipts.get(desk.hub, actor, submission.uuid)
        assert (kept.receipt, kept.later) == (submission.receipt, b"[]")
    for actor in (desk.callers["bb"], desk.cast.caller("hub-admin"), desk.cast.caller("foreign")):
        told = []
        for uuid in (submission.uuid, "00000000-0000-4000-8000-000000000000"):
            with pytest.raises(NotFound) as caught:
                receipts.get(desk.hub, actor, uuid)
            told.append(caught.value.detail)
        assert told[0] == told[1]


def held(desk: Desk) -> tuple[Submission, list[Any]]:
    embargo = desk.releasability("aa", embargo_until=desk.stamp(3600))
    desk.share("aa", embargo)
    objects = desk.sign("aa", marked(desk.incident(), embargo), marked(desk.incident(), embargo))
    return post(desk, objects), objects


def test_what_was_held_gets_a_later_receipt_that_names_the_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMIT_CHUNK_OBJECTS", 1)
    submission, objects = held(desk)
    first = proved(desk, submission, objects)
    assert {line.decision for line in first.receipt.lines} == {"held"}
    desk.wait(3601)
    while work.release_embargoes(desk.hub):
        pass
    kept = receipts.get(desk.hub, desk.callers["aa"], submission.uuid)
    assert kept.receipt == submission.receipt
    later = parse(kept.later)
    assert isinstance(later, list)
    assert len(later) == 2  # one for each transaction
    keys, _ = ring(desk)
    for document, obj in zip(later, objects, strict=True):
        VALIDATOR.validate(document)
        known = check_supplement(document, keys, first=parse(kept.receipt), now=desk.now())
        ((line),) = known.receipt.lines
        assert (line.decision, line.sha256) == ("accepted", hashlib.sha256(canonical(obj)).digest())
        assert line.log_index is not None


def test_what_is_refused_when_its_embargo_ends_is_in_a_later_receipt_too(desk: Desk) -> None:
    submission, _ = held(desk)
    members.suspend(desk.hub, OPERATOR, "alpha", "aa")
    desk.wait(3601)
    assert work.release_embargoes(desk.hub)
    kept = receipts.get(desk.hub, desk.callers["aa"], submission.uuid)
    keys, _ = ring(desk)
    (document,) = json.loads(kept.later)
    VALIDATOR.validate(document)
    later = check_supplement(document, keys, first=parse(kept.receipt), now=desk.now()).receipt
    assert [line.decision for line in later.lines] == ["refused", "refused"]
    assert later.lines[0].log_index is not None


def test_receipts_go_with_the_status_but_not_before_everything_is_decided(desk: Desk) -> None:
    days = limits.STATUS_RETENTION_SECONDS
    embargo = desk.releasability("aa", embargo_until=desk.stamp(2 * days))
    submission = desk.share("aa", embargo, marked(desk.incident(), embargo))
    ordinary = desk.share("aa", desk.incident())
    desk.wait(days + 60)
    work.purge(desk.hub)
    with pytest.raises(NotFound):
        receipts.get(desk.hub, OPERATOR, ordinary.uuid)
    desk.wait(days)
    assert work.release_embargoes(desk.hub)
    work.purge(desk.hub)
    assert receipts.get(desk.hub, OPERATOR, submission.uuid).later != b"[]"
    desk.wait(days + 60)
    work.purge(desk.hub)
    with pytest.raises(NotFound):
        receipts.get(desk.hub, OPERATOR, submission.uuid)
