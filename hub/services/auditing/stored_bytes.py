"""Check `bytes`: the bytes of a version are those that were accepted, and its columns say what its bytes say."""

from __future__ import annotations

import hashlib

from hub.domain.stix import version_key
from hub.domain.taxii_time import format_timestamp
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.item import Item, read_body
from hub.store import scan


def check(item: Item) -> Findings:
    """Find bytes that are not the accepted ones, and columns that differ from the bytes."""
    row = item.row
    changed = list(_digests(item))
    yield from changed
    if row["size"] != len(row["body"]) and not changed:
        yield Finding("entry.size", "entry.size", item.name, "it is not the number of octets stored")
    if item.parsed is None or not item.canonical:
        if not changed:
            yield Finding("entry.form", "entry.body", item.name, "its bytes are no STIX object in canonical form")
        return
    facts = item.parsed.facts
    related = item.parsed.obj.get("related_to") if item.parsed.is_signature else None
    for column, said in (
        ("stix_id", facts.id),
        ("type", facts.type),
        ("version", facts.version),
        ("author_identity", facts.created_by_ref),
        ("related_to", related),
    ):
        if row[column] != said and not changed:
            yield Finding(f"entry.{column}", f"entry.{column}", item.name, "it is not what the object's bytes say")
    try:
        key = facts.version_key or version_key(format_timestamp(row["date_added"]))
    except (ValueError, OverflowError):
        key = None
    if row["version_key"] != key and not changed:
        yield Finding("entry.version_key", "entry.version_key", item.name, "it is not the key of the object's version")


def _digests(item: Item) -> Findings:
    """Tell which of three is wrong when bytes, column and leaf do not have one SHA-256: the one that stands alone."""
    row, digest = item.row, item.digest
    stored = bytes(row["sha256"])
    told = None if item.leaf is None else item.leaf.body.get("sha256")
    if item.leaf is not None and item.leaf.body.get("id") != row["stix_id"] and told != digest.hex():
        return  # another leaf: the check of leaves says so
    if stored == digest:
        if told is not None and told != digest.hex():
            text = f"they are not the bytes that leaf {row['log_index']} of the log says were accepted"
            yield Finding("entry.bytes", "entry.body", item.name, text)
        return
    if told is not None and told == digest.hex():
        yield Finding("entry.sha256", "entry.sha256", item.name, "it is not the SHA-256 of the stored bytes")
        return
    yield Finding("entry.bytes", "entry.body", item.name, "they have been changed since they were accepted")


def kept(ground: Ground) -> Findings:
    """Find changed bytes among what is not served: versions under embargo, under a legal hold, and conflicting ones."""
    for table in ("held_version", "kept_version", "refusal"):
        for piece in scan.pieces(ground.tx, table):
            leaves = ground.leaves(row.get("log_index") for row in piece) if table == "kept_version" else {}
            for row in piece:
                if row["body"] is None:
                    continue
                name = f"{table} {row['id']} ({row['stix_id']})"
                body = bytes(row["body"])
                digest = hashlib.sha256(body).digest()
                parsed, canonical = read_body(body, digest)
                if row["sha256"] is None or digest != bytes(row["sha256"]):
                    leaf = leaves.get(row.get("log_index") or 0)
                    told = None if leaf is None else leaf.body.get("sha256")
                    place = f"{table}.sha256" if told == digest.hex() else f"{table}.body"
                    yield Finding(f"{table}.bytes", place, name, "bytes and SHA-256 do not belong together")
                elif parsed is None or not canonical:
                    yield Finding(f"{table}.form", f"{table}.body", name, "it is no STIX object in canonical form")
                elif parsed.facts.id != row["stix_id"]:
                    yield Finding(f"{table}.stix_id", f"{table}.stix_id", name, "it is not the id in the bytes")
            ground.step(len(piece))
