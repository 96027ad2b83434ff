"""Public and private keys as X.590 names them: loaded strictly, tied to one algorithm, weak and public ones refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError

from hub.domain import limits
from hub.errors import SignatureError

ED25519: Final = "Ed25519"
ES256: Final = "ES256"
ML_DSA_65: Final = "ML-DSA-65"
CLASSICAL: Final = (ED25519, ES256)
QUANTUM_SAFE: Final = (ML_DSA_65,)
"""Beside a classical signature, never in its place: a break of either leaves the other (docs/signing.md)."""
ALGORITHMS: Final = (*CLASSICAL, *QUANTUM_SAFE)
"""What this hub signs and verifies with. The vocabulary of X.590 6.2.2 is open; it does not name ML-DSA (FIPS 204)."""

_P256_COORDINATE: Final = 32
_ED25519_SIGNATURE: Final = 64
_ML_DSA_65_SIGNATURE: Final = 3309  # octets, FIPS 204 table 2
_ML_DSA_SEED: Final = 32  # octets of a public key before t1, FIPS 204 algorithm 22
_SPKI_TEXT: Final = re.compile(rf"[A-Za-z0-9+/]{{40,{limits.MAX_PUBLIC_KEY_TEXT}}}={{0,2}}")

# Public keys whose private half is printed in a standard: whoever can read can sign with them.
PUBLISHED_TEST_KEYS: Final = frozenset(
    {
        "MCowBQYDK2VwAyEAubMonBfU9pvIbj5RCiWQLD45Jvu6mKr+kQXjvjW8ZkU",  # X.590 Appendix II
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",  # RFC 8032 §7.1 test 1, RFC 8037 A.2
    }
)

PUBLISHED_TEST_KIDS: Final = frozenset(
    {"b8b62131bfbe84433efb2273d7f5b87f7a22854a2cfd366fc2aead86d837c52d"}  # RFC 9881 appendix C.1, ML-DSA-65
)
"""The same of keys that are too long to be written out."""

# The points of small order, sign bit cleared: under such a key one signature verifies for every message.
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)

_AnyPublicKey: TypeAlias = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | mldsa.MLDSA65PublicKey
_AnyPrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA65PrivateKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that may be verified with; made by `public_key` only, so that nothing skips its checks."""

    algorithm: str
    text: str  # SubjectPublicKeyInfo, standard base64 without padding, as X.590 prints it
    kid: str  # hex SHA-256 of the DER SubjectPublicKeyInfo
    _point: bytes | None = field(repr=False)  # of Ed25519, 32 octets: a point of the prime-order group, spelled one way
    _key: _AnyPublicKey = field(repr=False)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Say whether this key made the signature over the message.

        Ed25519 by libsodium, which takes half the time of OpenSSL and accepts nothing that OpenSSL refuses: it also
        refuses an R of small order. Neither takes an S that is not reduced, or R in another spelling. ML-DSA is the
        pure one with an empty context (FIPS 204 5.3); a signature of another length is none.
        """
        try:
            if self._point is not None:
                # The call takes signature and message in one piece: another length would move the seam.
                return len(signature) == _ED25519_SIGNATURE and _opens(signature + message, self._point)
            if isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(_der(signature), message, ec.ECDSA(SHA256()))
                return True
            if isinstance(self._key, mldsa.MLDSA65PublicKey) and len(signature) == _ML_DSA_65_SIGNATURE:
                self._key.verify(signature, message)
                return True
        except InvalidSignature:
            return False
        return False

    def verifies_digest(self, signature: bytes, digest: bytes) -> bool:
        """Say whether this key made the signature over the octets of a digest, as the raw-digest family signs them.

        Ed25519 takes the digest as its message; ES256 takes a SHA-256 digest in the place of its own hashing. There is
        no raw form of ML-DSA: no implementation made one before this profile, and one message has one signature form.
        """
        if isinstance(self._key, ed25519.Ed25519PublicKey):
            return self.verifies(signature, digest)
        if isinstance(self._key, mldsa.MLDSA65PublicKey):
            return False
        if len(digest) != SHA256.digest_size:
            return False
        try:
            self._key.verify(_der(signature), digest, ec.ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key that may be signed with, and its public half; made by `private_key` only."""

    public: PublicKey
    _key: _AnyPrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The X.590 6.2.2 name of what this key signs with."""
        return self.public.algorithm

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message.

        Of Ed25519 and ES256 the same one each time (RFC 8032, RFC 6979); ML-DSA is hedged (FIPS 204 3.4), so that a
        fault or a side channel at one signing does not give away the key.
        """
        if isinstance(self._key, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey):
            return self._key.sign(message)
        der = self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return r.to_bytes(_P256_COORDINATE, "big") + s.to_bytes(_P256_COORDINATE, "big")

    def unprotected_pem(self) -> bytes:
        """Return the private key as PKCS#8 PEM without a password: whoever has it signs as its owner."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_key(text: str, *, allow_test_key: bool = False) -> PublicKey:
    """Return the key in a SubjectPublicKeyInfo text (standard base64, padded or not); its algorithm is the key's own.

    :param allow_test_key: also take the key pairs that are printed in standards; for test vectors and nothing else.

    Raises:
        SignatureError: it is not exactly one DER key of a supported algorithm, is weak, or is a published test key.
    """
    der = _spki(text)
    try:
        key = load_der_public_key(der)
    except Exception:  # noqa: BLE001 - the loader has no closed list of what it raises on hostile input
        raise SignatureError("public_key holds no key that can be read", field="public_key") from None
    return _checked(key, allow_test_key=allow_test_key, der=der)


def private_key(key: object, *, allow_test_key: bool = False) -> PrivateKey:
    """Return a key of the cryptography library as one that may sign.

    :param allow_test_key: as in `public_key`.

    Raises:
        SignatureError: its algorithm is not supported, or it is a published test key.
    """
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA65PrivateKey):
        raise SignatureError(f"the private key must be one of {', '.join(ALGORITHMS)}", field="algorithm")
    return PrivateKey(_checked(key.public_key(), allow_test_key=allow_test_key, der=None), key)


def _checked(key: object, *, allow_test_key: bool, der: bytes | None) -> PublicKey:
    point: bytes | None = None
    if isinstance(key, ed25519.Ed25519PublicKey):
        algorithm = ED25519
        point = key.public_bytes_raw()
        if point[:31] + bytes([point[31] & 0x7F]) in _SMALL_ORDER:
            raise SignatureError("public_key is a weak key: signatures under it prove nothing", field="public_key")
        if not crypto_core_ed25519_is_valid_point(point):
            # Not on the curve, spelled another way, or with a part of small order: verifiers differ about such keys.
            raise SignatureError("public_key is no point that an Ed25519 key can be", field="public_key")
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        algorithm = ES256
    elif isinstance(key, mldsa.MLDSA65PublicKey):
        algorithm = ML_DSA_65
        if not any(key.public_bytes_raw()[_ML_DSA_SEED:]):
            # With t1 = 0 the challenge drops out of the equation that is verified: everybody can sign.
            raise SignatureError("public_key is a weak key: signatures under it prove nothing", field="public_key")
    else:
        raise SignatureError(f"public_key must be a key of {' or '.join(ALGORITHMS)}", field="public_key")
    canonical = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if der is not None and der != canonical:
        raise SignatureError("public_key is not in canonical DER; export the key again", field="public_key")
    text = base64.b64encode(canonical).decode("ascii").rstrip("=")
    kid = hashlib.sha256(canonical).hexdigest()
    if (text in PUBLISHED_TEST_KEYS or kid in PUBLISHED_TEST_KIDS) and not allow_test_key:
        raise SignatureError("this is a published test key: everybody has its private half", field="public_key")
    return PublicKey(algorithm, text, kid, point, key)


def _opens(signed: bytes, point: bytes) -> bool:
    try:
        crypto_sign_open(signed, point)
    except BadSignatureError:
        return False
    return True


def _spki(text: str) -> bytes:
    """Decode standard base64, padded rightly or not at all; the last character carries no stray bits."""
    if not _SPKI_TEXT.fullmatch(text):
        raise SignatureError("public_key must be a SubjectPublicKeyInfo in one line of base64", field="public_key")
    bare = text.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    try:
        der = base64.b64decode(padded, validate=True)
    except binascii.Error:
        raise SignatureError("public_key is not base64", field="public_key") from None
    if text not in (bare, padded) or base64.b64encode(der).decode("ascii") != padded:
        raise SignatureError("public_key is not canonical base64", field="public_key")
    return der


def _der(signature: bytes) -> bytes:
    """Turn r and s, side by side (IEEE P1363, RFC 7518 §3.4), into the DER that the library verifies."""
    if len(signature) != 2 * _P256_COORDINATE:
        raise InvalidSignature
    r = int.from_bytes(signature[:_P256_COORDINATE], "big")
    s = int.from_bytes(signature[_P256_COORDINATE:], "big")
    return encode_dss_signature(r, s)
