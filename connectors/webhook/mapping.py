"""The body and the headers of a webhook: JSON of an alert, signed as Standard Webhooks 1.0.0 says.

The signed text is ``{webhook-id}.{webhook-timestamp}.{body}``; ``v1`` is HMAC-SHA256 with a shared secret, ``v1a``
Ed25519, both in base64. Several secrets give several signatures, so that one can be replaced without a gap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from nacl.signing import SigningKey

from hub.domain import tlp
from hub.domain.alert import Alert
from hub.domain.canonical import jcs
from hub.domain.taxii_time import format_timestamp

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - not a secret, but what one begins with
KEY_PREFIX: Final = "whsk_"
SECRET_OCTETS: Final = (24, 64)
"""Octets of a shared secret, at least and at most (Standard Webhooks, signature scheme)."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")


class BadSecret(ValueError):
    """What should be a secret is none; the text says what one looks like and nothing of it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One signing secret. :param scheme: ``v1`` or ``v1a``. :param octets: the HMAC key, or the Ed25519 seed."""

    scheme: str
    octets: bytes

    def __repr__(self) -> str:
        """Say which kind it is and nothing else, also in a traceback."""
        return f"Secret({self.scheme})"

    def sign(self, signed: bytes) -> str:
        """Return the signature as the header lists it."""
        if self.scheme == "v1":
            made = hmac.new(self.octets, signed, hashlib.sha256).digest()
        else:
            made = SigningKey(self.octets).sign(signed).signature
        return f"{self.scheme},{base64.b64encode(made).decode('ascii')}"


def secret(text: str) -> Secret:
    """Return a secret as it is written: ``whsec_…``, or ``whsk_…`` of an Ed25519 seed with or without its public key.

    Raises BadSecret.
    """
    prefix = SECRET_PREFIX if text.startswith(SECRET_PREFIX) else KEY_PREFIX
    if not text.startswith(prefix):
        raise BadSecret("a secret begins with whsec_ (shared) or whsk_ (Ed25519)")
    try:
        octets = base64.b64decode(text.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("behind its prefix a secret is base64") from None
    if prefix == SECRET_PREFIX:
        if not SECRET_OCTETS[0] <= len(octets) <= SECRET_OCTETS[1]:
            raise BadSecret(f"a shared secret has {SECRET_OCTETS[0]} to {SECRET_OCTETS[1]} octets, in base64")
        return Secret("v1", octets)
    if len(octets) not in (32, 64):
        raise BadSecret("an Ed25519 key has 32 octets, or 64 with its public key, in base64")
    if len(octets) == 64 and bytes(SigningKey(octets[:32]).verify_key) != octets[32:]:
        raise BadSecret("the two halves of the Ed25519 key do not belong together")
    return Secret("v1a", octets[:32])


def headers(webhook_id: str, seconds: int, body: bytes, secrets: Sequence[Secret]) -> dict[str, str]:
    """Return the three headers of one attempt.

    :param webhook_id: the same in every attempt; holds no full stop. :param seconds: since the epoch, of this attempt.
    """
    if _ID.fullmatch(webhook_id) is None:
        raise ValueError("a webhook-id has letters, digits, hyphens and underscores only")
    signed = b"%b.%d.%b" % (webhook_id.encode("ascii"), seconds, body)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(one.sign(signed) for one in secrets),
    }


def webhook_id(alert: Alert) -> str:
    """Return what receivers tell a repetition by."""
    return f"msg_{alert.uuid}"


def body(alert: Alert, at: int) -> bytes:
    """Return the compact JSON of an alert.

    :param at: microseconds since the epoch when the alert was made.
    """
    data: dict[str, Any] = {"id": alert.stix_id}
    if alert.level is not None:
        data["tlp"] = tlp.label(alert.level)
    if alert.withheld and alert.event == "matched":
        data["withheld"] = True
    if not alert.withheld:
        data |= {
            "type": alert.type,
            "name": alert.name,
            "version": alert.version,
            "labels": list(alert.labels),
            "matches": [{"criterion": one.criterion, "watched": one.watched} for one in alert.matches],
        }
        if alert.confidence is not None:
            data["confidence"] = alert.confidence
    if alert.link:
        data["link"] = alert.link
    return jcs({"type": f"object.{alert.event}", "timestamp": format_timestamp(at), "data": data})
