"""X.590, the JSON signature scheme: which bytes are signed; sign, countersign, verify.

A signature proves that a *key* was used, never whose key it is: `hub.domain.keys` says that.
Detached or attached makes no difference here: `verify` takes the payload and the signature object separately.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from hub.domain import limits
from hub.domain.canonical import jcs
from hub.domain.key_material import ALGORITHMS, PrivateKey, PublicKey
from hub.errors import SignatureError

Form: TypeAlias = Literal["hex", "raw"]

TYPES: Final = ("jss", "x590")
"""``type`` of a signature object: X.590 6.3 says ``jss``, SONY's schema says ``x590``."""

HASHES: Final[Mapping[str, str]] = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
_HASHERS: Final = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
KEY_PROPERTIES: Final = ("public_key", "public_cert_chain", "cert_url", "thumbprint")
PROPERTIES: Final = frozenset(
    {"hash_algorithm", "algorithm", "value", "signature", *KEY_PROPERTIES}
    | {"type", "id", "related_to", "related_version", "created", "modified"}
    | {"revoked", "signee", "valid_from", "valid_until"}
)
"""Every property that X.590 gives a signature object (6.2.1, 6.3)."""

_BASE64URL: Final = re.compile(rf"[A-Za-z0-9_-]{{2,{limits.MAX_SIGNATURE_TEXT}}}")


def sign(
    payload: Mapping[str, Any],
    key: PrivateKey,
    *,
    metadata: Mapping[str, Any] | None = None,
    hash_algorithm: str = "sha-256",
    plain: bool = False,
) -> dict[str, Any]:
    """Return the payload with one more signature at the end of its ``signatures`` (X.590 7.1).

    :param metadata: notional metadata of X.590 6.3, all of it signed.
    :param plain: of payload and metadata both, as `hub.domain.canonical.jcs` takes it.

    Raises:
        SignatureError: ``signatures`` is there but no list, is full, or the hash is not one of `HASHES`.
    """
    before = _list_of(payload)
    if len(before) >= limits.MAX_SIGNATURES:
        raise SignatureError(f"an object carries at most {limits.MAX_SIGNATURES} signatures", field="signatures")
    unsigned = _unsigned(key, metadata, hash_algorithm)
    value = _made(key, signed_bytes(payload, unsigned, plain=plain), hash_algorithm)
    return {**payload, "signatures": [*before, {**unsigned, "value": value}]}


def countersign(
    payload: Mapping[str, Any],
    index: int,
    key: PrivateKey,
    *,
    metadata: Mapping[str, Any] | None = None,
    hash_algorithm: str = "sha-256",
) -> dict[str, Any]:
    """Return the payload with one signature of it countersigned, at its innermost level (X.590 7.2).

    Verify the signature first: a countersignature over a bad one lends it weight.

    Raises:
        SignatureError: there is no such signature, it has no ``value`` yet, or countersignatures nest too deeply.
    """
    before = _list_of(payload)
    if not 0 <= index < len(before):
        raise SignatureError("there is no such signature to countersign", field="signatures")
    chain = levels(before[index])
    if len(chain) > limits.MAX_COUNTERSIGNATURES:
        raise SignatureError(
            f"countersignatures nest at most {limits.MAX_COUNTERSIGNATURES} deep", field="signatures.signature"
        )
    if not all(isinstance(level.get("value"), str) for level in chain):
        raise SignatureError("a signature without value cannot be countersigned", field="signatures.value")
    unsigned = _unsigned(key, metadata, hash_algorithm)
    target = _nested(chain, unsigned)
    value = _made(key, signed_bytes(payload, target, level=len(chain)), hash_algorithm)
    after = list(before)
    after[index] = _nested(chain, {**unsigned, "value": value})
    return {**payload, "signatures": after}


def verify(
    payload: Mapping[str, Any], signature: Mapping[str, Any], key: PublicKey, *, level: int = 0, plain: bool = False
) -> Form | None:
    """Say in which form a key made a signature over a payload (X.590 8.1); None when it did not.

    ``hex``: the message is the lower-case hexadecimal text of the digest, which reproduces the published vectors.
    ``raw``: the message is the digest itself, as some implementations sign.

    :param signature: one element of ``signatures``, or a detached signature object; what the payload itself carries
        in ``signatures`` plays no part.
    :param level: 0 is the signature itself, 1 its countersignature, and so on.
    :param plain: of payload and signature both, as `hub.domain.canonical.jcs` takes it.

    Raises:
        SignatureError: the signature object is not well-formed, not supported, or names another algorithm than the
            key's own.
    """
    chain = levels(signature)
    if not 0 <= level < len(chain):
        raise SignatureError("there is no countersignature at this level", field="signature")
    one = chain[level]
    octets = check_form(one)
    if one["algorithm"] != key.algorithm:
        raise SignatureError("algorithm is not the algorithm of the key", field="algorithm")
    text = signed_bytes(payload, signature, level=level, plain=plain)
    digest = _HASHERS[one["hash_algorithm"]](text)
    if key.verifies(octets, digest.hexdigest().encode("ascii")):
        return "hex"
    if key.verifies_digest(octets, digest.digest()):
        return "raw"
    return None


