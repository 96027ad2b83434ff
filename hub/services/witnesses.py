"""Witnesses: who has looked at the log, found that it only grew, and says so under a key the operator registered."""

from __future__ import annotations

import re
from typing import Final

import structlog

from hub.domain import checkpoint, limits, signed_note
from hub.domain.signed_note import COSIGNATURE, Signature, VerifierKey
from hub.errors import Conflict, CybexError, Forbidden, InvalidRequest, NotFound, Unprocessable
from hub.services import audit, checkpoints
from hub.services.actor import Actor, require_operator, require_reader
from hub.services.context import Hub
from hub.store import checkpoints as checkpoint_store
from hub.store import witnesses as store
from hub.store.checkpoints import Stored
from hub.store.witnesses import Seen, Witness

log = structlog.get_logger()

NAME: Final = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
NO_WITNESS: Final = "there is no such witness"
NO_CHECKPOINT: Final = "the log has no checkpoint of that size"
_SECOND: Final = 1_000_000


def listed(hub: Hub, actor: Actor) -> list[Seen]:
    """Return the witnesses by name, each with the largest checkpoint it has cosigned."""
    require_reader(actor)
    with hub.db.read() as tx:
        return store.active(tx)


def put(hub: Hub, actor: Actor, name: str, verifier_key: str) -> tuple[Seen, bool]:
    """Let a witness cosign; return it, and whether it is new. Its name is for this hub's people only.

    Raises:
        Forbidden: the actor is no operator. InvalidRequest: the name or the key has another form.
        Conflict: the name, or the key, is another witness's; a name stays with its key for ever.
    """
    require_operator(actor)
    if re.fullmatch(NAME, name) is None:
        raise InvalidRequest("use 1 to 63 lower-case letters, digits and inner hyphens", field="name")
    key = _key(verifier_key)
    with hub.db.write() as tx:
        known = {each.name: each for each in store.every(tx)}
        mine = known.get(name)
        if mine is not None and mine.verifier_key != key.text:
            raise Conflict("this name belongs to another key, which stays on record; choose another", field="name")
        if any(_key(each.verifier_key).key.kid == key.key.kid and each.name != name for each in known.values()):
            raise Conflict("this key belongs to another witness", field="verifier_key")
        new = mine is None or mine.removed_at is not None
        if mine is None:
            if len(known) >= limits.WITNESSES:
                raise Conflict(f"a log has at most {limits.WITNESSES} witnesses, removed ones included")
            if not store.add(tx, name=name, verifier_key=key.text, peer_id=None, now=hub.clock()):
                raise Conflict("this name has just been taken; look again", field="name")
        elif new:
            store.reinstate(tx, mine.id)
        if new:
            audit.record(tx, hub, actor, "witness.add", f"log/witnesses/{name}", verifier_key=key.text)
    with hub.db.read() as tx:
        return next(each for each in store.active(tx) if each.witness.name == name), new


def remove(hub: Hub, actor: Actor, name: str) -> None:
    """Let a witness count no more; what it has cosigned stays on record. Raises NotFound, Forbidden."""
    require_operator(actor)
    with hub.db.write() as tx:
        found = next((each for each in store.every(tx) if each.name == name and each.removed_at is None), None)
        if found is None:
            raise NotFound(NO_WITNESS)
        store.remove(tx, found.id, now=hub.clock())
        audit.record(tx, hub, actor, "witness.remove", f"log/witnesses/{name}")


def cosign(hub: Hub, octets: bytes) -> list[str]:
    """Keep the cosignatures on a checkpoint of ours that are by witnesses; return the names of these witnesses.

    Nobody needs to say who he is: a line counts if a witness's key made it, whoever hands it in.

    Raises:
        InvalidRequest: it is no signed checkpoint. NotFound: there is no checkpoint of that size.
        Unprocessable: that checkpoint is not the one this hub signed, or a time lies ahead of the hub's clock.
        Forbidden: no line is by a witness, or one is false.
    """
    note = signed_note.parse(octets)
    theirs = checkpoint.parse(note.text)
    with hub.db.read() as tx:
        ours = checkpoint_store.of_size(tx, theirs.size)
        witnesses = [(_key(each.verifier_key), each) for each in store.every(tx) if each.removed_at is None]
    if ours is None:
        raise NotFound(NO_CHECKPOINT)
    if signed_note.parse(ours.note).text != note.text:
        _tell_of_split(hub, ours, note)
        raise Unprocessable("this hub signed another checkpoint of that size", field="checkpoint")
    found: list[tuple[Witness, Signature, int]] = []
    for signature in note.signatures:
        for key, witness in witnesses:
            if not key.made(signature):
                continue
            at = signed_note.time_of(signature)
            if at is None or not key.verifies(note.text, signature):
                raise Forbidden("a cosignature is false")
            if at * _SECOND > hub.clock() + limits.SIGNATURE_FUTURE_SECONDS * _SECOND:
                raise Unprocessable("a cosignature is dated ahead of this hub's clock; set the clock", field="time")
            found.append((witness, signature, at * _SECOND))
    if not found:
        raise Forbidden("no cosignature is by a witness of this log; its operator adds you: cybex log witness add")
    with hub.db.write() as tx:
        for witness, signature, at in found:
            store.cosign(tx, size=theirs.size, witness_id=witness.id, at=at, line=signature.line)
    log.info("log.cosigned", size=theirs.size, witnesses=[witness.name for witness, _, _ in found])
    return [witness.name for witness, _, _ in found]


def _key(text: str) -> VerifierKey:
    try:
        key = signed_note.parse_key(text)
    except CybexError as error:
        raise InvalidRequest(error.detail, field="verifier_key") from None
    if key.kind != COSIGNATURE:
        raise InvalidRequest("it is no key for cosignatures; cybex witness --show-key prints one", field="verifier_key")
    return key


def _tell_of_split(hub: Hub, ours: Stored, theirs: signed_note.Note) -> None:
    """Write down that a checkpoint exists that this hub signed and does not have: somebody else has its key."""
    known = checkpoints.log_key(hub, checkpoints.parsed(ours).origin)
    if any(known.made(each) and known.verifies(theirs.text, each) for each in theirs.signatures):
        log.error("log.split_view", size=ours.size, note=theirs.octets.decode())
