"""Checks `tombstones` and `deliveries`: each grave was dug by a withdrawal, and the delivery ledger can be true."""

from __future__ import annotations

from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.store import scan
from hub.store.scan import Row

HOW = ("page", "object", "push", "presumed")


def tombstones(ground: Ground) -> Findings:
    """Find tombstones of what nobody has withdrawn."""
    for piece in scan.pieces(ground.tx, "tombstone"):
        for row in piece:
            _, uuid = ground.collection_names(row["collection_id"])
            name = f"tombstone of {row['stix_id']}"
            if (uuid, row["stix_id"]) not in ground.withdrawn and not _signature(row):
                yield Finding("tombstone.unknown", "tombstone.stix_id", name, "the log knows of no such withdrawal")
            elif not _signature(row) and row["deleted_at"] not in ground.withdrawn[uuid, row["stix_id"]]:
                yield Finding(
                    "tombstone.at", "tombstone.deleted_at", name, "the log has the withdrawal at another time"
                )
            if row["owner_peer_id"] not in ground.peers:
                yield Finding("tombstone.owner", "tombstone.owner_peer_id", name, "there is no such peer")
        ground.step(len(piece))


def _signature(row: Row) -> bool:
    """Say whether it is of a detached signature, which goes with what it signs and is named by no line."""
    return bool(row["stix_id"].startswith("jss-signature--"))


def deliveries(ground: Ground) -> Findings:
    """Find ranges in the delivery ledger that cannot be: it is the hub's own word, and no log has it."""
    for piece in scan.pieces(ground.tx, "served_range"):
        for row in piece:
            name = f"served range {row['id']}"
            collection = ground.collections.get(row["collection_id"])
            if collection is None:
                yield Finding("served.collection", "served_range.collection_id", name, "there is no such collection")
            elif not row["after"] <= row["upto"] <= collection["last_date_added"]:
                text = "it ends after what the collection holds, or before it begins"
                yield Finding("served.range", "served_range.upto", name, text)
            if row["peer_id"] not in ground.peers:
                yield Finding("served.peer", "served_range.peer_id", name, "there is no such peer")
            if row["how"] not in HOW:
                yield Finding("served.how", "served_range.how", name, "it is not one of the ways to serve")
            if row["first_at"] > row["last_at"]:
                yield Finding("served.time", "served_range.last_at", name, "it ends before it begins")
        ground.step(len(piece))
