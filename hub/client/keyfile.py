"""Signing keys in files: PKCS#8 PEM that only its owner may read, and the public part to hand to a hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hub.domain.canonical import parse
from hub.domain.key_material import ALGORITHMS, ED25519, ES256, ML_DSA_65, PrivateKey, private_key
from hub.errors import ConfigError, Conflict, MalformedJson, SignatureError

_OWNER_ONLY = 0o600
_FOR_ALL = 0o644
_MAX_FILE = 64 * 1024


def generate(algorithm: str = ED25519) -> PrivateKey:
    """Return a new key pair out of the system's randomness.

    Raises:
        ConfigError: the algorithm is not one of `hub.domain.key_material.ALGORITHMS`.
    """
    if algorithm == ED25519:
        return private_key(ed25519.Ed25519PrivateKey.generate())
    if algorithm == ES256:
        return private_key(ec.generate_private_key(ec.SECP256R1()))
    if algorithm == ML_DSA_65:
        return private_key(mldsa.MLDSA65PrivateKey.generate())
    raise ConfigError(f"the algorithm must be one of {', '.join(ALGORITHMS)}", field="algorithm")


def write(path: Path, key: PrivateKey) -> None:
    """Leave the private key in a new file of mode 0600, on disk when this returns; never replace a file.

    Raises:
        Conflict: the file exists. ConfigError: it cannot be written.
    """
    _create(path, key.unprotected_pem(), _OWNER_ONLY)


def read(path: Path) -> PrivateKey:
    """Return the key pair in a PEM file.

    Raises:
        ConfigError: it cannot be read, holds no unencrypted PKCS#8 key, or one that may not be used.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE)
    except OSError as error:
        raise ConfigError(f"the key file cannot be read: {error.strerror}", field="key") from None
    try:
        return private_key(load_pem_private_key(data, password=None))
    except SignatureError as error:
        raise ConfigError(error.detail, field="key") from None
    except Exception:  # noqa: BLE001 - the loader has no closed list of what it raises on a damaged file
        raise ConfigError("the key file holds no unencrypted PKCS#8 key in PEM", field="key") from None


def public_part(key: PrivateKey, identity: str | None = None) -> dict[str, Any]:
    """Return what a hub's operator needs to enrol the key; nothing in it is secret."""
    part: dict[str, Any] = {"kid": key.public.kid, "algorithm": key.algorithm, "public_key": key.public.text}
    return part if identity is None else {"identity": identity, **part}


def public_path(path: Path) -> Path:
    """Return where the public part of a key file lies: ``aa.pem`` has ``aa.pub.json`` beside it."""
    return path.with_suffix(".pub.json")


def write_public(path: Path, key: PrivateKey, identity: str | None = None) -> Path:
    """Leave the public part beside the key file ``path`` and return its place; never replace a file.

    Raises:
        Conflict: the file exists. ConfigError: it cannot be written.
    """
    place = public_path(path)
    data = orjson.dumps(public_part(key, identity), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    _create(place, data, _FOR_ALL)
    return place


def identity_beside(path: Path, key: PrivateKey) -> str | None:
    """Return the identity in the public part beside a key file; None when there is none, or of another key."""
    try:
        part = parse(public_path(path).read_bytes()[:_MAX_FILE])
    except (OSError, MalformedJson):
        return None
    if not isinstance(part, dict) or part.get("kid") != key.public.kid:
        return None
    identity = part.get("identity")
    return identity if isinstance(identity, str) else None


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        # O_EXCL: a key that is overwritten is lost, and a link that somebody placed there is not followed.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise Conflict("the file exists already; choose another name or remove it", field="out") from None
    except OSError as error:
        raise ConfigError(f"the file cannot be written: {error.strerror}", field="out") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
