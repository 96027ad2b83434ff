"""Signing keys and the key ring: who may sign for whom, from when to when.

A signature proves a key; the ring says whose.
"""

from __future__ import annotations

from dataclasses import dataclass


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
