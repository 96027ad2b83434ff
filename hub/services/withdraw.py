"""Delete an object, or some versions of it, from one collection (TAXII 2.1 §5.7)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hub.domain.canonical import parse
from hub.domain.membership import Caller
from hub.domain.taxii import Query
from hub.errors import Forbidden, NotFound
from hub.services import audit
from hub.services.access import OpenCollection
from hub.services.context import Hub
from hub.store import entries as entry_store
from hub.store import held as held_store
from hub.store import pages
from hub.store import peers as peer_store
from hub.store.entries import StoredVersion
from hub.store.pages import Selection

NO_OBJECT = "there is no such object"


def delete(hub: Hub, caller: Caller, opened: OpenCollection, stix_id: str, query: Query | None) -> int:
    """Remove an object and leave a tombstone; return how many versions went. The hub keeps no copy to serve.

    1. Without any right in the collection the object does not exist; with one of the two it may not be deleted.
    2. The caller must be able to see it: otherwise it does not exist for him.
    3. Without ``match[version]`` all versions go, else a client would find an older one in its place. What others
       introduced and he cannot see stays for its readers, unless he moderates: it must not show in the answer.
    4. Every version that goes must be his: of an author who is his peer, or introduced by him; or he moderates.
    5. The detached signatures over what went go too: one that stayed would tell that the object had existed.
    6. What he has under embargo is never published.

    :param query: the versions meant; None for all of them.
    """
    rights = opened.rights
    if not rights.can_read and not rights.can_write:  # 1
        raise NotFound(NO_OBJECT)
    if not (rights.can_read and rights.can_write):
        raise Forbidden("deleting needs both the right to read and the right to write")
    with hub.db.write() as tx:
        now = hub.clock()
        entry_store.lock(tx, opened.collection.id)
        visible = pages.visible_versions_of(tx, opened.collection.id, caller.peer.id, stix_id, now)
        held = [] if query is not None else _held(tx, caller, opened, stix_id)
        if not visible and not held:  # 2
            raise NotFound(NO_OBJECT)
        held_store.remove(tx, held)  # 6
        here = [
            version
            for version in entry_store.known(tx, [stix_id])[stix_id]
            if version.collection_id == opened.collection.id
        ]
        identities = peer_store.identities(tx)
        if query is not None:
            chosen = pages.version_keys(tx, _selection(caller, opened, stix_id, query, now))
            if not chosen:
                raise NotFound("there is no such version")
            going = [version for version in here if version.version_key in chosen]
        else:  # 3
            seen = {version.version_key for version in visible}
            going = [
                version
                for version in here
                if rights.can_moderate or version.version_key in seen or _is_his(caller, version, identities)
            ]
        if not rights.can_moderate and not all(_is_his(caller, version, identities) for version in going):  # 4
            raise Forbidden("only its author, the peer that introduced it, or a moderator may delete this")
        keys = {version.version_key for version in going if version.version_key is not None}
        staying = [version for version in here if version.version_key not in keys]
        named = keys if staying else None  # None, and not every key there is: an object may have very many versions
        removed = entry_store.delete(tx, opened.collection.id, stix_id, named, peer_id=caller.peer.id, now=now)
        for signature_id, body in entry_store.signatures_over(tx, opened.collection.id, stix_id):  # 5
            if not _signs(body, staying):
                entry_store.delete(tx, opened.collection.id, signature_id, None, peer_id=caller.peer.id, now=now)
        audit.record(
            tx,
            hub,
            caller,
            "object.delete",
            f"{opened.group.slug}/{opened.collection.uuid}/{stix_id}",
            versions=removed,
            held=len(held),
        )
    return removed + len(held)


def _held(tx: Connection, caller: Caller, opened: OpenCollection, stix_id: str) -> list[int]:
    return [
        one.id
        for one in held_store.of_object(tx, stix_id)
        if one.collection_id == opened.collection.id and one.peer_id == caller.peer.id
    ]


def _is_his(caller: Caller, version: StoredVersion, identities: dict[str, int]) -> bool:
    """Say whether the caller's peer is the author, or introduced what has no author on this hub."""
    author = identities.get(version.author_identity) if version.author_identity is not None else None
    return (author or version.submitter_peer_id) == caller.peer.id


def _signs(body: bytes, versions: Sequence[StoredVersion]) -> bool:
    signature = parse(body)
    related = signature.get("related_version") if isinstance(signature, dict) else None
    return any(related in (version.version, version.sha256.hex()) for version in versions)


def _selection(caller: Caller, opened: OpenCollection, stix_id: str, query: Query, now: int) -> Selection:
    return Selection(opened.collection.id, caller.peer.id, now, ids=(stix_id,), versions=query.versions)
