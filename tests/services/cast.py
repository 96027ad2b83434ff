"""Who is who in the tests of membership: two groups, six peers, and one credential for every way to be somebody.

Made with the services themselves, as an operator at the hub's own machine would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.client import keyfile
from hub.domain.credentials import Basic
from hub.domain.key_material import PublicKey
from hub.domain.membership import Caller, CredentialKind, PeerKind, Right, Role
from hub.domain.stix_validation import StixValidator
from hub.domain.taxii_time import parse_timestamp
from hub.services import checkpoints, credentials, groups, keys, members, peers, relay_rights
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.authentication import authenticate
from hub.services.context import Hub
from hub.services.schema_files import read_schemas
from hub.store.database import Database

START = parse_timestamp("2026-11-22T12:00:00Z")
SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
VALIDATOR = StixValidator(read_schemas())
VENDOR = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
HUB_KEY = keyfile.generate()
LOG_KEY = keyfile.generate()
ALL = (Right.READ, Right.WRITE, Right.MODERATE)
BOTH = (Right.READ, Right.WRITE)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


def octets(start: int = 1) -> Callable[[int], bytes]:
    """Return a source of octets that are different each time, and the same in each run."""
    counter = iter(range(start, start + 1_000_000))
    return lambda count: hashlib.sha512(str(next(counter)).encode()).digest()[:count]


def make_hub(database: Database, random: Callable[[int], bytes] | None = None) -> Hub:
    """Return a hub around a database; its clock is a `Clock`."""
    return Hub(
        db=database,
        clock=Clock(),
        token_bytes=random or octets(),
        validator=VALIDATOR,
        cursor_key=b"k" * 32,
        signing_key=HUB_KEY,
        log_key=LOG_KEY,
    )


@dataclass
class Cast:
    """A hub and the logins of everybody in it: (user name, password) by the name of the part."""

    hub: Hub
    logins: dict[str, tuple[str, str]] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    kids: dict[str, str] = field(default_factory=dict)

    def caller(self, part: str) -> Caller:
        """Return who authenticates with this login."""
        username, password = self.logins[part]
        return authenticate(self.hub, Basic(username, password))

    def issue(self, part: str, handle: str, role: Role, *, expires_at: int | None = None) -> None:
        """Give a peer one more login."""
        issued = credentials.add(
            self.hub,
            OPERATOR,
            handle,
            kind=CredentialKind.BASIC,
            role=role,
            label=part,
            username=f"{handle}.{part}",
            expires_at=expires_at,
        )
        assert issued.secret is not None
        self.logins[part] = (f"{handle}.{part}", issued.secret)
        self.ids[part] = issued.credential.id


def new_key() -> PublicKey:
    """Return the public half of a new key."""
    return keyfile.generate("Ed25519").public


def make_cast(database: Database) -> Cast:
    """Make the cast in an empty, migrated database.

    alpha: aa moderates, bb is a member, dd is a suspended peer, ee a suspended member. bravo: cc. Nowhere: ff.
    """
    hub = make_hub(database)
    cast = Cast(hub)
    peers.add(hub, OPERATOR, handle="hub", name="The hub", kind=PeerKind.HUB)
    keys.enrol(hub, OPERATOR, "hub", public_key=HUB_KEY.public.text)
    for handle in ("aa", "bb", "cc", "dd", "ee", "ff"):
        peers.add(hub, OPERATOR, handle=handle, name=f"CIRT {handle.upper()}", kind=PeerKind.NATIONAL, country="FI")
        cast.kids[handle] = keys.enrol(hub, OPERATOR, handle, public_key=new_key().text).kid
    for slug in ("alpha", "bravo"):
        groups.add(hub, OPERATOR, slug=slug, title=slug.title())
    for slug, handle, rights in (
        ("alpha", "aa", ALL),
        ("alpha", "bb", BOTH),
        ("alpha", "dd", BOTH),
        ("alpha", "ee", BOTH),
        ("bravo", "cc", ALL),
    ):
        members.put(hub, OPERATOR, slug, handle, set(rights))
    relay_rights.grant(hub, OPERATOR, "alpha", "bb", VENDOR)
    for part, handle, role in (
        ("operator", "hub", Role.OPERATOR),
        ("hub-admin", "hub", Role.ADMIN),
        ("moderator", "aa", Role.ADMIN),
        ("moderating-analyst", "aa", Role.ANALYST),
        ("admin", "bb", Role.ADMIN),
        ("analyst", "bb", Role.ANALYST),
        ("feed", "bb", Role.FEED),
        ("foreign", "cc", Role.ADMIN),
        ("suspended-peer", "dd", Role.ADMIN),
        ("suspended-member", "ee", Role.ADMIN),
        ("lonely", "ff", Role.ADMIN),
    ):
        cast.issue(part, handle, role)
    cast.issue("expired", "bb", Role.ADMIN, expires_at=START + SECOND)
    cast.issue("revoked", "bb", Role.ADMIN)
    credentials.revoke(hub, OPERATOR, "bb", cast.ids["revoked"])
    peers.update(hub, OPERATOR, "dd", suspended=True)
    members.suspend(hub, OPERATOR, "alpha", "ee")
    clock_of(hub).now += 2 * SECOND
    checkpoints.make(hub)
    return cast


def rejoined(cast: Cast, database: Database) -> Cast:
    """Return the same cast in a copy of its database, with the clock where it was left."""
    hub = make_hub(database, octets(10_000_000))
    clock_of(hub).now = clock_of(cast.hub).now
    return Cast(hub, dict(cast.logins), dict(cast.ids), dict(cast.kids))


def clock_of(hub: Hub) -> Clock:
    """Return the clock of a hub made here."""
    assert isinstance(hub.clock, Clock)
    return hub.clock
