"""Export tokens: a secret address at which a machine polls one export with the rights of a peer, and nothing else.

A token is scoped to a peer, a group, a collection or all of them, a format and its options. It is good while it is
neither revoked nor expired, its peer is not suspended, and the credential that made it has not been revoked. Whether
the peer is still a member and may still read is asked anew each time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection

from hub.domain import limits, naming
from hub.domain.credentials import (
    LOOKUP_BYTES,
    SALT_BYTES,
    SECRET_BYTES,
    export_token,
    read_export_token,
    secret_hash,
    secret_matches,
    secret_text,
)
from hub.domain.membership import Caller, Peer, Right, Role
from hub.errors import Busy, Conflict, Forbidden, InvalidRequest, NotFound, Unauthenticated
from hub.exports.formats import FORMATS
from hub.exports.options import Options, read
from hub.exports.warning import READER, own_list
from hub.services import access, audit
from hub.services.actor import Actor, limited, require_reader, visible_peer
from hub.services.context import Hub
from hub.services.exports import Asked
from hub.store import export_tokens as store
from hub.store import peers as peer_store
from hub.store.export_tokens import ExportToken, StoredToken

NO_TOKEN: Final = "there is no such export token"  # noqa: S105 - a message
REFUSED: Final = "the export token is unknown, wrong, expired or revoked"
_SECOND: Final = 1_000_000
_NO_SALT: Final = bytes(SALT_BYTES)
_NO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token with its text, which nobody can show again."""

    token: ExportToken
    secret: str = field(repr=False)


def add(
    hub: Hub,
    actor: Actor,
    *,
    handle: str | None,
    slug: str,
    collection: str | None,
    format_: str,
    options: dict[str, Any],
    label: str,
    expires_at: int | None = None,
    never_expires: bool = False,
) -> Issued:
    """Make a token and return its text, once.

    :param handle: of the peer whose rights it has: one's own without it, and only an operator may name another's.
    :param collection: by id or alias; None is every collection of the group that the peer may read.
    :param expires_at: without it `limits.CREDENTIAL_LIFETIME_SECONDS` from now, unless ``never_expires``.

    Raises NotFound for a group or collection the peer may not know of, Forbidden where it may not read.
    """
    require_reader(actor)
    naming.line(label, "label")
    if format_ not in FORMATS:
        raise InvalidRequest("use one of: " + ", ".join(FORMATS), field="format")
    chosen = read(options)
    own_list(READER, chosen.keep_out, "keep_out")
    now = hub.clock()
    expires_at = _expiry(now, expires_at, never_expires=never_expires)
    lookup, secret = secret_text(hub.token_bytes(LOOKUP_BYTES)), secret_text(hub.token_bytes(SECRET_BYTES))
    salt = hub.token_bytes(SALT_BYTES)
    uuid = str(UUID(bytes=hub.token_bytes(16), version=4))
    with hub.db.write() as tx:
        peer = _peer(tx, actor, handle)
        reader = Caller(peer, actor.credential_id if isinstance(actor, Caller) else 0, Role.FEED)
        group_id, collection_id = _place(tx, reader, slug, collection)
        if len(store.listed(tx, peer.id)) >= limits.EXPORT_TOKENS_PER_PEER:
            raise Conflict("this peer has as many export tokens as the hub keeps; ask the operator")
        store.add(
            tx,
            uuid=uuid,
            peer_id=peer.id,
            credential_id=actor.credential_id if isinstance(actor, Caller) else None,
            group_id=group_id,
            collection_id=collection_id,
            format_=format_,
            options=orjson.dumps(chosen.as_json(), option=orjson.OPT_SORT_KEYS),
            label=label,
            lookup=lookup,
            salt=salt,
            secret_hash=secret_hash(salt, secret),
            now=now,
            expires_at=expires_at,
        )
        made = _found(tx, uuid)
        audit.record(
            tx,
            hub,
            actor,
            "export-token.add",
            _subject(made),
            peer.id,
            group=slug,
            collection=made.collection,
            format=format_,
            options=chosen.as_json(),
            expires_at=expires_at,
        )
    return Issued(made, export_token(lookup, secret))


def listed(hub: Hub, actor: Actor) -> list[ExportToken]:
    """Return the tokens of the actor's own peer, all of them for an operator; by name, revoked ones included."""
    require_reader(actor)
    caller = limited(actor)
    with hub.db.read() as tx:
        return store.listed(tx, None if caller is None else caller.peer.id)


