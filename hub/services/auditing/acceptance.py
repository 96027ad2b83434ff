"""Check `acceptance`: each stored version has the leaf that witnessed it, and still says what that leaf says."""

from __future__ import annotations

from hub.domain.audience import Audience
from hub.domain.taxii_time import format_timestamp
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf
from hub.services.auditing.item import Item
from hub.services.auditing.leaves import ACCEPTED
from hub.store import scan
from hub.store.scan import Row


def check(ground: Ground, item: Item) -> Findings:
    """Find a version that the log does not know, or knows otherwise."""
    row, leaf = item.row, item.leaf
    if leaf is None:
        if row["log_index"] is not None or not ground.older_than_the_log(row["date_added"]):
            yield Finding("entry.leaf", "entry.log_index", item.name, "there is no leaf for it in the log")
        return
    said = leaf.body
    if leaf.kind != ACCEPTED or (said.get("id") != row["stix_id"] and said.get("sha256") != bytes(row["sha256"]).hex()):
        yield Finding("entry.leaf", "entry.log_index", item.name, "that leaf of the log is about something else")
        return
    ground.explain(leaf.index)
    slug, uuid = ground.collection_names(row["collection_id"])
    stamp = _stamp(row["date_added"])
    for column, property_, expected in (
        ("date_added", "at", stamp),
        ("collection_id", "collection", uuid),
        ("stix_id", "id", row["stix_id"]),
        ("version", "version", row["version"] or stamp),
        ("submission_uuid", "submission", row["submission_uuid"]),
        ("submitter_peer_id", "submitter", ground.identity(row["submitter_peer_id"])),
    ):
        # Without a version of its own an object is named by its date, which has been compared already.
        if said.get(property_) != expected and (column != "version" or row["version"] is not None):
            yield Finding(
                f"entry.{column}", f"entry.{column}", item.name, f"leaf {leaf.index} of the log says otherwise"
            )
    if said.get("group") != slug and said.get("collection") == uuid:
        yield Finding("collection.group", "collection.group_id", f"collection {uuid}", "the log says another group")
    yield from _audience(ground, item, leaf)


def _audience(ground: Ground, item: Item, leaf: Leaf) -> Findings:
    row = item.row
    column = "audience_id" if row["first_audience_id"] is None else "first_audience_id"
    told, first, now = told_audience(ground, leaf), item.first_audience(ground), item.audience(ground)
    if first is None or first != told:
        text = f"leaf {leaf.index} of the log says it was published for others"
        yield Finding("entry.audience", f"entry.{column}", item.name, text)
    elif now is None or not first.covers(now):
        text = "it admits peers for whom the version was never published"
        yield Finding("entry.audience", "entry.audience_id", item.name, text)


def kept(ground: Ground) -> Findings:
    """Find evidence under a legal hold of which the log says otherwise."""
    for piece in scan.pieces(ground.tx, "kept_version"):
        leaves = ground.leaves(row["log_index"] for row in piece)
        for row in piece:
            yield from _kept(ground, row, leaves.get(row["log_index"]))
        ground.step(len(piece))


def _kept(ground: Ground, row: Row, leaf: Leaf | None) -> Findings:
    name = f"kept version {row['id']} ({row['stix_id']})"
    if leaf is None or leaf.kind != ACCEPTED or leaf.body.get("id") != row["stix_id"]:
        if leaf is not None or not ground.older_than_the_log(row["date_added"]):
            yield Finding("kept.leaf", "kept_version.log_index", name, "there is no leaf in the log that accepted it")
        return
    told, now = told_audience(ground, leaf), ground.audiences.get(row["audience_id"])
    for column, said, stored in (
        ("date_added", leaf.body.get("at"), _stamp(row["date_added"])),
        ("collection_id", leaf.body.get("collection"), ground.collection_names(row["collection_id"])[1]),
        ("version", leaf.body.get("version"), row["version"] or _stamp(row["date_added"])),
        ("submission_uuid", leaf.body.get("submission"), row["submission_uuid"]),
        ("submitter_peer_id", leaf.body.get("submitter"), ground.identity(row["submitter_peer_id"])),
        ("audience_id", True, told is not None and now is not None and told.covers(now)),
    ):
        if said != stored:
            yield Finding("kept.row", f"kept_version.{column}", name, f"leaf {leaf.index} of the log says otherwise")


def told_audience(ground: Ground, leaf: Leaf) -> Audience | None:
    """Return the audience that a leaf of an accepted version commits to."""
    kind, identities = leaf.body.get("audience"), leaf.body.get("peers", [])
    known = {row["identity"]: peer_id for peer_id, row in ground.peers.items()}
    if kind not in ("group", "named", "except") or not isinstance(identities, list):
        return None
    if not all(identity in known for identity in identities):
        return None
    return Audience(kind, frozenset(known[identity] for identity in identities))


def _stamp(at: int) -> str:
    try:
        return format_timestamp(at)
    except OverflowError:
        return "no date"
