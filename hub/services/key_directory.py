"""The key directory of a group: every key with which its reader verifies what he may see, and what was said of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain.canonical import jcs
from hub.domain.jwk import jwk_set
from hub.domain.key_directory import ListedKey, directory_content, sign_directory
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.membership import TrustGroup
from hub.services.acquaintance import known_peers
from hub.services.actor import HUB_HANDLE, Actor, active, limited, visible_group
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import key_shown as shown_store
from hub.store import key_statements as statement_store
from hub.store import keys as store
from hub.store import log as log_store
from hub.store import members as member_store
from hub.store import peers as peer_store


@dataclass(frozen=True, slots=True)
class Issued:
    """A directory as JSON, and the digest that is the same for as long as it says the same."""

    document: Mapping[str, Any]
    digest: str


def signed(hub: Hub, actor: Actor, slug: str) -> Issued:
    """Return the directory of a group, signed by the hub. Open to every role. Raises NotFound.

    Its serial is the size of the log as it was read with the keys: every change of a key or a member is in the log, so
    a directory that says something else has another serial, and one of an older state has a smaller one.
    """
    with hub.db.read() as tx:
        trust_group, listed = _listed(tx, actor, slug)
        said = _statements(tx, [item.key for item in listed])
        serial, own = log_store.size(tx), hub_identity(tx)
    content = directory_content(own, trust_group.slug, listed, said)
    document = sign_directory(
        content, hub.signing_key, serial=serial, issued_at=hub.clock(), uuid=uuid4(hub.token_bytes)
    )
    return Issued(document, hashlib.sha256(jcs(content)).hexdigest())


def as_jwk_set(hub: Hub, actor: Actor, slug: str) -> Issued:
    """Return the keys of the directory that stand now as a JWK Set, which cannot say what held at another time."""
    with hub.db.read() as tx:
        _, listed = _listed(tx, actor, slug)
    now = hub.clock()
    keys = jwk_set(item.key for item in listed if KeyRing.standing(item.key, now, now))
    return Issued(keys, hashlib.sha256(jcs(keys)).hexdigest())


def _listed(tx: Connection, actor: Actor, slug: str) -> tuple[TrustGroup, list[ListedKey]]:
    """Return the keys by identity and time: the hub's, those of members the reader may know, those he sees at work.

    A pseudonym's key is there only once something it signed can be seen, and nothing tells whose it is.
    """
    trust_group, _ = visible_group(tx, actor, slug)
    reader = limited(actor)
    known = known_peers(tx, reader, trust_group)
    handles = {peer.id: peer.handle for peer in peer_store.all(tx) if peer.id in known or peer.handle == HUB_HANDLE}
    whose = {peer_id for peer_id, handle in handles.items() if handle == HUB_HANDLE}
    whose |= {peer.id for peer, member in member_store.of_group(tx, trust_group.id) if active(peer, member)} & known
    keys = [key for peer_id in sorted(whose) for key in store.of_peer(tx, peer_id)]
    at_work = shown_store.of_reader(tx, trust_group.id, None if reader is None else reader.peer.id)
    keys += store.of_ids(tx, at_work - {key.id for key in keys})
    listed = [ListedKey("" if key.pseudonym_id else handles.get(key.peer_id, ""), key) for key in keys]
    return trust_group, sorted(listed, key=lambda each: (each.key.identity, each.key.valid_from, each.key.kid))


def _statements(tx: Connection, keys: Sequence[SigningKey]) -> list[dict[str, Any]]:
    """Return what was said of these keys, in the order of the keys; only in the names that they sign in."""
    found = statement_store.of_keys(tx, [key.id for key in keys])
    said = [(key, json.loads(body)) for key in keys for body in found.get(key.id, [])]
    return [statement for key, statement in said if statement.get("peer") == key.identity]