def shown(hub: Hub, actor: Actor, uuid: str) -> ExportToken:
    """Return one token. Raises NotFound for one of another peer."""
    require_reader(actor)
    with hub.db.read() as tx:
        return _own(tx, actor, uuid)


def revoke(hub: Hub, actor: Actor, uuid: str) -> ExportToken:
    """Refuse a token from the next request on; revoking again changes nothing. Raises NotFound."""
    require_reader(actor)
    with hub.db.write() as tx:
        token = _own(tx, actor, uuid)
        if store.revoke(tx, token.id, hub.clock()):
            audit.record(tx, hub, actor, "export-token.revoke", _subject(token), token.peer_id)
        return _found(tx, uuid)


def opened(hub: Hub, presented: str, *, remote: str = "") -> Asked:
    """Return the export that a token stands for, and note its use at most once a minute.

    Raises Unauthenticated, always with the same text and after the same work.
    """
    now = hub.clock()
    lookup, secret = read_export_token(presented) or ("", "")
    name = f"export:{lookup}"
    if hub.throttle.refuses(remote, name, now):
        raise Unauthenticated(REFUSED)
    with hub.db.read() as tx:
        stored = store.by_lookup(tx, lookup)
        peer = None if stored is None else peer_store.by_handle(tx, stored.token.handle)
    salt = _NO_SALT if stored is None else stored.salt
    expected = _NO_HASH if stored is None else stored.secret_hash
    proved = secret_matches(salt, expected, secret)
    if stored is None or peer is None or not proved or not _stands(stored, peer, now):
        hub.throttle.failed(remote, name, now)
        raise Unauthenticated(REFUSED)
    hub.throttle.succeeded(remote, name)
    token = stored.token
    last = token.last_used_at
    if last is None or now - last >= limits.LAST_USED_RESOLUTION_US:
        # As with credentials: not worth refusing a good caller while the database is busy.
        with suppress(Busy), hub.db.write(patience_ms=20) as tx:
            store.touch(tx, token.id, now)
    reader = Caller(peer, stored.credential_id or 0, Role.FEED)
    return Asked(reader, token.group, token.collection, token.format, options_of(token))


def options_of(token: ExportToken) -> Options:
    """Return the options of a token."""
    return read(orjson.loads(token.options))


def _stands(stored: StoredToken, peer: Peer, now: int) -> bool:
    token = stored.token
    if token.revoked_at is not None or stored.credential_revoked or peer.suspended_at is not None:
        return False
    return token.expires_at is None or token.expires_at > now


def _peer(tx: Connection, actor: Actor, handle: str | None) -> Peer:
    caller = limited(actor)
    if caller is not None:
        if handle is not None and visible_peer(tx, actor, handle).id != caller.peer.id:
            raise Forbidden("an export token is for your own peer; leave the peer out", field="peer")
        return caller.peer
    if handle is None:
        if isinstance(actor, Caller):
            return actor.peer
        raise InvalidRequest("say for which peer", field="peer")
    return visible_peer(tx, actor, handle)


def _place(tx: Connection, reader: Caller, slug: str, ref: str | None) -> tuple[int, int | None]:
    if ref is None:
        group, rows = access.collections(tx, reader, slug)
        if not any(rights.can_read for _, rights in rows):
            raise Forbidden("no collection of this group gives the right to read", field="group")
        return group.id, None
    opened_ = access.collection(tx, reader, slug, ref)
    access.require(opened_.rights, Right.READ)
    return opened_.group.id, opened_.collection.id


def _own(tx: Connection, actor: Actor, uuid: str) -> ExportToken:
    token = store.by_uuid(tx, uuid)
    caller = limited(actor)
    if token is None or (caller is not None and token.peer_id != caller.peer.id):
        raise NotFound(NO_TOKEN)
    return token


def _found(tx: Connection, uuid: str) -> ExportToken:
    token = store.by_uuid(tx, uuid)
    if token is None:
        raise NotFound(NO_TOKEN)
    return token


def _subject(token: ExportToken) -> str:
    return f"peers/{token.handle}/export-tokens/{token.uuid}"


def _expiry(now: int, expires_at: int | None, *, never_expires: bool) -> int | None:
    if never_expires:
        return None
    if expires_at is None:
        return now + limits.CREDENTIAL_LIFETIME_SECONDS * _SECOND
    if expires_at <= now:
        raise InvalidRequest("the expiry lies in the past", field="expires_at")
    return expires_at
