"""The hub as it stood at an earlier place of its log: members, rights, settings, keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from hub.domain.keys import KeyRing, SigningKey
from hub.domain.membership import (
    Collection,
    CollectionRights,
    Member,
    MemberVisibility,
    Peer,
    PeerKind,
    QuantumSafe,
    Right,
    TrustGroup,
    effective_rights,
)
from hub.services.auditing.ground import Ground
from hub.services.decision import NOBODY, Place
from hub.services.verification import Signers

_KEPT: Final = 2_000
"""Answers remembered: a group of 100 members asks about as many in turn."""

_KINDS: Final = ("pseudonym", "peer", "group", "collection", "member", "override", "relay")


@dataclass(slots=True)
class Then:
    """Answers questions about earlier places of the log; remembers what it was asked last."""

    ground: Ground
    _places: dict[tuple[Any, ...], Place | None] = field(default_factory=dict)
    _rings: dict[tuple[Any, ...], KeyRing] = field(default_factory=dict)
    _peers: dict[tuple[int, ...], dict[str, Peer]] = field(default_factory=dict)

    def place(self, collection_id: int, submitter_id: int, index: int) -> Place | None:
        """Return where a submission went and who sent it, as of a place of the log; None when there was no such thing.

        :param index: of the log.
        """
        key = (collection_id, submitter_id, *self.ground.replay.revision(index, *_KINDS))
        if key not in self._places:
            if len(self._places) > _KEPT:
                self._places.clear()
            self._places[key] = self._place(collection_id, submitter_id, index)
        return self._places[key]

    def ring(self, peers: frozenset[int], index: int) -> KeyRing:
        """Return the keys of some peers as they stood at a place of the log."""
        key = (peers, *self.ground.replay.revision(index, "key"))
        if key not in self._rings:
            if len(self._rings) > _KEPT:
                self._rings.clear()
            rows = (row for row in self.ground.keys.values() if row["peer_id"] in peers)
            found = (self._key(row, index) for row in rows)
            self._rings[key] = KeyRing([one for one in found if one is not None], allow_test_key=True)
        return self._rings[key]

    def _key(self, row: Any, index: int) -> SigningKey | None:
        told = self.ground.replay.as_of(index, "key", row["kid"])
        pseudonym = self.ground.pseudonyms.get(row["pseudonym_id"] or 0)
        identity = self.ground.identity(row["peer_id"]) if pseudonym is None else pseudonym["identity"]
        if told is None or identity is None:
            return None
        return SigningKey(
            id=row["id"],
            peer_id=row["peer_id"],
            identity=identity,
            kid=row["kid"],
            algorithm=row["algorithm"],
            public_key=row["public_key"],
            valid_from=told.get("valid_from") or 0,
            valid_until=told.get("valid_until"),
            revoked_at=told.get("revoked_at"),
            revocation_reason=told.get("reason"),
            created_at=row["created_at"],
            pseudonym_id=row["pseudonym_id"],
        )

    def signers(self, place: Place) -> Signers:
        """Return whose keys counted for a submission."""
        authors = {author: place.identities[author] for author in place.relay_rights}
        return Signers(place.submitter, authors, for_others=place.relayed)

    def _place(self, collection_id: int, submitter_id: int, index: int) -> Place | None:
        ground, replay = self.ground, self.ground.replay
        slug, uuid = ground.collection_names(collection_id)
        row, own = ground.collections.get(collection_id), ground.hub_peer()
        group, told = replay.as_of(index, "group", slug), replay.as_of(index, "collection", slug, uuid)
        peers = self._known_peers(index)
        by_id = {peer.id: peer for peer in peers.values()}
        known = [one for one in ground.pseudonyms.values() if replay.as_of(index, "pseudonym", one["identity"])]
        group_id = None if row is None else row["group_id"]
        here = {one["identity"]: by_id[one["peer_id"]] for one in known if one["group_id"] == group_id}
        elsewhere = {one["identity"]: NOBODY for one in known if one["group_id"] != group_id}
        handle = ground.handle(submitter_id)
        submitter = next((peer for peer in peers.values() if peer.id == submitter_id), None)
        if row is None or group is None or told is None or submitter is None or own is None:
            return None
        types = told["allowed_types"]
        identities = {identity: peer.id for identity, peer in (peers | here).items()}
        relayed = submitter is not None and submitter.partner_hub
        authors = (replay.as_of(index, "relay", slug, handle) or {}).get("authors", frozenset())
        if relayed:  # for whom a hub speaks, the paths of what it brings tell: check `relays`
            authors = frozenset(identities)
        return Place(
            group=TrustGroup(
                row["group_id"],
                slug,
                str(group.get("title")),
                None,
                str(group["default_tlp"]),
                str(group["tlp_ceiling"]),
                bool(group["signature_required"]),
                0,
                QuantumSafe(group["quantum_safe"]),
                MemberVisibility(group["member_visibility"]),
                bool(group["two_person"]),
                bool(group["pseudonyms"]),
            ),
            collection=Collection(
                collection_id,
                uuid,
                row["group_id"],
                row["title"],
                None,
                row["alias"],
                None if types is None else frozenset(types),
            ),
            rights=self._rights(slug, uuid, handle, index, row["group_id"], submitter_id),
            submitter=submitter,
            peers=peers | here | elsewhere,
            identities=identities,
            relay_rights=frozenset(author for author in authors if author in identities),
            hub_identity=own["identity"],
            pseudonyms=frozenset(here),
            relayed=relayed,
        )

    def _rights(
        self, slug: str, uuid: str, handle: str, index: int, group_id: int, peer_id: int
    ) -> CollectionRights | None:
        told = self.ground.replay.as_of(index, "member", slug, handle)
        if told is None:
            return None
        rights = frozenset(Right(right) for right in told["rights"])
        override = self.ground.replay.as_of(index, "override", slug, uuid, handle)
        member = Member(group_id, peer_id, rights, told["suspended_at"])
        return effective_rights(member, None if override is None else (override["can_read"], override["can_write"]))

    def _known_peers(self, index: int) -> dict[str, Peer]:
        revision = self.ground.replay.revision(index, "peer")
        if revision not in self._peers:
            if len(self._peers) > _KEPT // 100:
                self._peers.clear()
            found: dict[str, Peer] = {}
            for row in self.ground.peers.values():
                told = self.ground.replay.as_of(index, "peer", row["handle"])
                if told is not None:
                    kind, quantum = PeerKind(told["kind"]), QuantumSafe(told["quantum_safe"])
                    found[row["identity"]] = Peer(
                        row["id"], row["handle"], row["name"], kind, row["identity"], None, None, told["suspended_at"],
                        row["created_at"], quantum,
                    )  # fmt: skip
            self._peers[revision] = found
        return self._peers[revision]