def signed_bytes(
    payload: Mapping[str, Any], signature: Mapping[str, Any], *, level: int = 0, plain: bool = False
) -> bytes:
    """Return the canonical text that is hashed: the payload with this one signature, reduced to one level.

    The level in question loses its ``value`` and what is nested in it; outer levels keep theirs (X.590 7.1.4, 7.2.4).

    Raises:
        MalformedJson: the payload is not I-JSON.
    """
    chain = levels(signature)[: level + 1]
    signed = {name: member for name, member in chain[-1].items() if name not in ("value", "signature")}
    return jcs({**payload, "signatures": [_nested(chain[:-1], signed)]}, plain=plain)


def levels(signature: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return a signature object and its countersignatures, outermost first.

    Raises:
        SignatureError: a nested ``signature`` is no object, or they nest too deeply.
    """
    chain = [signature]
    while "signature" in chain[-1]:
        nested = chain[-1]["signature"]
        if not isinstance(nested, Mapping):
            raise SignatureError("a countersignature must be an object", field="signature")
        chain.append(nested)
        if len(chain) > limits.MAX_COUNTERSIGNATURES + 1:
            raise SignatureError(
                f"countersignatures nest at most {limits.MAX_COUNTERSIGNATURES} deep", field="signature"
            )
    return tuple(chain)


def check_form(signature: Mapping[str, Any]) -> bytes:
    """Return the octets of ``value`` of a signature object whose core properties are as they must be (X.590 6.2.1).

    Raises:
        SignatureError: a core property is missing, has the wrong form, or names what this hub does not support.
    """
    if signature.get("type", "jss") not in TYPES:
        raise SignatureError("type must be jss", field="type")
    hash_algorithm, algorithm = signature.get("hash_algorithm"), signature.get("algorithm")
    if not isinstance(hash_algorithm, str) or hash_algorithm not in HASHES:
        raise SignatureError(f"hash_algorithm must be one of {', '.join(HASHES)}", field="hash_algorithm")
    if isinstance(algorithm, str) and algorithm.upper().startswith("HS"):
        raise SignatureError("algorithm is a MAC: it proves nothing to a third party", field="algorithm")
    if algorithm not in ALGORITHMS:
        raise SignatureError(f"algorithm must be one of {', '.join(ALGORITHMS)}", field="algorithm")
    named = [name for name in KEY_PROPERTIES if name in signature]
    if len(named) != 1:
        raise SignatureError(f"exactly one of {', '.join(KEY_PROPERTIES)} must be given", field="public_key")
    return _octets(signature.get("value"))


def _octets(value: object) -> bytes:
    """Decode base64url without padding; one signature has one spelling."""
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        raise SignatureError("value must be base64url without padding", field="value")
    try:
        octets = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error:
        raise SignatureError("value must be base64url without padding", field="value") from None
    if _text(octets) != value:
        raise SignatureError("value is not canonical base64url: its last character has stray bits", field="value")
    return octets


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _made(key: PrivateKey, text: bytes, hash_algorithm: str) -> str:
    return _text(key.sign(hashlib.new(HASHES[hash_algorithm], text).hexdigest().encode("ascii")))


def _unsigned(key: PrivateKey, metadata: Mapping[str, Any] | None, hash_algorithm: str) -> dict[str, Any]:
    if hash_algorithm not in HASHES:
        raise SignatureError(f"hash_algorithm must be one of {', '.join(HASHES)}", field="hash_algorithm")
    core = {"hash_algorithm": hash_algorithm, "algorithm": key.algorithm, "public_key": key.public.text}
    clash = {"value", "signature", *KEY_PROPERTIES, *core} & set(metadata or {})
    if clash:
        raise SignatureError("metadata may not hold core properties of a signature", field="metadata")
    return {**(metadata or {}), **core}


def _list_of(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    signatures = payload.get("signatures", [])
    if not isinstance(signatures, list) or not all(isinstance(one, Mapping) for one in signatures):
        raise SignatureError("signatures must be a list of signature objects", field="signatures")
    return signatures


def _nested(outer: Sequence[Mapping[str, Any]], innermost: Mapping[str, Any]) -> dict[str, Any]:
    """Put an object inside the innermost of some levels, as their ``signature``."""
    result = dict(innermost)
    for level in reversed(outer):
        result = {**level, "signature": result}
    return result
