"""Every signature over an object: who made it, in what role, and what it is worth today."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.canonical import parse
from hub.domain.hybrid import signatures_in
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.membership import Caller, Collection, Peer, Right, TrustGroup
from hub.domain.policy.reading import ReadFacts, may_read
from hub.domain.signature_profile import related_version, unwrapped
from hub.domain.signature_standing import Examined, Standing, examine
from hub.errors import NotFound, SignatureError
from hub.services.actor import Actor, is_operator, require_reader, visible_peers
from hub.services.context import Hub
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import keys as key_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import signature_entries
from hub.store.signature_entries import StoredBody

NO_OBJECT = "there is no such object"
Role = Literal["author", "vouched", "moderator", "member", "unknown"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One signature over one stored version.

    :param signature_id: UUID of the signature (X.590 6.3). :param signee: STIX identity of the signer.
    :param handle: of the signer, None when the actor may not know of that peer.
    :param role: ``author`` of the object; ``vouched``: the peer that brought it here and is not its author; a
        ``moderator`` of the group; another ``member``; ``unknown`` when no enrolled key made it.
    :param date_added: when it came, microseconds since the epoch.
    """

    group: TrustGroup
    collection: Collection
    version: str
    signature_id: str | None
    signee: str | None
    handle: str | None
    algorithm: str | None
    carrier: Literal["inline", "detached"]
    role: Role
    date_added: int
    found: Examined


def of_object(hub: Hub, actor: Actor, stix_id: str) -> list[Listed]:
    """Return the signatures over every version of an object that the actor may see, each verified anew.

    At most ``limits.LISTED_SIGNATURES`` versions and as many signatures beside them, the latest ones. Raises NotFound.
    """
    require_reader(actor)
    with hub.db.read() as tx:
        sight = _Sight(tx, actor, hub.clock())
        targets = [one for one in signature_entries.versions(tx, stix_id, limits.LISTED_SIGNATURES) if sight.of(one)]
        if not targets:
            raise NotFound(NO_OBJECT)
        beside = [one for one in signature_entries.over(tx, stix_id, limits.LISTED_SIGNATURES) if sight.of(one)]
        withdrawn = signature_entries.withdrawn(tx, [one.stix_id for one in beside])
        pairs = [*_inline(targets), *_detached(targets, beside)]
        ring = KeyRing(_keys(tx, [signature for _, signature, _ in pairs]), allow_test_key=hub.allow_test_key)
        listed = []
        for target, signature, carrier in pairs:
            found = examine(
                _object(target.body),
                signature,
                ring,
                withdrawn=carrier is not None and carrier.stix_id in withdrawn,
                date_added=(carrier or target).date_added,
                now=sight.now,
            )
            listed.append(_listed(sight, target, signature, carrier, found))
    return listed


