"""Check `partners`: agreements, links and packs are as the audit lines made them."""

from __future__ import annotations

import hashlib

from hub.domain.agreement import Agreement, read_agreement
from hub.domain.canonical import parse
from hub.errors import InvalidRequest, MalformedJson
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.settings import lost, times
from hub.store import scan
from hub.store.scan import Row

_LINK = ("url", "push", "pull", "allow_private", "max_bytes")
_TIMES = {"created_at": "created_at", "agreed_at": "agreed_at", "ended_at": "ended_at"}


def check(ground: Ground) -> Findings:
    """Compare the tables with the replay of what was done, both ways."""
    yield from _agreements(ground)
    yield from _links(ground)
    yield from _packs(ground)


def _agreements(ground: Ground) -> Findings:
    present = set()
    rows = scan.whole(ground.tx, "agreement")
    for row in rows:
        present.add((row["uuid"],))
        name = f"agreement {row['uuid']}"
        told = ground.replay.now("agreement", row["uuid"])
        if told is None:
            yield Finding("agreement.unknown", "agreement.uuid", name, "no audit line has made it")
            continue
        if told["peer"] != ground.handle(row["peer_id"]):
            yield Finding("agreement.peer", "agreement.peer_id", name, "the audit lines say it is with another hub")
        if told["state"] != row["state"]:
            yield Finding("agreement.state", "agreement.state", name, "the audit lines say otherwise")
        if told["sha256"] != hashlib.sha256(bytes(row["document"])).hexdigest():
            yield Finding("agreement.bytes", "agreement.document", name, "its bytes are not those that were signed")
        yield from times("agreement.time", "agreement", name, row, told, _TIMES)
        yield from _document(ground, row, name)
    yield from lost(ground, "agreement", present, "agreement.lost", "agreement")
    ground.step(len(rows))


def _document(ground: Ground, row: Row, name: str) -> Findings:
    """Check what a document says of itself: its id and its two hubs."""
    own = ground.hub_peer()
    try:
        said: Agreement = read_agreement(parse(bytes(row["document"])))
    except (MalformedJson, InvalidRequest):
        yield Finding("agreement.form", "agreement.document", name, "it is no agreement")
        return
    if said.id != row["uuid"]:
        yield Finding("agreement.form", "agreement.uuid", name, "the document has another id")
    if own is not None and not said.between(own["identity"], ground.identity(row["peer_id"]) or ""):
        yield Finding("agreement.peer", "agreement.peer_id", name, "it is between other hubs")


def _links(ground: Ground) -> Findings:
    present = set()
    rows = scan.whole(ground.tx, "link")
    for row in rows:
        handle = ground.handle(row["peer_id"])
        present.add((handle,))
        name = f"link to {handle}"
        told = ground.replay.now("link", handle)
        if told is None:
            yield Finding("link.unknown", "link", name, "no audit line has made it")
            continue
        for column in _LINK:
            if column in told and told[column] != row[column]:
                yield Finding("link.setting", f"link.{column}", name, "the audit lines say otherwise")
        columns = {"created_at": "created_at", "paused_at": "paused_at"}
        yield from times("link.setting", "link", name, row, told, columns)
    yield from lost(ground, "link", present, "link.lost", "link")
    ground.step(len(rows))


def _packs(ground: Ground) -> Findings:
    present = set()
    rows = scan.whole(ground.tx, "pack")
    for row in rows:
        handle = ground.handle(row["peer_id"])
        key = handle, row["direction"], str(row["number"])
        present.add(key)
        name = f"pack {row['number']} {row['direction']} of {handle}"
        told = ground.replay.now("pack", handle or "", row["direction"], str(row["number"]))
        if told is None:
            yield Finding("pack.unknown", "pack", name, "no audit line has made or taken it")
            continue
        if told.get("uuid") != row["uuid"] or told.get("sha256") != bytes(row["sha256"]).hex():
            yield Finding("pack.bytes", "pack.sha256", name, "the audit lines name another file")
        if (told.get("answered_at") is None) != (row["answered_at"] is None):
            yield Finding("pack.answered", "pack.answered_at", name, "the audit lines say otherwise")
    yield from lost(ground, "pack", present, "pack.lost", "pack")
    ground.step(len(rows))
