"""Check `credentials`: whose each is, with which role, until when; what proves it, the log does not know.

Export tokens are looked at with them: whose each is, and for which export.
"""

from __future__ import annotations

from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, body_of
from hub.services.auditing.settings import lost, times
from hub.store import scan


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
    yield from _export_tokens(ground)


def _export_tokens(ground: Ground) -> Findings:
    present = set()
    for row in scan.whole(ground.tx, "export_token"):
        present.add((row["uuid"],))
        name = f"export token {row['uuid']}"
        told = ground.replay.now("export-token", row["uuid"])
        if told is None:
            yield Finding("export-token.unknown", "export_token.uuid", name, "no audit line has made it")
            continue
        group = ground.groups.get(row["group_id"])
        collection = ground.collections.get(row["collection_id"] or 0)
        for column, said in (
            ("peer_id", told["handle"] == ground.handle(row["peer_id"])),
            ("group_id", told.get("group") == (None if group is None else group["slug"])),
            ("collection_id", told.get("collection") == (None if collection is None else collection["uuid"])),
            ("format", told.get("format") == row["format"]),
            ("options", told.get("options") == body_of(row, "options")),
            ("expires_at", told.get("expires_at") == row["expires_at"]),
        ):
            if not said:
                yield Finding("export-token.setting", f"export_token.{column}", name, "the audit lines say otherwise")
        columns = {"created_at": "created_at", "revoked_at": "revoked_at"}
        yield from times("export-token.setting", "export_token", name, row, told, columns)
    yield from lost(ground, "export-token", present, "export-token.lost", "export_token")
