"""Check `lines`: each audit line says what its leaf says; together they are the history of members, rights and keys."""

from __future__ import annotations

from hub.domain.canonical import parse
from hub.domain.pseudonym import day_of
from hub.domain.replay import BEFORE, Line
from hub.domain.taxii_time import parse_timestamp
from hub.errors import MalformedJson
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf, leaf_of
from hub.store import scan
from hub.store.scan import Row

VOUCH = "pseudonym.vouch"
LOCAL = "the hub's own machine"


def check(ground: Ground) -> Findings:
    """Compare every audit line with its leaf, and tell the replay what happened."""
    vouched = [leaf_of(row) for row in scan.having(ground.tx, "log_leaf", "kind", [VOUCH])]
    for piece in scan.pieces(ground.tx, "audit_line"):
        leaves = ground.leaves(row["log_index"] for row in piece)
        for row in piece:
            leaf = leaves.get(row["log_index"])
            yield from _line(ground, row, leaf)
            # What the leaf says is believed rather than the line: it is anchored by the signed tree.
            while leaf is not None and vouched and vouched[0].index < leaf.index:
                _vouch(ground, vouched.pop(0))
            if leaf is not None:
                yield from _tell(ground, row, leaf.index, leaf.body)
            else:
                yield from _tell(ground, row, BEFORE, {"at": row["at"], **_said(row)})
        ground.step(len(piece))
    for one in vouched:
        _vouch(ground, one)


def _vouch(ground: Ground, leaf: Leaf) -> None:
    identity, kid, statement = (str(leaf.body.get(name)) for name in ("identity", "kid", "statement"))
    ground.explain(leaf.index)
    handle = ground.handle(leaf.peer_id)
    ground.replay.vouch(leaf.index, leaf.at, day_of(leaf.at), identity, kid, handle, statement)


def _line(ground: Ground, row: Row, leaf: Leaf | None) -> Findings:
    name = f"audit line {row['id']} ({row['action']})"
    if leaf is None:
        if row["log_index"] is not None or not ground.older_than_the_log(row["at"]):
            yield Finding("line.leaf", "audit_line.log_index", name, "there is no leaf for it in the log")
        return
    ground.explain(leaf.index)
    said = _said(row)
    if "detail" not in said:
        yield Finding("line.detail", "audit_line.detail", name, "it is no JSON object")
    body = leaf.body
    if body.get("event") != said["event"] and (body.get("subject"), body.get("detail")) != (
        said["subject"],
        said.get("detail"),
    ):
        yield Finding("line.leaf", "audit_line.log_index", name, "that leaf of the log is about something else")
        return
    for column, property_ in (("action", "event"), ("subject", "subject"), ("detail", "detail")):
        if property_ in said and body.get(property_) != said[property_]:
            yield Finding(f"line.{column}", f"audit_line.{column}", name, f"its leaf {leaf.index} says otherwise")
    actor = LOCAL if row["actor_peer_id"] is None else ground.identity(row["actor_peer_id"])
    if body.get("actor") != actor:
        yield Finding("line.actor", "audit_line.actor_peer_id", name, f"its leaf {leaf.index} names another actor")
    credential = ground.credentials.get(row["credential_id"] or 0)
    if row["credential_id"] is not None and (credential is None or credential["peer_id"] != row["actor_peer_id"]):
        yield Finding("line.credential", "audit_line.credential_id", name, "it is not a credential of who did it")
    if leaf.at != row["at"]:
        yield Finding("line.at", "audit_line.at", name, f"its leaf {leaf.index} has another time")


def _said(row: Row) -> dict[str, object]:
    said: dict[str, object] = {"event": row["action"], "subject": row["subject"]}
    try:
        detail = parse(bytes(row["detail"]))
    except (MalformedJson, ValueError):
        return said
    return {**said, "detail": detail} if isinstance(detail, dict) else said


def _tell(ground: Ground, row: Row, place: int, body: dict[str, object]) -> Findings:
    at, detail = body.get("at"), body.get("detail")
    try:
        moment = at if isinstance(at, int) else parse_timestamp(str(at))
        known = detail if isinstance(detail, dict) else {}
        ground.replay.tell(Line(place, moment, str(body.get("event")), str(body.get("subject")), known))
    except (ValueError, IndexError, TypeError):
        text = "it cannot be understood, so what follows it may be judged wrongly"
        yield Finding("line.unreadable", "audit_line", f"audit line {row['id']}", text)
