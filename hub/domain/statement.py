"""Signed statements that are no STIX objects, such as receipts and acknowledgements: X.590 over JSON, checked strictly.

The signatures stand in the list ``signatures`` of the statement. Each covers everything else in it, and what it says of
itself: who signs (``signee``), when, and with which key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import jss, limits
from hub.domain.canonical import Json
from hub.domain.key_material import ED25519, ES256, PrivateKey
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.stix import instant_us, is_timestamp
from hub.domain.taxii_time import format_timestamp
from hub.errors import SignatureError

CLASSICAL: Final = (ED25519, ES256)
"""Algorithms of which one must have signed; any other may stand beside it and never alone."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Attested:
    """By which key a statement is signed, and when: microseconds since the epoch, as the signer says."""

    key: SigningKey
    signed_at: int


def sign_statement(
    document: Mapping[str, Any], key: PrivateKey, *, signee: str, created: int, uuid: str, plain: bool = False
) -> dict[str, Any]:
    """Return a statement with one more signature (X.590 7.1).

    :param signee: STIX identity of the signer. :param created: signing time, microseconds, cut to milliseconds.
    :param uuid: of the signature, version 4. :param plain: as `hub.domain.canonical.jcs` takes it.
    """
    stamp = format_timestamp(created)[:23] + "Z"
    metadata = {"type": "jss", "id": uuid, "created": stamp, "modified": stamp, "signee": signee}
    return jss.sign(document, key, metadata=metadata, plain=plain)


def check_statement(document: Mapping[str, Json], ring: KeyRing, *, signee: str, now: int) -> Attested:
    """Return by which key a statement is signed.

    1. It carries 1 to ``limits.MAX_SIGNATURES`` signatures, and each names the expected signee.
    2. Each is by a key of the ring that is the signee's, and that was valid at the signing time.
    3. Each verifies, and one of them is of a classical algorithm.

    Raises:
        SignatureError: one of these is not so.
    """
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= limits.MAX_SIGNATURES:
        raise SignatureError(f"there must be 1 to {limits.MAX_SIGNATURES} signatures", field="signatures")
    attested: Attested | None = None
    for signature in signatures:
        if not isinstance(signature, dict):
            raise SignatureError("every element must be a signature object", field="signatures")
        found = _attested(document, signature, ring, signee, now)
        if attested is None and found.key.algorithm in CLASSICAL:
            attested = found
    if attested is None:
        raise SignatureError(f"one signature must be of {' or '.join(CLASSICAL)}", field="signatures.algorithm")
    return attested


def _attested(
    document: Mapping[str, Json], signature: Mapping[str, Any], ring: KeyRing, signee: str, now: int
) -> Attested:
    jss.check_form(signature)
    uuid, created = signature.get("id"), signature.get("created")
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise SignatureError("it must be a UUID", field="signatures.id")
    if not isinstance(created, str) or not is_timestamp(created):
        raise SignatureError("it must be an RFC 3339 timestamp ending in Z", field="signatures.created")
    if signature.get("modified", created) != created:
        raise SignatureError("it must be the time of created", field="signatures.modified")
    if "revoked" in signature or "signature" in signature:
        raise SignatureError("a statement is neither withdrawn nor countersigned in place", field="signatures")
    if signature.get("signee") != signee:
        raise SignatureError("it is not who should have signed", field="signatures.signee")
    signed_at = instant_us(created)
    keys = [key for key in ring.matching(signature) if key.identity == signee]
    if not keys:
        raise SignatureError("it is not an enrolled key of the signee", field="signatures.public_key")
    standings = [(key, ring.standing(key, signed_at, now)) for key in keys]
    for key, standing in standings:
        if standing:
            if jss.verify(document, signature, ring.loaded(key)) != "hex":
                raise SignatureError("it does not match: something was changed afterwards", field="signatures.value")
            return Attested(key, signed_at)
    raise SignatureError(standings[0][1].reason, field="signatures.public_key")
