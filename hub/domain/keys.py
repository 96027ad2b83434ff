"""Signing keys and the key ring: who may sign for whom, from when to when.

A signature proves a key; the ring says whose. Keys and certificates inside a signature give no trust of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.domain import limits
from hub.domain.key_material import PublicKey, public_key
from hub.domain.policy.decision import Decision, allow, deny
from hub.errors import SignatureError

RULE: Final = "signature"
COMPROMISED: Final = "compromised"
"""The revocation reason under which nothing that arrives later is believed, whatever its signing time says."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A peer's public key as the hub knows it. Times are microseconds since the epoch."""

    id: int
    peer_id: int
    identity: str  # STIX identity of the peer
    kid: str  # hex SHA-256 of the DER SubjectPublicKeyInfo
    algorithm: str  # X.590 6.2.2 name: Ed25519, ES256
    public_key: str  # SubjectPublicKeyInfo, standard base64 without padding, as X.590 prints it
    valid_from: int
    valid_until: int | None = None
    revoked_at: int | None = None
    revocation_reason: str | None = None
    created_at: int = 0
    pseudonym_id: int | None = None  # of the pseudonym in whose name it signs; None: in the peer's own
    reported_at: int | None = None  # when the hub was told of the revocation, which may name an earlier time


class KeyRing:
    """The enrolled keys that may count in one check. Each is loaded once, when a signature first names it."""

    def __init__(self, keys: Iterable[SigningKey], *, allow_test_key: bool = False) -> None:
        """Hold some keys.

        :param allow_test_key: also believe keys whose private half is printed in a standard; for test vectors only.
        """
        self._allow_test_key = allow_test_key
        self._by_text: dict[str, tuple[SigningKey, ...]] = {}
        for key in keys:
            text = key.public_key.rstrip("=")
            self._by_text[text] = (*self._by_text.get(text, ()), key)
        # Only enrolled keys are ever loaded, so this holds at most as many as the ring.
        self._loaded: dict[str, PublicKey] = {}

    def __len__(self) -> int:
        return sum(len(keys) for keys in self._by_text.values())

    def peers(self) -> frozenset[int]:
        """Return the peers that have a key in the ring."""
        return frozenset(key.peer_id for keys in self._by_text.values() for key in keys)

    def matching(self, signature: Mapping[str, Any]) -> tuple[SigningKey, ...]:
        """Return the enrolled keys that a signature object names; none when it names a certificate.

        The text of ``public_key`` is compared without its padding: both spellings name the same key, and the text
        itself is signed, so nobody can change it (X.590 6.2.1).
        """
        text = signature.get("public_key")
        if not isinstance(text, str):
            return ()
        bare = text.rstrip("=")
        if text not in (bare, bare + "=" * (-len(bare) % 4)):
            return ()
        return self._by_text.get(bare, ())

    def loaded(self, key: SigningKey) -> PublicKey:
        """Return a key of the ring ready to verify with.

        Raises:
            SignatureError: what was enrolled is not a usable key, or not of the algorithm or id it was enrolled with.
        """
        known = self._loaded.get(key.public_key)
        if known is None:
            known = public_key(key.public_key, allow_test_key=self._allow_test_key)
            self._loaded[key.public_key] = known
        if known.algorithm != key.algorithm or known.kid != key.kid:
            raise SignatureError("the enrolled key contradicts its own algorithm or id; enrol it again", field="kid")
        return known

    @staticmethod
    def standing(key: SigningKey, signed_at: int, now: int) -> Decision:
        """Say whether a key could sign at a time; both times are microseconds since the epoch.

        1. The signing time is not ahead of the hub's clock by more than ``limits.SIGNATURE_FUTURE_SECONDS``.
        2. ``valid_from <= signed_at < valid_until``.
        3. A key revoked as compromised is believed no more, because its thief chooses the signing time.
        4. A key revoked for another reason is believed for what was signed before.
        """
        if signed_at > now + limits.SIGNATURE_FUTURE_SECONDS * 1_000_000:
            return deny(RULE, "the signing time lies in the future; check the signer's clock")
        if signed_at < key.valid_from:
            return deny(RULE, "the key was not yet valid at the signing time")
        if key.valid_until is not None and signed_at >= key.valid_until:
            return deny(RULE, "the key had expired at the signing time")
        if key.revoked_at is not None:
            if key.revocation_reason == COMPROMISED and now >= key.revoked_at:
                return deny(RULE, "the key is revoked as compromised; sign again with another key")
            if signed_at >= key.revoked_at:
                return deny(RULE, "the key was revoked before the signing time")
        return allow(RULE, "the key was valid at the signing time")


def standing_of_stored(key: SigningKey, signed_at: int, date_added: int, now: int) -> Decision:
    """Say whether a signature that the hub took at ``date_added`` still counts; times are microseconds since the epoch.

    1. The key could sign at the signing time, as the hub saw it when the signature came.
    2. Of a compromised key nothing counts that is signed from ``revoked_at`` on, nor what came after the report: the
       thief chooses the signing time, but not the time of arrival.
    3. A key that was revoked otherwise or has expired since counts for what it signed before.
    """
    compromised = key.revocation_reason == COMPROMISED and key.revoked_at is not None
    known = replace(key, revocation_reason=None) if compromised else key
    decision = KeyRing.standing(known, signed_at, date_added)  # 1, 3
    if compromised:  # 2
        reported_at = key.revoked_at if key.reported_at is None else key.reported_at
        if reported_at is not None and date_added >= reported_at:
            return deny(RULE, "it came after the key was reported as compromised")
        if key.revoked_at is not None and signed_at >= key.revoked_at:
            return deny(RULE, "it was signed at a time from which on the key is compromised")
    if not decision:
        return decision
    if key.revoked_at is not None and now >= key.revoked_at:
        return allow(RULE, "the key was valid at the signing time; it has been revoked since")
    if key.valid_until is not None and now >= key.valid_until:
        return allow(RULE, "the key was valid at the signing time; it has expired since")
    return decision
