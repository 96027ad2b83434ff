"""Public keys as JSON Web Keys, for tools that know nothing of X.590."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final

from hub.domain.key_material import ED25519, ES256, ML_DSA_65
from hub.domain.keys import SigningKey

_ED25519_OCTETS: Final = 32
_P256_OCTETS: Final = 32
_ML_DSA_65_OCTETS: Final = 1952  # of a public key, FIPS 204 table 2


def jwk(key: SigningKey) -> dict[str, Any]:
    """Return a key as a JWK: OKP (RFC 8037 §2), EC (RFC 7518 §6.2) or AKP (RFC 9964); ``kid`` is the hub's own.

    The kid is no RFC 7638 thumbprint, so that it is the same name everywhere in the hub. Of the canonical DER
    SubjectPublicKeyInfo the key is what stands at the end.
    """
    der = base64.b64decode(key.public_key + "=" * (-len(key.public_key) % 4))
    common = {"kid": key.kid, "use": "sig", "x_cybex_identity": key.identity}
    if key.algorithm == ED25519:
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": _text(der[-_ED25519_OCTETS:]), **common}
    if key.algorithm == ES256:
        x, y = der[-2 * _P256_OCTETS : -_P256_OCTETS], der[-_P256_OCTETS:]
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": _text(x), "y": _text(y), **common}
    if key.algorithm == ML_DSA_65:
        return {"kty": "AKP", "alg": "ML-DSA-65", "pub": _text(der[-_ML_DSA_65_OCTETS:]), **common}
    raise ValueError("this algorithm has no registered JWK")


def jwk_set(keys: Iterable[SigningKey]) -> dict[str, Any]:
    """Return a JWK Set (RFC 7517 §5); a member of it that a tool does not know is to be passed over."""
    return {"keys": [jwk(key) for key in keys]}


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")
