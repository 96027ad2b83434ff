"""What a caller presents to prove who it is, and the form of the secrets the hub hands out.

Secrets are made by the hub, shown once and kept as SHA-256 over salt and secret: at 200 bits of randomness a slow
password hash would only make every request slow. Pure: randomness comes in as octets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

SECRET_BYTES: Final = 25
"""Octets of randomness in a secret: 200 bits, 40 characters of base32 without padding."""

LOOKUP_BYTES: Final = 10
"""Octets of the public half of a Bearer token, by which its row is found."""

SALT_BYTES: Final = 16

TOKEN_PREFIX: Final = "cybex_"  # noqa: S105 - the fixed first part that lets secret scanners recognise a token

TOKEN_USER_PREFIX: Final = "token"  # noqa: S105 - user names that say "the password is a Bearer token"

EXPORT_PREFIX: Final = "cybexport_"

_EXPORT_TOKEN = re.compile(r"cybexport_([a-z2-7]{16})_([a-z2-7]{40})", re.ASCII)
_TOKEN = re.compile(r"cybex_([a-z2-7]{16})_([a-z2-7]{40})", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Basic:
    """User name and password (RFC 7617)."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token (RFC 6750), ``cybex_<lookup>_<secret>``."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate whose key the TLS layer has proved.

    :param fingerprint: SHA-256 of the DER certificate, 64 lower-case hex digits.
    """

    fingerprint: str


Presented = Basic | Bearer | Certificate


def secret_text(octets: bytes) -> str:
    """Return random octets as a secret that survives being read aloud: lower-case base32 without padding."""
    return base64.b32encode(octets).decode("ascii").rstrip("=").lower()


def secret_hash(salt: bytes, secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(salt + secret.encode("utf-8", "surrogatepass")).digest()


def secret_matches(salt: bytes, stored: bytes, secret: str) -> bool:
    """Say, in time that does not depend on where they differ, whether this secret was the one that was stored."""
    return hmac.compare_digest(secret_hash(salt, secret), stored)


def bearer_token(lookup: str, secret: str) -> str:
    """Return the text of a Bearer token."""
    return f"{TOKEN_PREFIX}{lookup}_{secret}"


def read_bearer_token(token: str) -> tuple[str, str] | None:
    """Return (lookup, secret) of a token, None when it does not have the form of one."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else (match[1], match[2])


def as_bearer(presented: Basic) -> Bearer | None:
    """Return the token in a Basic credential whose user name says so: many TAXII clients only know Basic."""
    if presented.username.startswith(TOKEN_USER_PREFIX) and presented.password.startswith(TOKEN_PREFIX):
        return Bearer(presented.password)
    return None


def export_token(lookup: str, secret: str) -> str:
    """Return the text of an export token; it begins differently, so that it never passes for a Bearer token."""
    return f"{EXPORT_PREFIX}{lookup}_{secret}"


def read_export_token(token: str) -> tuple[str, str] | None:
    """Return (lookup, secret) of an export token, None when it does not have the form of one."""
    match = _EXPORT_TOKEN.fullmatch(token)
    return None if match is None else (match[1], match[2])


def fingerprint_text(fingerprint: str) -> str | None:
    """Return a SHA-256 fingerprint as stored, whether it was given with colons or in capitals; None if it is none."""
    plain = fingerprint.replace(":", "").strip().lower()
    return plain if _FINGERPRINT.fullmatch(plain) else None
