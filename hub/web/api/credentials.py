"""/peers/{handle}/credentials: how a peer proves who it is."""

from __future__ import annotations

from typing import Final

from hub.domain.membership import CredentialKind, Role
from hub.services import credentials as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page_of


def get_all(call: Call) -> Answer:
    """List a peer's credentials by id."""
    after = call.number("after") or 0
    rows = [row for row in service.listed(call.hub, call.caller, call.path["handle"])[1] if row.id > after]
    return page_of(rows, call.limit, lambda row: str(row.id), resources.credential)


def get(call: Call) -> Answer:
    """Show one credential."""
    _, row = service.shown(call.hub, call.caller, call.path["handle"], int(call.path["id"]))
    return Answer(resources.credential(row))


def post(call: Call) -> Answer:
    """Make a credential; its secret is in this answer and in no other."""
    body = call.body
    never = "expires_at" in body and body["expires_at"] is None
    issued = service.add(
        call.hub,
        call.caller,
        call.path["handle"],
        kind=CredentialKind(body["kind"]),
        role=Role(body["role"]),
        label=body["label"],
        username=body.get("username"),
        fingerprint=body.get("fingerprint"),
        expires_at=call.instant("expires_at"),
        never_expires=never,
    )
    return Answer(resources.issued(issued), 201, f"/peers/{issued.peer.handle}/credentials/{issued.credential.id}")


def delete(call: Call) -> Answer:
    """Revoke a credential; it stays in the list with the time of its revocation."""
    service.revoke(call.hub, call.caller, call.path["handle"], int(call.path["id"]))
    return Answer(None, 204)


HANDLERS: Final[dict[str, Handler]] = {
    "listCredentials": get_all,
    "getCredential": get,
    "createCredential": post,
    "revokeCredential": delete,
}
