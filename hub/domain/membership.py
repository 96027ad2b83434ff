"""Who is who: peers, trust groups, members, collections, credentials, and the rights that follow from them.

Identifiers are the database's integers inside the process and never leave it; outside, a peer is its ``handle`` or STIX
identity, a group its ``slug``, a collection its UUIDv4. All times are integer microseconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HUB_HANDLE: Final = "hub"
"""Handle of the hub's own peer, the only one whose credentials may have Role.OPERATOR."""


class PeerKind(StrEnum):
    """What kind of organisation a peer is (WTDC Resolution 69, resolves 2 iv, names most of them)."""

    NATIONAL = "national"
    GOVERNMENT = "government"
    SECTOR = "sector"
    INDUSTRY = "industry"
    ACADEMIC = "academic"
    REGIONAL_BODY = "regional-body"
    HUB = "hub"


class Role(StrEnum):
    """What a credential may be used for inside its peer; TAXII rights come from membership, not from the role."""

    ANALYST = "analyst"  # TAXII, and the API's reading side
    FEED = "feed"  # TAXII and the key directory only
    ADMIN = "admin"  # analyst, and manages the peer's own credentials and keys
    OPERATOR = "operator"  # manages the hub; only credentials of the hub's own peer may have it


class CredentialKind(StrEnum):
    """How a credential is presented."""

    BASIC = "basic"
    BEARER = "bearer"
    CERTIFICATE = "certificate"


class Right(StrEnum):
    """What a member may do in a trust group."""

    READ = "read"
    WRITE = "write"
    MODERATE = "moderate"


class QuantumSafe(StrEnum):
    """Whether a second signature with ML-DSA stands beside each Ed25519 signature (X.590 6.2.2)."""

    REQUIRED = "required"
    OPTIONAL = "optional"  # verified when it is there
    OFF = "off"  # refused


class MemberVisibility(StrEnum):
    """Who may know of the members of a group, beside each member of himself."""

    OPEN = "open"  # every member
    MODERATORS = "moderators"
    HIDDEN = "hidden"  # the operator only


@dataclass(frozen=True, slots=True)
class Retention:
    """When versions leave a collection by themselves; microseconds, None keeps them for ever.

    :param added: after their date_added. :param expired: after the ``valid_until`` they carry.
    :param revoked: after the date_added of the version that says ``revoked``.
    """

    added: int | None = None
    expired: int | None = None
    revoked: int | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """An organisation the hub knows."""

    id: int
    handle: str  # lower case, [a-z0-9-]{1,63}
    name: str
    kind: PeerKind
    identity: str  # its STIX identity id, "identity--<uuid>"
    country: str | None = None  # ISO 3166-1 alpha-2
    itu_region: str | None = None  # africa americas arab-states asia-pacific cis europe
    suspended_at: int | None = None
    created_at: int = 0
    quantum_safe: QuantumSafe = QuantumSafe.OPTIONAL
    home_peer_id: int | None = None  # the hub that introduced this author, who is a peer there and not here
    quota_objects: int | None = None  # in an hour; None is the hub's own bound (`hub.domain.limits`)
    quota_octets: int | None = None

    @property
    def abroad(self) -> bool:
        """Say whether it is known only as an author whom another hub introduced: no member, no credentials."""
        return self.home_peer_id is not None

    @property
    def partner_hub(self) -> bool:
        """Say whether it is another hub: it is handed what an agreement lets cross, and reads and posts nowhere."""
        return self.kind is PeerKind.HUB and self.handle != HUB_HANDLE


@dataclass(frozen=True, slots=True)
class Credential:
    """One way for a peer to prove who it is. The secret itself is never stored."""

    id: int
    peer_id: int
    kind: CredentialKind
    role: Role
    label: str
    username: str | None  # of basic; unique on the hub
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, taken from the credential and from nothing else."""

    peer: Peer
    credential_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class TrustGroup:
    """Peers plus a sharing policy; one TAXII API root, ``/{slug}/``."""

    id: int
    slug: str
    title: str
    description: str | None
    default_tlp: str  # level of objects that carry no TLP marking: clear green amber amber+strict
    tlp_ceiling: str  # the strictest level this group takes: clear green amber amber+strict red
    signature_required: bool
    created_at: int = 0
    quantum_safe: QuantumSafe = QuantumSafe.OPTIONAL
    member_visibility: MemberVisibility = MemberVisibility.OPEN
    two_person: bool = False  # what a moderator changes waits for a second one
    pseudonyms: bool = False  # members may publish under a name that only the hub can resolve


@dataclass(frozen=True, slots=True)
class Member:
    """A peer inside a trust group."""

    group_id: int
    peer_id: int
    rights: frozenset[Right]
    suspended_at: int | None = None
    joined_at: int = 0


@dataclass(frozen=True, slots=True)
class Collection:
    """A TAXII collection of a group. ``allowed_types`` None means every STIX type."""

    id: int
    uuid: str
    group_id: int
    title: str
    description: str | None
    alias: str | None
    allowed_types: frozenset[str] | None = None
    created_at: int = 0
    retention: Retention = Retention()


@dataclass(frozen=True, slots=True)
class CollectionRights:
    """What one caller may do in one collection (TAXII 2.1 §5.2.1 ``can_read``, ``can_write``)."""

    can_read: bool
    can_write: bool
    can_moderate: bool


def effective_rights(
    member: Member | None, override: tuple[bool | None, bool | None] | None
) -> CollectionRights | None:
    """Say what a member may do in a collection; None when the collection does not exist for him.

    :param member: the caller's membership in the collection's group, None when there is none.
    :param override: (can_read, can_write) set for this member on this collection; None inherits the group's right.
    """
    if member is None or member.suspended_at is not None:
        return None
    read, write = Right.READ in member.rights, Right.WRITE in member.rights
    if override is not None:
        read = read if override[0] is None else override[0]
        write = write if override[1] is None else override[1]
    return CollectionRights(can_read=read, can_write=write, can_moderate=Right.MODERATE in member.rights)
