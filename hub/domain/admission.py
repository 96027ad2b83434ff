"""May this version join what is stored: new, already here, in conflict, or not this peer's to publish (STIX 2.1 §3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.domain.audience import Audience

Outcome = Literal["new", "duplicate", "conflict", "refused"]


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """One stored version, without its bytes. Times are microseconds since the epoch.

    :param introduced: True when its author is no peer and a member introduced it.
    """

    collection_id: int
    group_id: int
    stix_id: str
    version: str
    version_key: str | None
    sha256: bytes
    date_added: int
    author_identity: str | None
    introduced: bool
    submitter_peer_id: int
    audience: Audience
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What a deletion left in a collection; ``version_key`` None means every version of the object."""

    stix_id: str
    version_key: str | None
    deleted_at: int
    owner_peer_id: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that passed the publishing rules and is now compared with what is stored.

    :param author_is_peer: the submitter is the author's peer, or holds the relay right for the author.
    """

    stix_id: str
    version_key: str | None
    sha256: bytes
    created_by_ref: str | None
    author_is_peer: bool
    submitter_peer_id: int
    group_id: int
    collection_id: int
    audience: Audience
    is_sco: bool
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """What to do with a candidate; ``reason`` is empty for ``new`` and goes into the TAXII status otherwise."""

    outcome: Outcome
    rule: str = ""
    reason: str = ""


def admit(candidate: Candidate, known: Sequence[KnownVersion], tombstone: Tombstone | None) -> Admission:
    """Refuse everything: replaced below in the next commit by the decision procedure."""
    return Admission("refused", "ownership", "nothing may be published yet")
