"""Introductions: what a hub says, signed, of an author who is at home there, so that any other hub can verify him.

An introduction is the extract of the home hub's key directory for one name: a peer, a pseudonym, or the hub itself. It
is handed on unchanged, however many hubs an object passes; a later one of the same name replaces an earlier one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import jss, limits
from hub.domain.canonical import Json, jcs
from hub.domain.fields import IDENTITY, SHA256, SLUG, Fields
from hub.domain.key_material import ALGORITHMS, PrivateKey, public_key
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.membership import PeerKind
from hub.domain.statement import sign_statement
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest, SignatureError

INTRODUCTION_TYPE: Final = "x-cybex-introduction"
FORMAT: Final = "1"
"""Of the introduction's form; ``schemas/hub/introduction.schema.json`` describes it."""

PSEUDONYM: Final = "pseudonym"
"""In place of a peer's kind: a name that only its home hub can resolve."""

KINDS: Final = (*(kind.value for kind in PeerKind), PSEUDONYM)
REASONS: Final = ("compromised", "superseded", "retired")


@dataclass(frozen=True, slots=True)
class IntroducedKey:
    """A key as its home hub knows it. Times are microseconds since the epoch."""

    kid: str
    algorithm: str
    public_key: str
    valid_from: int
    valid_until: int | None = None
    revoked_at: int | None = None
    revocation_reason: str | None = None
    reported_at: int | None = None


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who an author is, by which keys to know him, and which hub says so."""

    hub: str  # STIX identity
    identity: str
    handle: str
    name: str
    kind: str
    country: str | None
    itu_region: str | None
    keys: tuple[IntroducedKey, ...]
    issued_at: int

    @property
    def of_the_hub(self) -> bool:
        """Say whether the hub introduces itself."""
        return self.hub == self.identity

    def ring(self) -> KeyRing:
        """Return its keys for checking what it signed; of a hub that introduces itself, its introduction too."""
        return KeyRing(
            SigningKey(
                number,
                1,
                self.identity,
                one.kid,
                one.algorithm,
                one.public_key,
                one.valid_from,
                one.valid_until,
                one.revoked_at,
                one.revocation_reason,
                reported_at=one.reported_at,
            )
            for number, one in enumerate(self.keys, 1)
        )


def introduced_keys(keys: Iterable[SigningKey]) -> tuple[IntroducedKey, ...]:
    """Return keys of the ring as they are introduced, by time of validity."""
    return tuple(
        IntroducedKey(
            key.kid,
            key.algorithm,
            key.public_key,
            key.valid_from,
            key.valid_until,
            key.revoked_at,
            key.revocation_reason,
            key.reported_at,
        )
        for key in sorted(keys, key=lambda one: (one.valid_from, one.kid))
    )


def written(introduction: Introduction) -> dict[str, Any]:
    """Return the introduction as JSON, not signed yet; what is absent is left out."""
    return {
        "type": INTRODUCTION_TYPE,
        "format": FORMAT,
        "hub": introduction.hub,
        "peer": _present(
            identity=introduction.identity,
            handle=introduction.handle,
            name=introduction.name,
            kind=introduction.kind,
            country=introduction.country,
            itu_region=introduction.itu_region,
        ),
        "keys": [
            _present(
                kid=one.kid,
                algorithm=one.algorithm,
                public_key=one.public_key,
                valid_from=format_timestamp(one.valid_from),
                valid_until=_stamp(one.valid_until),
                revoked_at=_stamp(one.revoked_at),
                revocation_reason=one.revocation_reason,
                reported_at=_stamp(one.reported_at),
            )
            for one in introduction.keys
        ],
        "issued_at": format_timestamp(introduction.issued_at),
    }


def content_digest(document: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of what an introduction says, whenever it was issued and signed."""
    said = {name: value for name, value in document.items() if name not in ("issued_at", "signatures")}
    return hashlib.sha256(jcs(said)).digest()


def signed(introduction: Introduction, key: PrivateKey, *, uuid: str) -> bytes:
    """Return the JCS bytes of an introduction signed by its hub. :param uuid: of the signature."""
    document = sign_statement(
        written(introduction), key, signee=introduction.hub, created=introduction.issued_at, uuid=uuid
    )
    return jcs(document)


def read_introduction(document: Json) -> Introduction:
    """Return what an introduction says; its signature is not checked here. Raises InvalidRequest, naming the member."""
    fields = Fields.of(document, "introduction")
    fields.constant("type", INTRODUCTION_TYPE)
    fields.constant("format", FORMAT)
    peer = fields.inner("peer")
    keys = tuple(_key(one) for one in fields.objects("keys", most=limits.KEYS_PER_PEER))
    return Introduction(
        hub=fields.matching("hub", IDENTITY),
        identity=peer.matching("identity", IDENTITY),
        handle=peer.matching("handle", SLUG),
        name=peer.text("name", longest=255),
        kind=peer.one_of("kind", KINDS),
        country=peer.optional_text("country", longest=2),
        itu_region=peer.optional_text("itu_region", longest=40),
        keys=keys,
        issued_at=fields.time("issued_at"),
    )


def check_signed_by(document: Mapping[str, Json], ring: KeyRing) -> None:
    """Check that one of a hub's keys signed an introduction, whatever the time: it says itself what holds when.

    Raises:
        SignatureError: none did, or the signature does not match.
    """
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= limits.MAX_SIGNATURES:
        raise SignatureError("an introduction carries the signature of its hub", field="introduction.signatures")
    held = False
    for signature in signatures:
        if not isinstance(signature, dict) or signature.get("signee") != document.get("hub"):
            raise SignatureError("only the hub itself signs its introductions", field="introduction.signatures")
        for key in ring.matching(signature)[:1]:
            if key.revoked_at is not None:
                continue
            if jss.verify(document, signature, ring.loaded(key)) != "hex":
                raise SignatureError("it does not match: something was changed", field="introduction.signatures")
            held = True
    if not held:
        raise SignatureError("it is signed by no key of that hub known here", field="introduction.signatures")


def _key(fields: Fields) -> IntroducedKey:
    key = IntroducedKey(
        kid=fields.matching("kid", SHA256),
        algorithm=fields.one_of("algorithm", tuple(ALGORITHMS)),
        public_key=fields.text("public_key", longest=limits.MAX_PUBLIC_KEY_TEXT),
        valid_from=fields.time("valid_from"),
        valid_until=fields.optional_time("valid_until"),
        revoked_at=fields.optional_time("revoked_at"),
        revocation_reason=None if fields.document.get("revocation_reason") is None
        else fields.one_of("revocation_reason", REASONS),
        reported_at=fields.optional_time("reported_at"),
    )  # fmt: skip
    try:
        made = public_key(key.public_key)
    except SignatureError:
        raise InvalidRequest("it is no public key of that algorithm", field=f"{fields.place}.public_key") from None
    if (made.kid, made.algorithm) != (key.kid, key.algorithm):
        raise InvalidRequest("the key contradicts its own id or algorithm", field=f"{fields.place}.kid")
    return key


def _present(**members: object) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _stamp(value: int | None) -> str | None:
    return None if value is None else format_timestamp(value)
