"""Keys, objects and rings that the signature tests share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from hub.domain.key_material import PrivateKey, private_key
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.signature_profile import detached_signature, related_version, sign_inline
from hub.domain.stix import instant_us

AUTHOR = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
OTHER = "identity--0b0b9b3b-7d8c-4f6e-9a52-0a1b2c3d4e5f"
AUTHOR_PEER, OTHER_PEER = 7, 8
SIGNED = "2026-01-10T08:00:01.000Z"
SIGNED_US = instant_us(SIGNED)
NOW = instant_us("2026-01-11T00:00:00Z")
UUID = "0f7f2d3a-6d1e-4b2f-9a57-3c1f5f0e9b11"
DAY = 24 * 3600 * 1_000_000

INDICATOR: Mapping[str, Any] = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
    "created_by_ref": AUTHOR,
    "created": "2026-01-10T08:00:00.000Z",
    "modified": "2026-01-10T08:00:00.000Z",
    "name": "Phishing host",
    "pattern": "[domain-name:value = 'login.example.com']",
    "pattern_type": "stix",
    "valid_from": "2026-01-10T08:00:00Z",
    "object_marking_refs": ["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"],
}
DOMAIN: Mapping[str, Any] = {
    "type": "domain-name",
    "spec_version": "2.1",
    "id": "domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5",
    "value": "login.example.com",
}


def ed25519_key(seed: str) -> PrivateKey:
    return private_key(ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest()))


def es256_key(number: int) -> PrivateKey:
    return private_key(ec.derive_private_key(number, ec.SECP256R1()))


AUTHOR_KEY = ed25519_key("author")
OTHER_KEY = ed25519_key("other")


def enrolled(key: PrivateKey = AUTHOR_KEY, **changes: Any) -> SigningKey:
    fields: dict[str, Any] = {
        "id": 1,
        "peer_id": AUTHOR_PEER,
        "identity": AUTHOR,
        "kid": key.public.kid,
        "algorithm": key.algorithm,
        "public_key": key.public.text,
        "valid_from": SIGNED_US - DAY,
    }
    return SigningKey(**{**fields, **changes})


def ring(*keys: SigningKey) -> KeyRing:
    """The author's key and another peer's, unless told."""
    return KeyRing(keys or (enrolled(), enrolled(OTHER_KEY, id=2, peer_id=OTHER_PEER, identity=OTHER)))


def inline(obj: Mapping[str, Any] = INDICATOR, key: PrivateKey = AUTHOR_KEY, created: str = SIGNED) -> dict[str, Any]:
    return sign_inline(obj, key, identity=str(obj["created_by_ref"]), created=created, signature_uuid=UUID)


def detached(
    obj: Mapping[str, Any] = INDICATOR,
    key: PrivateKey = OTHER_KEY,
    identity: str = OTHER,
    created: str = SIGNED,
) -> dict[str, Any]:
    return detached_signature(
        obj,
        key,
        identity=identity,
        created=created,
        uuid=UUID,
        related_version=related_version(obj),
        marking_refs=obj.get("object_marking_refs", ()),
    )
