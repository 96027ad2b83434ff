"""What a stored signature is worth today: verified again from the stored bytes, by what is known of its key now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.domain import jss
from hub.domain.keys import COMPROMISED, KeyRing, SigningKey, standing_of_stored
from hub.domain.signature_profile import related_version
from hub.domain.stix import instant_us, is_timestamp
from hub.errors import MalformedJson, SignatureError


class Standing(StrEnum):
    """What became of a signature since it was made."""

    VALID = "valid"
    EXPIRED = "expired"  # it counts: it was made while the key, or before the signature itself, was valid
    REVOKED = "key-revoked-since"  # it counts: it was made before the key was revoked
    COMPROMISED = "compromised"
    WITHDRAWN = "withdrawn"  # by its signer
    UNKNOWN = "unknown-key"
    INVALID = "does-not-verify"


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome for one signature.

    :param counts: whether a reader may rely on it today.
    :param signed_at: microseconds since the epoch, as the signer says; None when it says nothing usable.
    """

    standing: Standing
    counts: bool
    reason: str
    key: SigningKey | None = None
    form: jss.Form | None = None
    signed_at: int | None = None


def examine(
    target: Mapping[str, Any],
    signature: Mapping[str, Any],
    ring: KeyRing,
    *,
    withdrawn: bool,
    date_added: int,
    now: int,
) -> Examined:
    """Say what a signature over a stored version is worth; times are microseconds since the epoch.

    1. It names this object and version, and an enrolled key of its signee.
    2. It verifies over the bytes as they are stored, be it as a withdrawal.
    3. Its signer has not withdrawn it, here or anywhere else on the hub.
    4. Its key counts for what was signed then and came then (`hub.domain.keys.standing_of_stored`).

    :param withdrawn: whether a withdrawal of this signature is known.
    """
    try:
        jss.check_form(signature)
        if signature.get("related_to") != target.get("id"):
            raise SignatureError("related_to: it belongs to another object")
        if signature.get("related_version") != related_version(target):
            raise SignatureError("related_version: it belongs to another version")
        signed_at = _signed_at(signature)
        keys = [key for key in ring.matching(signature) if key.identity == signature.get("signee")]
        if not keys:
            return Examined(
                Standing.UNKNOWN, False, "no key of its signee is enrolled with the hub", None, None, signed_at
            )
        form = jss.verify(target, signature, ring.loaded(keys[0]))
    except (SignatureError, MalformedJson) as error:
        return Examined(Standing.INVALID, False, str(error))
    if form is None:
        return Examined(Standing.INVALID, False, "it does not match the stored object", keys[0], None, signed_at)
    standing, counts, reason = _standing(signature, keys[0], signed_at, withdrawn, date_added, now)
    return Examined(standing, counts, reason, keys[0], form, signed_at)


def _standing(
    signature: Mapping[str, Any], key: SigningKey, signed_at: int, withdrawn: bool, date_added: int, now: int
) -> tuple[Standing, bool, str]:
    if withdrawn or signature.get("revoked") is True:
        return Standing.WITHDRAWN, False, "its signer has withdrawn it"
    decision = standing_of_stored(key, signed_at, date_added, now)
    if not decision and key.revocation_reason == COMPROMISED:
        return Standing.COMPROMISED, False, decision.reason
    if not decision:
        return Standing.INVALID, False, decision.reason
    ends = signature.get("valid_until")
    if is_timestamp(ends) and now >= instant_us(str(ends)):
        return Standing.EXPIRED, False, "its signer let it end: signature.valid_until is over"
    if key.revoked_at is not None and now >= key.revoked_at:
        return Standing.REVOKED, True, decision.reason
    if key.valid_until is not None and now >= key.valid_until:
        return Standing.EXPIRED, True, decision.reason
    return Standing.VALID, True, decision.reason


def _signed_at(signature: Mapping[str, Any]) -> int:
    stamp = signature.get("modified", signature.get("created"))
    if not is_timestamp(stamp):
        raise SignatureError("signature.created: the signing time is missing")
    return instant_us(str(stamp))
