"""Check `settings`: peers, groups, members, rights and collections are as the audit lines made them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.store import scan
from hub.store.scan import Row

NEAR_US = 60 * 1_000_000
"""A time in a row and that of its audit line are two readings of one clock in one transaction."""

_GROUP = (
    "title",
    "description",
    "default_tlp",
    "tlp_ceiling",
    "signature_required",
    "quantum_safe",
    "member_visibility",
    "two_person",
    "pseudonyms",
)
_PEER = ("name", "kind", "identity", "country", "itu_region", "quantum_safe", "quota_objects", "quota_octets")
_RIGHTS = {"may_read": "read", "may_write": "write", "may_moderate": "moderate"}


def check(ground: Ground) -> Findings:
    """Compare every small table with the replay of what was done, both ways."""
    for one in (_peers, _groups, _members, _collections, _overrides, _relay_rights):
        yield from one(ground)
    ground.step(len(ground.peers) + len(ground.groups) + len(ground.collections))


def _differing(
    code: str, table: str, name: str, row: Row, told: Mapping[str, Any] | None, columns: Sequence[str]
) -> Findings:
    if told is None:
        yield Finding(code, table, name, "no audit line has made it")
        return
    for column in columns:
        if column in told and told[column] != row[column]:
            yield Finding(code, f"{table}.{column}", name, "the audit lines say otherwise")


def times(code: str, table: str, name: str, row: Row, told: Mapping[str, Any], columns: Mapping[str, str]) -> Findings:
    for column, property_ in columns.items():
        stored, said = row[column], told.get(property_)
        if (stored is None) != (said is None) or (stored is not None and abs(stored - (said or 0)) > NEAR_US):
            yield Finding(code, f"{table}.{column}", name, "the audit lines say another time")


def lost(ground: Ground, kind: str, present: Collection[tuple[str, ...]], code: str, table: str) -> Findings:
    for key in ground.replay.all(kind):
        if key[1:] not in present and ground.replay.now(*key) is not None:
            yield Finding(
                code, table, "/".join(key[1:]), "an audit line has made it, none has removed it, and it is gone"
            )


def _peers(ground: Ground) -> Findings:
    for row in ground.peers.values():
        name = f"peer {row['handle']}"
        told = ground.replay.now("peer", row["handle"])
        if told is None:
            yield Finding("peer.unknown", "peer.handle", name, "no audit line has made a peer of this handle")
            continue
        yield from _differing("peer.setting", "peer", name, row, told, _PEER)
        columns = {"suspended_at": "suspended_at", "created_at": "created_at"}
        yield from times("peer.setting", "peer", name, row, told, columns)
    yield from lost(ground, "peer", {(row["handle"],) for row in ground.peers.values()}, "peer.lost", "peer")


def _groups(ground: Ground) -> Findings:
    for row in ground.groups.values():
        name = f"group {row['slug']}"
        told = ground.replay.now("group", row["slug"])
        if told is None:
            yield Finding("group.unknown", "trust_group.slug", name, "no audit line has made a group of this name")
            continue
        yield from _differing("group.setting", "trust_group", name, row, told, _GROUP)
        yield from times("group.setting", "trust_group", name, row, told, {"created_at": "created_at"})
    present = {(row["slug"],) for row in ground.groups.values()}
    yield from lost(ground, "group", present, "group.lost", "trust_group")


def _members(ground: Ground) -> Findings:
    present = set()
    for row in scan.whole(ground.tx, "member"):
        slug, handle = _group_slug(ground, row["group_id"]), ground.handle(row["peer_id"])
        present.add((slug, handle))
        name = f"member {handle} of {slug}"
        told = ground.replay.now("member", slug, handle)
        if told is None:
            yield Finding("member.unknown", "member", name, "no audit line has made it a member")
            continue
        for column, right in _RIGHTS.items():
            if row[column] != (right in told["rights"]):
                yield Finding("member.right", f"member.{column}", name, "the audit lines say otherwise")
        columns = {"suspended_at": "suspended_at", "joined_at": "joined_at"}
        yield from times("member.setting", "member", name, row, told, columns)
    yield from lost(ground, "member", present, "member.lost", "member")


def _collections(ground: Ground) -> Findings:
    present = set()
    for row in ground.collections.values():
        slug = _group_slug(ground, row["group_id"])
        present.add((slug, row["uuid"]))
        name = f"collection {row['alias'] or row['uuid']} of {slug}"
        told = ground.replay.now("collection", slug, row["uuid"])
        if told is None:
            yield Finding("collection.unknown", "collection.uuid", name, "no audit line has made it")
            continue
        types = None if row["allowed_types"] is None else [each for each in row["allowed_types"].split(",") if each]
        if types != told["allowed_types"]:
            yield Finding("collection.setting", "collection.allowed_types", name, "the audit lines say otherwise")
        columns = ("title", "description", "alias", "retain_added", "retain_expired", "retain_revoked")
        yield from _differing("collection.setting", "collection", name, row, told, columns)
        yield from times("collection.setting", "collection", name, row, told, {"created_at": "created_at"})
    yield from lost(ground, "collection", present, "collection.lost", "collection")


def _overrides(ground: Ground) -> Findings:
    present = set()
    for row in scan.whole(ground.tx, "collection_override"):
        slug, uuid = ground.collection_names(row["collection_id"])
        handle = ground.handle(row["peer_id"])
        present.add((slug, uuid, handle))
        told = ground.replay.now("override", slug, uuid, handle)
        if told is None or any(told[column] != row[column] for column in ("can_read", "can_write")):
            name = f"{handle} in collection {uuid}"
            yield Finding("override", "collection_override.can_read", name, "the audit lines say otherwise")
    yield from lost(ground, "override", present, "override.lost", "collection_override")


def _relay_rights(ground: Ground) -> Findings:
    present = set()
    for row in scan.whole(ground.tx, "relay_right"):
        slug, handle = _group_slug(ground, row["group_id"]), ground.handle(row["peer_id"])
        present.add((slug, handle, row["author_identity"]))
        told = ground.replay.now("relay", slug, handle)
        if told is None or row["author_identity"] not in told["authors"]:
            name = f"relay right of {handle} in {slug}"
            yield Finding("relay-right.unknown", "relay_right.author_identity", name, "no audit line has granted it")
    for key in ground.replay.all("relay"):
        for author in (ground.replay.now(*key) or {}).get("authors", ()):
            if (*key[1:], author) not in present:
                name = f"relay right of {key[2]} in {key[1]}"
                yield Finding("relay-right.lost", "relay_right.author_identity", name, "it was granted and is gone")


def _group_slug(ground: Ground, group_id: int) -> str:
    row = ground.groups.get(group_id)
    return "" if row is None else row["slug"]
