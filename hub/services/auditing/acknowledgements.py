"""Check `acknowledgements`: each was signed by the peer whose it is, and the log has it."""

from __future__ import annotations

from hub.domain import acknowledgement as form
from hub.domain.canonical import parse
from hub.errors import CybexError, MalformedJson
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf
from hub.services.auditing.then import Then
from hub.store import scan
from hub.store.scan import Row


def check(ground: Ground) -> Findings:
    """Find acknowledgements that nobody has signed, or of which the log says otherwise."""
    then = Then(ground)
    for piece in scan.pieces(ground.tx, "acknowledgement"):
        leaves = ground.leaves(row["log_index"] for row in piece)
        for row in piece:
            yield from _row(ground, then, row, leaves.get(row["log_index"]))
        ground.step(len(piece))


def _row(ground: Ground, then: Then, row: Row, leaf: Leaf | None) -> Findings:
    name = f"acknowledgement {row['id']} ({row['stix_id']})"
    if leaf is None or leaf.kind != "acknowledged":
        yield Finding("acknowledgement.leaf", "acknowledgement.log_index", name, "there is no leaf for it in the log")
        return
    ground.explain(leaf.index)
    try:
        document = parse(bytes(row["statement"]))
        said = form.read(document)
        digest = form.digest(document if isinstance(document, dict) else {})
        ring = then.ring(frozenset({row["peer_id"]}), leaf.index)
        form.verify(document if isinstance(document, dict) else {}, ring, now=leaf.at)
    except (MalformedJson, CybexError) as error:
        reason = error.detail if isinstance(error, CybexError) else "it is no JSON"
        yield Finding("acknowledgement.signature", "acknowledgement.statement", name, str(reason))
        return
    group = ground.groups.get(row["group_id"])
    for column, signed, stored in (
        ("statement", leaf.body.get("sha256"), digest),
        ("stix_id", said.stix_id, row["stix_id"]),
        ("version", leaf.body.get("version"), row["version"]),
        ("outcome", said.outcome, row["outcome"]),
        ("reason", said.reason, row["reason"]),
        ("at", said.created, row["at"]),
        ("peer_id", said.by, ground.identity(row["peer_id"])),
        ("group_id", said.group, None if group is None else group["slug"]),
    ):
        if signed != stored:
            place = f"acknowledgement.{column}"
            yield Finding("acknowledgement.row", place, name, "the signed statement or the log says otherwise")
