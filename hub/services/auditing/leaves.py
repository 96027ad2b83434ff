"""Check `log`, first half: the leaves are all there, and the tree over them is the one that was signed."""

from __future__ import annotations

import hashlib
from typing import Final

from hub.domain.canonical import jcs, parse
from hub.domain.log_event import SALT_BYTES
from hub.domain.taxii_time import parse_timestamp
from hub.errors import MalformedJson
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf, leaf_of
from hub.services.auditing.tree import TreeCheck
from hub.store import scan

ACCEPTED = "accepted"
RETRACTED = "retracted"


def check(ground: Ground) -> Findings:
    """Find leaves that lack, that contradict themselves, and tiles and checkpoints that are not of these leaves."""
    tree = TreeCheck(ground)
    expected = 0
    broken = False
    for piece in scan.pieces(ground.tx, "log_leaf"):
        tree.expect(len(piece))
        for row in piece:
            leaf = leaf_of(row)
            if leaf.index != expected and not broken:
                broken = True  # whatever comes later stands at a wrong place, and is not told again
                yield Finding("log.gap", "log_leaf.idx", f"leaf {expected}", "this leaf of the log lacks")
            expected += 1
            yield from _leaf(ground, leaf)
            if not broken:
                yield from tree.add(hashlib.sha256(leaf.salt + leaf.payload).digest())
        ground.step(len(piece))
    ground.size = expected
    for state in scan.whole(ground.tx, "log_state"):
        if state["id"] != 1:
            yield Finding("log.state", "log_state.id", "the log", "its one row is number 1, or nobody finds it")
        if state["size"] != expected:
            text = f"it says {state['size']}, and there are {expected} leaves"
            yield Finding("log.size", "log_state.size", "the log", text)
    yield from tree.end()


def _leaf(ground: Ground, leaf: Leaf) -> Findings:
    name = f"leaf {leaf.index}"
    if len(leaf.salt) != SALT_BYTES:
        yield Finding("log.salt", "log_leaf.salt", name, f"a salt has {SALT_BYTES} octets")
    try:
        canonical = jcs(parse(leaf.payload)) == leaf.payload
        at = parse_timestamp(str(leaf.body["at"])) if "at" in leaf.body else leaf.at
    except (MalformedJson, ValueError):
        yield Finding("log.payload", "log_leaf.payload", name, "it is no canonical JSON with a time")
        return
    if not canonical:
        yield Finding("log.payload", "log_leaf.payload", name, "it is not in canonical form")
    if ground.first_at is None or leaf.index == 0:
        ground.first_at = at
    if leaf.body.get("event") != leaf.kind:
        yield Finding("log.kind", "log_leaf.kind", name, "it is not what the leaf's payload says")
    # A version is dated after whatever its collection holds; everything else is dated when it was written.
    if leaf.at > at or (leaf.kind not in DATED_LATER and leaf.at != at):
        yield Finding("log.time", "log_leaf.at", name, "it is not the time in the leaf's payload")
    if leaf.at < ground.latest - LATE_US:
        text = "it is dated back: the log has later times before it, or the hub's clock was set back"
        yield Finding("log.backdated", "log_leaf.at", name, text)
    ground.latest = max(ground.latest, leaf.at)
    if leaf.kind == RETRACTED:
        key = str(leaf.body.get("collection")), str(leaf.body.get("id"))
        ground.withdrawn.setdefault(key, set()).add(leaf.at)
    elif leaf.kind in DELETIONS:
        ground.withdrawn.setdefault(_deleted(leaf), set()).add(leaf.at)
    if leaf.kind == ACCEPTED:
        uuid = str(leaf.body.get("collection"))
        ground.last_dates[uuid] = max(at, ground.last_dates.get(uuid, 0))


def _deleted(leaf: Leaf) -> tuple[str, str]:
    parts = str(leaf.body.get("subject")).split("/")
    return (parts[1], parts[2]) if len(parts) == 3 else ("", "")


DELETIONS: Final = frozenset({"object.delete"})
LATE_US: Final = 300 * 1_000_000
"""How much later than its time a leaf may be written: the longest transaction takes seconds."""

DATED_LATER: Final = frozenset({ACCEPTED})
