"""Check `held`: what is under embargo was said to be held, by its submitter, there, and until then."""

from __future__ import annotations

from hub.domain.taxii_time import format_timestamp
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, body_of
from hub.services.auditing.submissions import details_of
from hub.store import scan
from hub.store.scan import Row


def check(ground: Ground) -> Findings:
    """Compare each held version with the receipt and the status of its submission, as long as these are kept."""
    for piece in scan.pieces(ground.tx, "held_version"):
        uuids = [row["submission_uuid"] for row in piece]
        known = {row["uuid"]: row for row in scan.having(ground.tx, "submission", "uuid", uuids)}
        for row in piece:
            submission = known.get(row["submission_uuid"])
            if submission is not None:
                yield from _held(row, submission)
            elif not ground.older_than_the_log(row["embargo_until"]):
                ground.unverifiable["the status of what is held is no longer kept"] += 1
        ground.step(len(piece))


def _held(row: Row, submission: Row) -> Findings:
    name = f"held version {row['id']} ({row['stix_id']})"
    for column in ("collection_id", "peer_id"):
        if row[column] != submission[column]:
            yield Finding("held.row", f"held_version.{column}", name, "its submission says otherwise")
    lines = body_of(submission, "receipt").get("objects", [])
    digest = bytes(row["sha256"]).hex()
    if submission["receipt"] is not None and ("held", row["stix_id"], digest) not in {
        (line.get("decision"), line.get("id"), line.get("sha256")) for line in lines
    }:
        yield Finding("held.receipt", "held_version.sha256", name, "the receipt of its submission knows no such thing")
    successes = (details_of(submission) or [[]])[0]
    until = f"held until {_stamp(row['embargo_until'])}"
    if not any(line.get("id") == row["stix_id"] and line.get("message") == until for line in successes):
        yield Finding("held.embargo", "held_version.embargo_until", name, "the status of its submission says otherwise")


def _stamp(at: int) -> str:
    try:
        return format_timestamp(at)
    except OverflowError:
        return "no date"
