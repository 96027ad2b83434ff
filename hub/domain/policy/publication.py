"""The question the publishing rules answer, and the answer: plain values, gathered before any rule is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.domain.policy.decision import Decision

if TYPE_CHECKING:  # values only: the rules need no code of the parsers and of the signature checks
    from hub.domain.audience import Audience
    from hub.domain.membership import Collection, CollectionRights, Peer, TrustGroup
    from hub.domain.signature_profile import Attestation
    from hub.domain.stix import Facts


@dataclass(frozen=True, slots=True)
class Publication:
    """One object that a peer wants to publish in a collection, with all that the rules may look at.

    ``author`` is the peer of this hub whose identity is the object's ``created_by_ref``, None when no peer has it.
    ``relay_right`` says that the submitter holds the relay right for this ``created_by_ref`` in this group;
        ``relays_subject`` that a partner hub holds it for the peer that this identity object describes.
    ``attestation`` is the signature that verified; ``signature_refusal`` is why one that is there did not. An object
    without any signature has neither.

    :param markings: the marking-definition objects the submitter may rely on, by id: those of the envelope, and those
        stored and visible to him. A stored one goes before one of the same id in the envelope.
    :param identities: STIX identity id -> peer id, of every peer of the hub and every pseudonym in the group.
    :param pseudonyms: which of these are pseudonyms.
    :param now: microseconds since the epoch.
    """

    facts: Facts
    body: Mapping[str, Any]
    submitter: Peer
    group: TrustGroup
    collection: Collection
    rights: CollectionRights | None
    author: Peer | None
    relay_right: bool
    attestation: Attestation | None
    signature_refusal: Decision | None
    markings: Mapping[str, Mapping[str, Any]]
    identities: Mapping[str, int]
    now: int
    pseudonyms: frozenset[str] = frozenset()
    relays_subject: bool = False

    @property
    def pseudonym(self) -> bool:
        """Say whether the author publishes under a pseudonym."""
        return self.facts.created_by_ref in self.pseudonyms


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it be published, and to whom. All but ``decision`` is None, or False, when it may not.

    ``embargo_until`` is set only while it lies ahead: the object is accepted, but nobody sees it before.
    ``onward_relay`` is the author's leave alone; whether the TLP level allows relay is settled by `policy.onward`.
    """

    decision: Decision
    audience: Audience | None = None
    tlp: str | None = None
    embargo_until: int | None = None
    expires_at: int | None = None
    onward_relay: bool = False
