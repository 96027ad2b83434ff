"""Check `audiences`: the key of each, its digest and its peers are the same set."""

from __future__ import annotations

import hashlib
from typing import cast, get_args

from hub.domain.audience import Audience, Kind
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.store import scan
from hub.store.scan import Row
from hub.store.tables import WHOLE_GROUP_ID


def check(ground: Ground) -> Findings:
    """Find audiences whose three spellings differ: two of them agree against the third."""
    for piece in scan.pieces(ground.tx, "audience"):
        rows = scan.having(ground.tx, "audience_peer", "audience_id", [row["id"] for row in piece])
        peers: dict[int, set[int]] = {}
        for row in rows:
            peers.setdefault(row["audience_id"], set()).add(row["peer_id"])
        for row in piece:
            yield from _audience(ground, row, peers.get(row["id"], set()))
        ground.step(len(piece) + len(rows))


def _audience(ground: Ground, row: Row, peers: set[int]) -> Findings:
    name, told = f"audience {row['id']}", ground.audiences.get(row["id"])
    fits = hashlib.sha256(row["key"].encode()).digest() == bytes(row["digest"])
    listed = _listed(row["kind"], peers)
    # Two of three agree: the key, its digest, and the rows of its peers.
    if told is None or told.key() != row["key"]:
        yield Finding("audience.key", "audience.key", name, "it is not the key of an audience")
    elif not fits and told == listed:
        yield Finding("audience.digest", "audience.digest", name, "it is not the digest of the audience's key")
    elif not fits:
        yield Finding("audience.key", "audience.key", name, "its digest is of another key")
    elif told.kind != row["kind"]:
        yield Finding("audience.kind", "audience.kind", name, "its key says another kind")
    elif told != listed:
        yield Finding("audience.peers", "audience_peer.peer_id", name, "its rows name other peers than its key")
    if (row["id"] == WHOLE_GROUP_ID) != (row["key"] == "group"):
        yield Finding(
            "audience.group", "audience.id", name, f"the whole group is audience {WHOLE_GROUP_ID}, and no other"
        )


def _listed(kind: str, peers: set[int]) -> Audience | None:
    return Audience(cast(Kind, kind), frozenset(peers)) if kind in get_args(Kind) else None