class _Sight:
    """What the actor may see and know of, each question asked of the database once."""

    def __init__(self, tx: Connection, actor: Actor, now: int) -> None:
        self._tx, self._actor, self.now = tx, actor, now
        self._handles = {peer.identity: peer.handle for peer in visible_peers(tx, actor)}
        self._facts: dict[int, tuple[TrustGroup, Collection]] = {}
        self._pseudonyms: dict[int, frozenset[str]] = {}

    def of(self, stored: StoredBody) -> bool:
        """Say whether the actor may read a stored version."""
        if not isinstance(self._actor, Caller) or is_operator(self._actor):
            return True
        peer: Peer = self._actor.peer
        return bool(
            may_read(
                ReadFacts(
                    peer_id=peer.id,
                    peer_suspended=peer.suspended_at is not None,
                    group_id=stored.group_id,
                    member=member_store.get(self._tx, stored.group_id, peer.id),
                    override=collection_store.overrides(self._tx, stored.collection_id).get(peer.id),
                    audience=stored.audience,
                    submitter_peer_id=stored.submitter_peer_id,
                    expires_at=stored.expires_at,
                    now=self.now,
                    partner_hub=peer.partner_hub,
                )
            )
        )

    def place(self, stored: StoredBody) -> tuple[TrustGroup, Collection]:
        """Return where a version is stored."""
        if stored.collection_id not in self._facts:
            found = group_store.by_id(self._tx, stored.group_id), collection_store.by_id(self._tx, stored.collection_id)
            self._facts[stored.collection_id] = found
        return self._facts[stored.collection_id]

    def handle(self, signee: object) -> str | None:
        """Return the handle of a signer whom the actor may know of; a pseudonym has none."""
        return self._handles.get(signee) if isinstance(signee, str) else None

    def role(self, target: StoredBody, signature: Mapping[str, Any], key: SigningKey | None) -> Role:
        """Say as what the signer signed; it tells nothing of a peer behind a pseudonym, nor of hidden members.

        1. Whoever the object says it is by is its author.
        2. The peer that brought it, in its own name, vouches for it.
        3. Being a moderator counts as long as it lasts.
        """
        if key is None:
            return "unknown"
        if signature.get("signee") == target.author_identity:  # 1
            return "author"
        if key.pseudonym_id is not None:
            return "member"
        under_pseudonym = target.author_identity in self._pseudonyms_of(target.group_id)
        if key.peer_id == target.submitter_peer_id and not under_pseudonym:  # 2
            return "vouched"
        member = member_store.get(self._tx, target.group_id, key.peer_id)  # 3
        known = self.handle(signature.get("signee")) is not None
        return "moderator" if known and member is not None and Right.MODERATE in member.rights else "member"

    def _pseudonyms_of(self, group_id: int) -> frozenset[str]:
        if group_id not in self._pseudonyms:
            names = pseudonym_store.owners(self._tx, group_id).keys() - peer_store.identities(self._tx).keys()
            self._pseudonyms[group_id] = frozenset(names)
        return self._pseudonyms[group_id]


_Pair = tuple[StoredBody, Mapping[str, Any], StoredBody | None]
"""A stored version, a signature over it, and the detached object that holds it, None for an inline one."""


def _inline(targets: Sequence[StoredBody]) -> Iterator[_Pair]:
    for target in targets:
        for signature in signatures_in(_object(target.body)):
            yield target, signature, None


def _detached(targets: Sequence[StoredBody], beside: Sequence[StoredBody]) -> Iterator[_Pair]:
    """Yield the signatures over these versions in their own collections; of several versions of one the latest."""
    versions = {(one.collection_id, related_version(_object(one.body))): one for one in targets}
    latest = {(one.collection_id, one.stix_id): one for one in beside}
    for one in latest.values():
        wrapper = _object(one.body)
        target = versions.get((one.collection_id, str(wrapper.get("related_version"))))
        try:
            signature = unwrapped(wrapper)
        except SignatureError:
            signature = {}  # it was taken once; what is stored now is no signature
        if target is not None:
            yield target, signature, one


def _listed(
    sight: _Sight, target: StoredBody, signature: Mapping[str, Any], carrier: StoredBody | None, found: Examined
) -> Listed:
    group, collection = sight.place(target)
    key = None if found.standing is Standing.INVALID else found.key
    return Listed(
        group=group,
        collection=collection,
        version=target.version,
        signature_id=_text(signature, "id"),
        signee=_text(signature, "signee"),
        handle=sight.handle(signature.get("signee")),
        algorithm=_text(signature, "algorithm"),
        carrier="inline" if carrier is None else "detached",
        role=sight.role(target, signature, key),
        date_added=(carrier or target).date_added,
        found=found,
    )


def _keys(tx: Connection, signatures: Sequence[Mapping[str, Any]]) -> list[SigningKey]:
    """Return the enrolled keys that these signatures name, found by the hash of their text."""
    kids = set()
    for signature in signatures:
        text = signature.get("public_key")
        if isinstance(text, str) and len(text) <= limits.MAX_PUBLIC_KEY_TEXT:
            bare = text.rstrip("=")
            try:
                der = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
            except (binascii.Error, ValueError):
                continue  # no key can be found by it, and the check that follows says so
            kids.add(hashlib.sha256(der).hexdigest())
    found = [key_store.by_kid(tx, kid) for kid in sorted(kids)]
    return [key for key in found if key is not None]


def _object(body: bytes) -> dict[str, Any]:
    value = parse(body)
    if not isinstance(value, dict):
        raise AssertionError("only objects are stored")
    return value


def _text(signature: Mapping[str, Any], name: str) -> str | None:
    value = signature.get(name)
    return value if isinstance(value, str) else None
