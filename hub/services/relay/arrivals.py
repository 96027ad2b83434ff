"""The paths of objects that another hub hands over: checked hop by hop, before anything else is believed of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from hub.domain.agreement import Terms
from hub.domain.canonical import Json
from hub.domain.hop import Hop, check_signed, is_loop, read_path
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer, PeerKind
from hub.domain.policy.relay import NAME, may_cross
from hub.domain.relay_batch import Header
from hub.domain.signature_extensions import SIGNATURE_TYPE
from hub.domain.submission import Decided, Failed, label
from hub.errors import CybexError
from hub.services.context import Hub
from hub.services.decision import Place
from hub.store import keys as key_store
from hub.store import peers as peer_store

LOOP: Final = "loop"
"""Rule of what has been at this hub before: nothing is wrong with it, it ends here."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The path of one object of a batch, as it was proved."""

    hops: tuple[Hop, ...]
    documents: tuple[dict[str, Any], ...]

    @property
    def origin(self) -> str:
        """STIX identity of the hub where it was posted."""
        return self.hops[0].hub

    @property
    def hubs(self) -> tuple[str, ...]:
        """The hubs it has passed, the first one first."""
        return tuple(hop.hub for hop in self.hops)


def check(
    tx: Connection, hub: Hub, header: Header, objects: Sequence[Json]
) -> tuple[dict[int, Arrival], dict[int, Failed]]:
    """Return the proved path of each object, by its place in the batch, or why it has none.

    1. Its hops belong together, are about these bytes, and end with the hub that sends.
    2. Each is signed by a key of its hub, which is known here.
    3. It has not been at this hub before.
    """
    arrivals: dict[int, Arrival] = {}
    failed: dict[int, Failed] = {}
    rings: dict[str, KeyRing] = {}
    for index, item in enumerate(header.items):
        try:
            hops = read_path(item.hops, sha256=item.sha256, giver=header.sender, here=header.to)  # 1
            documents = tuple(one for one in item.hops if isinstance(one, dict))
            for document in documents:  # 2
                check_signed(document, _ring(tx, hub, rings, str(document.get("hub"))))
        except CybexError as error:
            failed[index] = _failed(index, objects[index], NAME, error.detail or error.title, item.sha256)
            continue
        if is_loop(hops, header.to):  # 3
            failed[index] = _failed(index, objects[index], LOOP, "it has been at this hub before", item.sha256)
            continue
        arrivals[index] = Arrival(hops, documents)
    return arrivals, failed


def settle(
    place: Place, terms: Terms, header: Header, decided: Sequence[Decided], arrivals: Mapping[int, Arrival]
) -> tuple[list[Decided], list[Failed]]:
    """Split what the rules of the group admit into what may also have come this way, and what may not.

    1. The bytes are those that the header and the path are about.
    2. What a peer of any hub has authored is signed by him, or came from him at the hub he is at home at.
    3. The agreement lets it cross, as the giving hub should have seen as well. A notice of the giving hub about what it
       has withdrawn always does.
    """
    taken, failed = [], []
    homes = _homes(place)
    for item in decided:
        arrival = arrivals[item.parsed.index]
        if item.parsed.sha256 != header.items[item.parsed.index].sha256:  # 1
            failed.append(item.parsed.failed(NAME, "it is not the object that the batch names"))
        elif not _is_by_its_author(place, item, arrival, homes):  # 2
            failed.append(
                item.parsed.failed(NAME, "neither is it signed by its author, nor did he give it to his own hub")
            )
        elif reason := _stopped(place, terms, header, item, arrival):  # 3
            failed.append(item.parsed.failed(NAME, reason))
        else:
            taken.append(item)
    return taken, failed


def _is_by_its_author(place: Place, item: Decided, arrival: Arrival, homes: Mapping[str, str]) -> bool:
    author = item.parsed.facts.created_by_ref
    described = item.parsed.facts.id if item.parsed.facts.type == "identity" else None
    about = author if author in place.peers else described if described in place.peers else None
    if about is None:
        return True  # nobody whom any hub knows: whoever gave it introduces it
    attestation = item.verified.attestation
    if attestation is not None and attestation.key.identity == about:
        return True
    return homes.get(about) == arrival.origin and arrival.hops[0].giver == about


def _homes(place: Place) -> dict[str, str]:
    """Return the STIX identity of the hub at which each author is at home; of a hub, itself."""
    by_id = {peer.id: peer for peer in place.peers.values()}
    homes = {}
    for identity, peer in place.peers.items():
        home = peer if peer.kind is PeerKind.HUB else by_id.get(peer.home_peer_id or 0)
        homes[identity] = place.hub_identity if home is None else home.identity
    return homes


def _stopped(place: Place, terms: Terms, header: Header, item: Decided, arrival: Arrival) -> str | None:
    facts = item.parsed.facts
    if facts.created_by_ref == header.sender and item.parsed.obj.get("extensions") and facts.type == "note":
        return None  # what the giving hub withdraws; whether it may, the retraction itself is asked
    stix_type = facts.type
    if stix_type == SIGNATURE_TYPE:
        stix_type = str(item.parsed.obj.get("related_to")).partition("--")[0]
    decision = may_cross(
        terms,
        stix_type=stix_type,
        level=item.verdict.tlp or place.group.default_tlp,
        onward_relay=item.verdict.onward_relay,
        path=arrival.hubs[:-1],
        to=header.to,
    )
    return None if decision else decision.reason


def _ring(tx: Connection, hub: Hub, rings: dict[str, KeyRing], identity: str) -> KeyRing:
    known = rings.get(identity)
    if known is None:
        peer: Peer | None = peer_store.by_identity(tx, identity)
        keys = key_store.of_peer(tx, peer.id) if peer is not None and peer.kind is PeerKind.HUB else []
        known = rings[identity] = KeyRing(keys, allow_test_key=hub.allow_test_key)
    return known


def _failed(index: int, obj: Json, rule: str, message: str, sha256: bytes) -> Failed:
    return Failed(index, *label(index, obj), rule, message, sha256)
