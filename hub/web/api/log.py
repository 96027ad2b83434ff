"""/log: the transparency log's state, proofs, the opening of a leaf for its parties, and the log's witnesses.

Hashes and roots are standard base64, as in checkpoints and C2SP proofs. The tree itself is public, under /tlog/.
"""

from __future__ import annotations

import base64
from typing import Final

from hub.errors import NotFound
from hub.services import log_reading, witnesses
from hub.services.log_reading import Opened, State
from hub.store.witnesses import Seen
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.resources import Resource, instant


def get_state(call: Call) -> Answer:
    """Return the log's name, key, size and latest checkpoint."""
    return Answer(state(log_reading.state(call.hub)))


def get_inclusion(call: Call) -> Answer:
    """Return the proof that a leaf is in the tree."""
    index, size = call.number("index") or 0, call.number("size")
    if size is None:
        size = _signed_size(call)
    proof = log_reading.inclusion(call.hub, index, size)
    return Answer(
        {
            "index": index,
            "size": size,
            "leaf_hash": encoded(proof.start),
            "root": encoded(proof.root),
            "proof": [encoded(each) for each in proof.hashes],
        }
    )


def get_consistency(call: Call) -> Answer:
    """Return the proof that the tree of one size is the beginning of that of another."""
    old, new = call.number("old") or 0, call.number("new")
    if new is None:
        new = _signed_size(call)
    proof = log_reading.consistency(call.hub, old, new)
    return Answer(
        {
            "old": old,
            "new": new,
            "old_root": encoded(proof.start),
            "new_root": encoded(proof.root),
            "proof": [encoded(each) for each in proof.hashes],
        }
    )


def get_leaf(call: Call) -> Answer:
    """Open a leaf for a party to it."""
    return Answer(leaf(log_reading.opened(call.hub, call.caller, int(call.path["index"]))))


def get_witnesses(call: Call) -> Answer:
    """List the witnesses by name."""
    return page(call, witnesses.listed(call.hub, call.caller), lambda row: row.witness.name, witness)


def put_witness(call: Call) -> Answer:
    """Register a witness."""
    name = call.path["witness"]
    found, new = witnesses.put(call.hub, call.caller, name, call.body["verifier_key"])
    return Answer(witness(found), 201, f"/log/witnesses/{name}") if new else Answer(witness(found))


def delete_witness(call: Call) -> Answer:
    """Let a witness count no more."""
    witnesses.remove(call.hub, call.caller, call.path["witness"])
    return Answer(None, 204)


def encoded(octets: bytes) -> str:
    """Return octets in standard base64."""
    return base64.b64encode(octets).decode("ascii")


def state(row: State) -> Resource:
    """Return the state of the log."""
    last = row.checkpoint
    return {
        "origin": row.origin,
        "verifier_key": row.verifier_key,
        "size": row.size,
        "checkpoint": None
        if last is None
        else {
            "size": last.size,
            "root": encoded(last.root),
            "at": instant(last.at),
            "note": last.note.decode() + "".join(row.cosignatures),
        },
    }


def leaf(row: Opened) -> Resource:
    """Return an opened leaf: SHA-256 of salt and payload is what the log publishes at this index."""
    return {
        "index": row.leaf.index,
        "at": instant(row.leaf.at),
        "event": row.leaf.kind,
        "payload": row.leaf.payload.decode(),
        "salt": encoded(row.leaf.salt),
        "leaf": encoded(row.data),
        "checkpointed": row.checkpointed,
    }


def witness(row: Seen) -> Resource:
    """Return a witness with the largest checkpoint it has cosigned, null without one."""
    return {
        "name": row.witness.name,
        "verifier_key": row.witness.verifier_key,
        "created_at": instant(row.witness.created_at),
        "cosigned_size": row.size,
        "cosigned_at": instant(row.at),
    }


def _signed_size(call: Call) -> int:
    last = log_reading.state(call.hub).checkpoint
    if last is None:
        raise NotFound(log_reading.NO_CHECKPOINT)
    return last.size


HANDLERS: Final[dict[str, Handler]] = {
    "getLog": get_state,
    "getLogInclusion": get_inclusion,
    "getLogConsistency": get_consistency,
    "getLogLeaf": get_leaf,
    "listWitnesses": get_witnesses,
    "putWitness": put_witness,
    "removeWitness": delete_witness,
}
