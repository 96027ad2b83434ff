"""/export-tokens and /groups/{slug}/exports/{format}: addresses for machines, and what an export holds."""

from __future__ import annotations

from typing import Any, Final

import orjson

from hub.exports.options import read_texts
from hub.services import export_tokens, exports
from hub.services.export_tokens import Issued
from hub.services.exports import Asked, Made
from hub.store.export_tokens import ExportToken
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.resources import Resource, instant


def get_all(call: Call) -> Answer:
    """List export tokens by id."""
    rows = export_tokens.listed(call.hub, call.caller)
    return page(call, rows, lambda row: row.uuid, token)


def get(call: Call) -> Answer:
    """Show one export token."""
    return Answer(token(export_tokens.shown(call.hub, call.caller, call.path["export_token"])))


def post(call: Call) -> Answer:
    """Make an export token; its address is in this answer and in no other."""
    body = call.body
    made = export_tokens.add(
        call.hub,
        call.caller,
        handle=body.get("peer"),
        slug=body["group"],
        collection=body.get("collection"),
        format_=body["format"],
        options=body.get("options", {}),
        label=body["label"],
        expires_at=call.instant("expires_at"),
        never_expires="expires_at" in body and body["expires_at"] is None,
    )
    return Answer(issued(made, call.hub.public_url), 201, f"/export-tokens/{made.token.uuid}")


def delete(call: Call) -> Answer:
    """Revoke an export token."""
    export_tokens.revoke(call.hub, call.caller, call.path["export_token"])
    return Answer(None, 204)


def get_summary(call: Call) -> Answer:
    """Say what an export holds and what it leaves out, by reason."""
    options = {name: str(value) for name, value in call.query.items() if name != "collection"}
    slug, format_, ref = call.path["slug"], call.path["format"], call.text("collection")
    made = exports.make(call.hub, Asked(call.caller, slug, ref, format_, read_texts(options)))
    if made.body is not None:
        made.body.close()
    return Answer(summary(made, slug, ref, format_))


def summary(made: Made, slug: str, collection: str | None, format_: str) -> Resource:
    """Return what an export holds."""
    account = made.account
    left_out = {} if account is None else account.left_out
    return {
        "group": slug,
        "collection": collection,
        "format": format_,
        "path": f"/exports/groups/{slug}/{format_}",
        "media_type": made.format.media_type,
        "etag": made.digest,
        "bytes": made.size,
        "entries": 0 if account is None else account.entries,
        "tlp": "clear" if account is None else account.level,
        "left_out": [{"reason": reason, "count": count} for reason, count in sorted(left_out.items())],
    }


def token(row: ExportToken) -> Resource:
    """Return an export token without anything secret."""
    options: Any = orjson.loads(row.options)
    return {
        "id": row.uuid,
        "peer": row.handle,
        "group": row.group,
        "collection": row.collection,
        "format": row.format,
        "options": options,
        "label": row.label,
        "created_at": instant(row.created_at),
        "expires_at": instant(row.expires_at),
        "revoked_at": instant(row.revoked_at),
        "last_used_at": instant(row.last_used_at),
    }


def issued(row: Issued, public_url: str | None) -> Resource:
    """Return a new export token with its address; without a public URL it begins at the root of the hub."""
    base = "/" if public_url is None else public_url.rstrip("/") + "/"
    return token(row.token) | {"url": f"{base}exports/{row.secret}"}


HANDLERS: Final[dict[str, Handler]] = {
    "listExportTokens": get_all,
    "createExportToken": post,
    "getExportToken": get,
    "revokeExportToken": delete,
    "getExportSummary": get_summary,
}
