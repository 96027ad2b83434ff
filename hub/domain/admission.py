"""May this version join what is stored: new, here already, in conflict, or not this peer's to publish.

The hub keeps one content per version (STIX 2.1 §3.6) and one owner per object. A refusal never tells that something
the submitter may not see is in the way: it is then worded as any refusal of what belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from hub.domain.audience import Audience
from hub.domain.policy.ownership import NAME as OWNERSHIP
from hub.domain.policy.ownership import NOT_YOURS

Outcome = Literal["new", "duplicate", "conflict", "refused"]

VERSION: Final = "version"
"""Name of the rule that one version has one content."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """One stored version, without its bytes. Times are microseconds since the epoch.

    :param introduced: True when its author is no peer and a member introduced it.
    :param log_index: the place of its acceptance in the transparency log; None for what is older than the log.
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
    log_index: int | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What a deletion left in a collection; ``version_key`` None means every version of the object.

    :param moderated: a moderator or the operator withdrew it, so that its owner may not bring it back either.
    """

    stix_id: str
    version_key: str | None
    deleted_at: int
    owner_peer_id: int
    moderated: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that passed the publishing rules and is now compared with what is stored.

    :param version_key: None for what has no version of its own; each content of it is a version.
    :param author_is_peer: the submitter is the author's peer, or holds the relay right for the author.
    :param may_read: the submitter has the right to read in the collection; without it everything there is hidden.
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
    may_read: bool = True


@dataclass(frozen=True, slots=True)
class Admission:
    """What to do with a candidate. ``rule`` and ``reason`` go into the TAXII status; both are empty for ``new``."""

    outcome: Outcome
    rule: str = ""
    reason: str = ""


_NEW: Final = Admission("new")
_NOT_YOURS: Final = Admission("refused", OWNERSHIP, NOT_YOURS)
_DUPLICATE: Final = Admission("duplicate", VERSION, "already stored")


def admit(
    candidate: Candidate,
    known: Sequence[KnownVersion],
    tombstone: Tombstone | None,
    revocation: KnownVersion | None = None,
) -> Admission:
    """Decide what becomes of a version; ``known`` is every stored version of its id, on the whole hub.

    1. What its owner deleted, only its owner brings back; what a moderator withdrew, nobody until that is lifted.
    2. The same content again in the same collection changes nothing, whatever its audience would be now.
    3. One version has one content: hub-wide in the author's own hands, inside the group in anybody else's.
    4. One object has one author, and one without an author has the peer that brought it first.
    5. A member that introduces a version for somebody who is no peer may not take it from readers it has.
    6. A revocation is final: no version is added to a revoked object (STIX 2.1 §3.6), be it an older one.

    :param revocation: the version, stored in the collection or about to be, that says ``revoked``.
    """
    if tombstone is not None and _bars(tombstone, candidate):  # 1
        return _MODERATED if tombstone.owner_peer_id == candidate.submitter_peer_id else _NOT_YOURS
    versions = [one for one in known if one.stix_id == candidate.stix_id]
    if any(_is_stored_already(candidate, one) for one in versions):  # 2
        return _DUPLICATE
    if candidate.is_sco:
        return _NEW  # a fact about the network belongs to nobody: any member states it, each content is a version
    for one in versions:  # 3
        if _conflicts(candidate, one):
            return _hiding(candidate, one, _CONFLICT, Admission("conflict", OWNERSHIP, NOT_YOURS))
    for one in _binding(candidate, versions):  # 4
        if one.author_identity != candidate.created_by_ref:
            return _hiding(candidate, one, _OTHER_AUTHOR, _NOT_YOURS)
    if not _owns(candidate, versions):
        return _NOT_YOURS
    for one in versions:  # 5
        if _narrows(candidate, one):
            return _hiding(candidate, one, _NARROWER, _NOT_YOURS)
    if revocation is not None and _ends(revocation, candidate):  # 6
        return _hiding(candidate, revocation, _REVOKED, _NOT_YOURS)
    return _NEW


_CONFLICT: Final = Admission(
    "conflict",
    VERSION,
    "this version is stored already with other content: send changed content with a later modified time",
)
_OTHER_AUTHOR: Final = Admission(
    "refused", OWNERSHIP, "created_by_ref of a version differs from that of the versions before it: it never changes"
)
_NARROWER: Final = Admission(
    "refused",
    OWNERSHIP,
    "another member introduced this object for more readers, or for longer: publish it for at least those",
)
_REVOKED: Final = Admission(
    "refused", VERSION, "this object is revoked, and a revocation is final: share what is true now as a new object"
)
_MODERATED: Final = Admission(
    "refused",
    OWNERSHIP,
    "a moderator of the group, or the operator, has withdrawn this: ask them to lift it before you post it again",
)


def _bars(tombstone: Tombstone, candidate: Candidate) -> bool:
    covered = tombstone.version_key is None or tombstone.version_key == candidate.version_key
    return covered and (tombstone.moderated or tombstone.owner_peer_id != candidate.submitter_peer_id)


def _ends(revocation: KnownVersion, candidate: Candidate) -> bool:
    """Say whether a revocation binds: one that a member introduced for somebody who is no peer binds only himself."""
    return not revocation.introduced or revocation.submitter_peer_id == candidate.submitter_peer_id


def _is_stored_already(candidate: Candidate, one: KnownVersion) -> bool:
    if one.collection_id != candidate.collection_id or one.sha256 != candidate.sha256:
        return False
    if candidate.version_key is not None and one.version_key != candidate.version_key:
        return False
    if candidate.is_sco and one.submitter_peer_id != candidate.submitter_peer_id:
        # Else a member could keep an address from everybody by stating it first, for himself alone.
        return one.audience.covers(candidate.audience) and _lasts(one.expires_at, candidate.expires_at)
    return True


def _conflicts(candidate: Candidate, one: KnownVersion) -> bool:
    if candidate.version_key is None or one.version_key != candidate.version_key or one.sha256 == candidate.sha256:
        return False
    return candidate.author_is_peer or one.group_id == candidate.group_id


def _is_by_its_author(one: KnownVersion) -> bool:
    return one.author_identity is not None and not one.introduced


def _binding(candidate: Candidate, versions: Sequence[KnownVersion]) -> list[KnownVersion]:
    """Return the versions whose author a further one must share; what another group introduced binds nobody here."""
    everywhere = candidate.author_is_peer
    return [one for one in versions if everywhere or one.group_id == candidate.group_id or _is_by_its_author(one)]


def _owns(candidate: Candidate, versions: Sequence[KnownVersion]) -> bool:
    """Say whether the submitter may add a version to an object of this author, going by the versions there are."""
    if candidate.author_is_peer:
        return True
    if any(_is_by_its_author(one) for one in versions):
        return False
    here = [one for one in versions if one.group_id == candidate.group_id]
    if candidate.created_by_ref is not None or not here:
        return True
    first = min(here, key=lambda one: one.date_added)
    return candidate.submitter_peer_id == first.submitter_peer_id or any(
        (one.version_key, one.sha256) == (candidate.version_key, candidate.sha256) for one in here
    )


def _narrows(candidate: Candidate, one: KnownVersion) -> bool:
    if candidate.author_is_peer or candidate.created_by_ref is None:
        return False
    if one.collection_id != candidate.collection_id or one.submitter_peer_id == candidate.submitter_peer_id:
        return False
    return not (candidate.audience.covers(one.audience) and _lasts(candidate.expires_at, one.expires_at))


def _lasts(expires_at: int | None, other: int | None) -> bool:
    """Say whether the first permission stands at least as long as the other."""
    return expires_at is None or (other is not None and expires_at >= other)


def _hiding(candidate: Candidate, one: KnownVersion, told: Admission, hidden: Admission) -> Admission:
    """Return the plain answer if the submitter may know of a stored version, else the one that tells nothing."""
    own = one.submitter_peer_id == candidate.submitter_peer_id
    # Without the clock an entry that expires at all counts as expired: the hidden answer is never wrong.
    readable = candidate.may_read and one.collection_id == candidate.collection_id and one.expires_at is None
    return told if own or (readable and one.audience.admits(candidate.submitter_peer_id)) else hidden
