"""Check `notices`: what the hub says in the feed in its own name is signed by it, and for those who have to hear it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain.audience import Audience
from hub.domain.canonical import parse
from hub.domain.policy.decision import Decision
from hub.domain.retraction import MalformedRetraction, Retraction, is_retraction, read
from hub.domain.signature_profile import check_inline
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import level_of, strictest
from hub.errors import MalformedJson
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf
from hub.services.auditing.item import Item
from hub.services.auditing.leaves import RETRACTED
from hub.services.auditing.then import Then
from hub.store import scan
from hub.store.scan import Row

RULE = "retraction"
REASON = "for those who have what was withdrawn"


def is_of_the_hub(ground: Ground, item: Item) -> bool:
    """Say whether a version is a notice of retraction that the hub made itself; no policy of a group is asked then."""
    own = ground.hub_peer()
    mine = own is not None and item.row["submitter_peer_id"] == own["id"]
    return mine and item.parsed is not None and is_retraction(item.parsed.obj)


def check(ground: Ground, then: Then, items: Sequence[Item]) -> Findings:
    """Find notices of the hub that it has not signed, or that are for others than the record of the withdrawal says."""
    mine = [item for item in items if is_of_the_hub(ground, item)]
    records: dict[str, list[Row]] = {}
    for row in scan.having(ground.tx, "retraction", "notice_id", [item.row["stix_id"] for item in mine]):
        records.setdefault(row["notice_id"], []).append(row)
    for item in mine:
        yield from _notice(ground, then, item, records.get(item.row["stix_id"], []))


def heard_by(ground: Ground, item: Item) -> Audience:
    """Return who has to read an author's own retraction: whom its records name, and whoever posted it."""
    records = scan.having(ground.tx, "retraction", "notice_id", [item.row["stix_id"]])
    holders = [ground.audiences.get(one["holders_audience_id"], Audience("named")).peers for one in records]
    stored = item.first_audience(ground)
    peers = frozenset({item.row["submitter_peer_id"]}).union(*holders)
    return Audience("named", peers, stored is not None and stored.veiled)


def _notice(ground: Ground, then: Then, item: Item, records: Sequence[Row]) -> Findings:
    row, parsed, own = item.row, item.parsed, ground.hub_peer()
    if parsed is None or own is None:
        return
    ring = then.ring(frozenset({own["id"]}), 0 if item.leaf is None else item.leaf.index)
    proved = check_inline(parsed.obj, ring, signer_peers=frozenset({own["id"]}), now=row["date_added"])
    if isinstance(proved, Decision):
        yield Finding("notice.signature", "entry.body", item.name, f"the hub has not signed it: {proved.reason}")
        return
    level = strictest(level for ref in parsed.facts.marking_refs if (level := level_of(ref)) is not None)
    for column, said in (
        ("key_id", proved.key.id),
        ("jss_form", proved.form),
        ("signed_at", proved.signed_at),
        ("carrier", proved.carrier),
        ("rule", RULE),
        ("reason", REASON),
        ("tlp", level),
        ("expires_at", None),
        ("onward_relay", False),
        ("introduced", False),
    ):
        if row[column] != said:
            yield Finding(f"entry.{column}", f"entry.{column}", item.name, "the signed notice says otherwise")
    try:
        told = read(parsed.obj)
    except MalformedRetraction as fault:
        yield Finding("notice.form", "entry.body", item.name, str(fault))
        return
    yield from _recorded(ground, item, told, records)


def _recorded(ground: Ground, item: Item, said: Retraction, records: Sequence[Row]) -> Findings:
    if {one["stix_id"] for one in records} != {target.stix_id for target in said.targets}:
        text = "there is not one record of a withdrawal for each object that it names"
        yield Finding("notice.records", "retraction.stix_id", item.name, text)
        return
    holders: frozenset[int] = frozenset()
    for one in records:
        audience = ground.audiences.get(one["holders_audience_id"], Audience("named"))
        holders |= audience.peers
        if (one["uuid"], one["kind"]) != (said.act, said.kind):
            column = "uuid" if one["uuid"] != said.act else "kind"
            yield Finding("retraction.notice", f"retraction.{column}", _name(one), "its signed notice says otherwise")
    if item.first_audience(ground) != Audience("named", holders):
        text = "those who have to hear of the withdrawal are others than those who can read the notice"
        yield Finding("notice.audience", "entry.audience_id", item.name, text)


def records(ground: Ground) -> Findings:
    """Find records of withdrawals of which the log says otherwise, or which it does not know."""
    for piece in scan.pieces(ground.tx, "retraction"):
        leaves = ground.leaves(row["log_index"] for row in piece)
        for row in piece:
            yield from _record(ground, row, leaves.get(row["log_index"]))
        ground.step(len(piece))


def _record(ground: Ground, row: Row, leaf: Leaf | None) -> Findings:
    name = _name(row)
    if leaf is None or leaf.kind != RETRACTED:
        yield Finding("retraction.leaf", "retraction.log_index", name, "there is no leaf for it in the log")
        return
    ground.explain(leaf.index)
    _, uuid = ground.collection_names(row["collection_id"])
    audience = ground.audiences.get(row["holders_audience_id"], Audience("named"))
    for column, property_, said in (
        ("uuid", "act", row["uuid"]),
        ("collection_id", "collection", uuid),
        ("stix_id", "id", row["stix_id"]),
        ("kind", "kind", row["kind"]),
        ("actor_peer_id", "actor", ground.identity(row["actor_peer_id"]) or "hub"),
        ("notice_id", "notice", row["notice_id"]),
        ("at", "at", _stamp(row["at"])),
        ("holders_audience_id", "holders", len(audience.peers)),
        ("versions", "versions", _versions(row)),
    ):
        if leaf.body.get(property_) != said:
            yield Finding("retraction.row", f"retraction.{column}", name, f"its leaf {leaf.index} says otherwise")


def _versions(row: Row) -> object:
    try:
        listed: Any = parse(bytes(row["versions"]))  # what has another form raises one of the errors below
        return [{"sha256": one[1], "version": one[0]} for one in listed]
    except (MalformedJson, TypeError, IndexError, KeyError):
        return None


def _name(row: Row) -> str:
    return f"retraction {row['id']} ({row['stix_id']})"


def _stamp(at: int) -> str:
    try:
        return format_timestamp(at)
    except OverflowError:
        return "no date"
