"""Check `keys`: every key is what its id says, belongs to whom the log says, and each word on it is signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hub.domain import key_material
from hub.domain.canonical import parse
from hub.domain.key_material import PublicKey
from hub.domain.key_statement import KeyStatement, read_statement, signers
from hub.errors import InvalidRequest, MalformedJson, SignatureError
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.settings import lost, times
from hub.store import scan
from hub.store.scan import Row


def check(ground: Ground) -> Findings:
    """Compare the key ring with the audit lines and with the signed statements about each key."""
    yield from _rows(ground)
    yield from _hub_key(ground)
    yield from _statements(ground)
    ground.step(len(ground.keys))


def _rows(ground: Ground) -> Findings:
    for row in ground.keys.values():
        name = f"key {row['kid'][:16]} of {ground.handle(row['peer_id'])}"
        told = ground.replay.now("key", row["kid"])
        if told is None:
            yield Finding("key.unknown", "signing_key.kid", name, "no audit line has enrolled it")
            continue
        try:
            made = key_material.public_key(row["public_key"], allow_test_key=True)
        except SignatureError:
            yield Finding("key.material", "signing_key.public_key", name, "it is no usable public key")
            continue
        if made.kid != row["kid"]:
            yield Finding("key.material", "signing_key.public_key", name, "it is not the key of its id")
        if made.algorithm != row["algorithm"]:
            yield Finding("key.material", "signing_key.algorithm", name, "it is not the algorithm of the key")
        if told["handle"] != ground.handle(row["peer_id"]):
            yield Finding("key.peer", "signing_key.peer_id", name, "the audit lines say it is another peer's")
        yield from _key_times(name, row, told)
        if row["revocation_reason"] != told.get("reason"):
            yield Finding("key.revocation", "signing_key.revocation_reason", name, "the audit lines say otherwise")
    present = {(row["kid"],) for row in ground.keys.values()}
    yield from lost(ground, "key", present, "key.lost", "signing_key")


def _key_times(name: str, row: Row, told: Mapping[str, Any]) -> Findings:
    for column in ("valid_from", "valid_until", "revoked_at"):
        if row[column] != told.get(column):
            yield Finding("key.validity", f"signing_key.{column}", name, "the audit lines say another time")
    yield from times(
        "key.validity", "signing_key", name, row, told, {"created_at": "created_at", "reported_at": "reported_at"}
    )


def _hub_key(ground: Ground) -> Findings:
    own = ground.hub_peer()
    kids = {row["kid"] for row in ground.keys.values() if own is not None and row["peer_id"] == own["id"]}
    if ground.signing_key.kid not in kids:
        text = "the key in secrets/ that signs receipts is not enrolled for the hub"
        yield Finding("key.hub", "signing_key.kid", "the hub's own key", text)


def _statements(ground: Ground) -> Findings:
    present = set()
    for piece in scan.pieces(ground.tx, "key_statement"):
        for row in piece:
            present.add((hashlib.sha256(bytes(row["statement"])).hexdigest(),))
            yield from _statement(ground, row)
        ground.step(len(piece))
    yield from lost(ground, "statement", present, "statement.lost", "key_statement")


def _statement(ground: Ground, row: Row) -> Findings:
    name = f"key statement {row['id']}"
    digest = hashlib.sha256(bytes(row["statement"])).hexdigest()
    told = ground.replay.now("statement", digest)
    if told is None:
        yield Finding(
            "statement.bytes", "key_statement.statement", name, "no audit line has the SHA-256 of these bytes"
        )
        return
    key = ground.keys.get(row["key_id"])
    try:
        document = parse(bytes(row["statement"]))
        said = read_statement(document)
    except (MalformedJson, InvalidRequest):
        yield Finding("statement.form", "key_statement.statement", name, "it is no key statement")
        return
    if key is None or key["kid"] != said.kid:
        yield Finding("statement.key", "key_statement.key_id", name, "it is about another key")
        return
    if (row["action"], row["at"]) != (said.action, said.at):
        column = "action" if row["action"] != said.action else "at"
        yield Finding("statement.row", f"key_statement.{column}", name, "the signed statement says otherwise")
    try:
        signers(document if isinstance(document, dict) else {}, _speaking(ground, said), signee=_signee(said))
    except SignatureError as error:
        yield Finding("statement.signature", "key_statement.statement", name, error.detail or "it is not signed")


def _signee(said: KeyStatement) -> str:
    return said.hub if said.vouched_by is not None else said.peer


def _speaking(ground: Ground, said: KeyStatement) -> list[PublicKey]:
    """Return the keys that may have signed a statement; which of them had to, its enrolment has settled."""
    own = ground.hub_peer()
    key = next((row for row in ground.keys.values() if row["kid"] == said.kid), None)
    peer_id = None if key is None else key["peer_id"]
    if said.vouched_by is not None:
        peer_id = None if own is None else own["id"]
    found = []
    for row in ground.keys.values():
        if row["peer_id"] == peer_id:
            try:
                found.append(key_material.public_key(row["public_key"], allow_test_key=True))
            except SignatureError:
                continue  # the check of the rows has said so
    return found
