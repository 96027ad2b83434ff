"""Check `credentials`: whose each is, with which role, until when; what proves it, the log does not know."""

from __future__ import annotations

from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.settings import lost, times


def check(ground: Ground) -> Findings:
    """Compare the credentials with the audit lines that made and revoked them."""
    for row in ground.credentials.values():
        name = f"credential {row['id']} of {ground.handle(row['peer_id'])}"
        told = ground.replay.now("credential", str(row["id"]))
        if told is None:
            yield Finding("credential.unknown", "credential.id", name, "no audit line has made it")
            continue
        for column, said in (
            ("peer_id", told["handle"] == ground.handle(row["peer_id"])),
            ("kind", told.get("kind") == row["kind"]),
            ("role", told.get("role") == row["role"]),
            ("expires_at", told.get("expires_at") == row["expires_at"]),
        ):
            if not said:
                yield Finding("credential.setting", f"credential.{column}", name, "the audit lines say otherwise")
        columns = {"created_at": "created_at", "revoked_at": "revoked_at"}
        yield from times("credential.setting", "credential", name, row, told, columns)
    present = {(str(row["id"]),) for row in ground.credentials.values()}
    yield from lost(ground, "credential", present, "credential.lost", "credential")
    ground.step(len(ground.credentials))
