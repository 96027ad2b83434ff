"""X.590 signatures in STIX 2.1: inline in the author's own object, or in a ``jss-signature`` object beside any other.

Both carriers sign the same text: the object with this one signature as the only element of ``signatures``. What the
signature says of itself (id, times, signee, object, version) is inside that text, so none of it can be changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from hub.domain import jss, limits
from hub.domain.canonical import jcs, sha256_hex
from hub.domain.key_material import CLASSICAL, QUANTUM_SAFE, PrivateKey
from hub.domain.keys import RULE, KeyRing, SigningKey
from hub.domain.policy.decision import Decision, deny
from hub.domain.signature_extensions import (
    DETACHED_EXTENSION,
    DETACHED_EXTENSION_ID,
    EXTENSION_DEFINITIONS,
    INLINE_EXTENSION,
    INLINE_EXTENSION_ID,
    SIGNATURE_TYPE,
)
from hub.domain.stix import instant_us, is_timestamp
from hub.errors import MalformedJson, SignatureError

__all__ = [
    "DETACHED_EXTENSION_ID",
    "EXTENSION_DEFINITIONS",
    "INLINE_EXTENSION_ID",
    "NOT_ENROLLED",
    "SIGNATURE_TYPE",
    "Attestation",
    "carries_inline",
    "check_detached",
    "check_inline",
    "check_withdrawal",
    "detached_signature",
    "related_version",
    "sign_inline",
    "unwrapped",
]

NOT_ENROLLED: Final = "public_key: it is not an enrolled key of a peer who may sign this object"
"""One answer for a stranger's key and for a key that counts elsewhere: who enrolled what is not for all to know."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SIGNED_TWICE: Final = ("created", "modified", "related_to", "related_version")
_WRAPPER_REQUIRED: Final = frozenset(
    {"type", "spec_version", "id", "created_by_ref", "signature", "extensions", *_SIGNED_TWICE}
)
_WRAPPER_OPTIONAL: Final = frozenset({"object_marking_refs", "revoked"})


@dataclass(frozen=True, slots=True)
class Attestation:
    """A signature that holds: this key, at this time, over exactly this object.

    :param second: the signer's other key, of the other kind, whose signature over the same version holds as well. An
        object's attestation has the classical key in ``key`` and the quantum-safe one here.
    """

    key: SigningKey
    form: jss.Form
    signed_at: int  # microseconds since the epoch, as the signer says
    carrier: Literal["inline", "detached"]
    second: SigningKey | None = None


def related_version(obj: Mapping[str, Any]) -> str:
    """Return what names a version of an object in a signature: ``modified``, else ``created``, else its JCS SHA-256."""
    for name in ("modified", "created"):
        version = obj.get(name)
        if isinstance(version, str):
            return version
    return sha256_hex(jcs(obj if type(obj) is dict else dict(obj)))


def carries_inline(obj: Mapping[str, Any]) -> bool:
    """Say whether an object claims to be signed inline, be it that only the claim is left."""
    extensions = obj.get("extensions")
    return "signatures" in obj or (isinstance(extensions, Mapping) and INLINE_EXTENSION_ID in extensions)


def check_inline(
    obj: Mapping[str, Any], ring: KeyRing, *, signer_peers: frozenset[int], now: int, plain: bool = False
) -> Attestation | Decision:
    """Say what the ``signatures`` of an object prove; a refusal when any of them does not hold.

    1. The object declares our extension and carries 1 to ``limits.MAX_SIGNATURES`` signatures.
    2. Each names this object and version, and the author as its signee.
    3. Each is by an enrolled key of that author, who is one of ``signer_peers``, valid at the signing time.
    4. Each verifies. Countersignatures by keys of the ring verify as well.
    5. No key signs twice, and a quantum-safe signature does not stand without a classical one.

    The last classical one, which was added last, is returned. All times are microseconds since the epoch.

    :param plain: of the object, as `hub.domain.canonical.jcs` takes it.
    """
    try:
        return _inline(obj, ring, signer_peers, now, plain)
    except (SignatureError, MalformedJson) as error:
        return deny(RULE, str(error))


def check_detached(
    target: Mapping[str, Any],
    signature_object: Mapping[str, Any],
    ring: KeyRing,
    *,
    signer_peers: frozenset[int] | None,
    now: int,
    plain: bool = False,
) -> Attestation | Decision:
    """Say what a ``jss-signature`` object proves of a target.

    1. It has the published form and nothing beside it that the signature does not cover, markings excepted.
    2. Its id, times, author, target and version are those inside the signature: it was not moved, replayed or re-dated.
    3. It names exactly this object and version.
    4. It is by an enrolled key of its signee, who is one of ``signer_peers`` (None: any peer of the ring).
    5. It verifies over the target, and is not withdrawn.

    :param plain: of target and signature both, as `hub.domain.canonical.jcs` takes it.
    """
    try:
        signature = unwrapped(signature_object)
        return _attest(target, signature, ring, signer_peers, now, "detached", revoked=False, plain=plain)
    except (SignatureError, MalformedJson) as error:
        return deny(RULE, str(error))


def check_withdrawal(
    target: Mapping[str, Any],
    signature_object: Mapping[str, Any],
    ring: KeyRing,
    *,
    signer_peers: frozenset[int] | None,
    now: int,
) -> Attestation | Decision:
    """Say whether a ``jss-signature`` object with ``revoked: true`` is really its signer's withdrawal (X.590 6.3)."""
    try:
        signature = unwrapped(signature_object)
        return _attest(target, signature, ring, signer_peers, now, "detached", revoked=True)
    except (SignatureError, MalformedJson) as error:
        return deny(RULE, str(error))


def sign_inline(
    obj: Mapping[str, Any],
    private_key: PrivateKey,
    *,
    identity: str,
    created: str,
    signature_uuid: str,
    second: tuple[PrivateKey, str] | None = None,
) -> dict[str, Any]:
    """Return the author's own object with the extension declared and one inline signature, or two.

    Its ``modified`` is left alone: to sign a version that is published already, make a new version first.

    :param second: a quantum-safe key, and the UUID of the signature that it makes.

    Raises:
        SignatureError: the signer is not the author, or the object carries ``signatures`` already.
    """
    if obj.get("created_by_ref") != identity:
        raise SignatureError("only the author signs inline; sign beside the object instead", field="created_by_ref")
    if "signatures" in obj:
        raise SignatureError("the object carries signatures already", field="signatures")
    extensions = obj.get("extensions", {})
    if not isinstance(extensions, Mapping):
        raise SignatureError("extensions must be an object", field="extensions")
    declared = {**obj, "extensions": {**extensions, INLINE_EXTENSION_ID: dict(INLINE_EXTENSION)}}
    version = related_version(declared)
    signed = jss.sign(declared, private_key, metadata=_metadata(declared, identity, created, signature_uuid, version))
    if second is None:
        return signed
    key, uuid = second
    return jss.sign(signed, key, metadata=_metadata(declared, identity, created, uuid, version))


def detached_signature(
    target: Mapping[str, Any],
    private_key: PrivateKey,
    *,
    identity: str,
    created: str,
    uuid: str,
    related_version: str,
    marking_refs: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a ``jss-signature`` object over a target; its markings should be at least as strict as the target's.

    :param created: signing time, RFC 3339 UTC with three digits of a second.
    :param related_version: `related_version` of the target.
    """
    payload = {name: member for name, member in target.items() if name != "signatures"}
    metadata = _metadata(target, identity, created, uuid, related_version)
    signature = jss.sign(payload, private_key, metadata=metadata)["signatures"][0]
    wrapper = {
        "type": SIGNATURE_TYPE,
        "spec_version": "2.1",
        "id": f"{SIGNATURE_TYPE}--{uuid}",
        "created_by_ref": identity,
        "created": created,
        "modified": created,
        "related_to": target["id"],
        "related_version": related_version,
        "signature": signature,
        "extensions": {DETACHED_EXTENSION_ID: dict(DETACHED_EXTENSION)},
    }
    if marking_refs:
        wrapper["object_marking_refs"] = list(marking_refs)
    return wrapper


def _metadata(target: Mapping[str, Any], identity: str, created: str, uuid: str, version: str) -> dict[str, Any]:
    return {
        "type": "jss",
        "id": uuid,
        "created": created,
        "modified": created,
        "related_to": target["id"],
        "related_version": version,
        "signee": identity,
    }


def _inline(obj: Mapping[str, Any], ring: KeyRing, signer_peers: frozenset[int], now: int, plain: bool) -> Attestation:
    signatures, extensions = obj.get("signatures"), obj.get("extensions")
    if not isinstance(extensions, Mapping) or extensions.get(INLINE_EXTENSION_ID) != INLINE_EXTENSION:
        raise SignatureError("extensions: the extension that declares signatures is missing")
    if not isinstance(signatures, list) or not signatures:
        raise SignatureError("signatures: the object declares signatures but carries none")
    if len(signatures) > limits.MAX_SIGNATURES:
        raise SignatureError(f"signatures: an object carries at most {limits.MAX_SIGNATURES}")
    found: dict[int, Attestation] = {}
    for signature in signatures:
        if not isinstance(signature, Mapping):
            raise SignatureError("signatures: every element must be a signature object")
        if signature.get("signee") != obj.get("created_by_ref"):
            raise SignatureError("signatures.signee: only the author of the object signs inline")
        one = _attest(obj, signature, ring, signer_peers, now, "inline", revoked=False, plain=plain)
        if one.key.id in found:
            raise SignatureError("signatures: one key signs an object once")
        found[one.key.id] = one
    classical = [one for one in found.values() if one.key.algorithm in CLASSICAL]
    if not classical:
        raise SignatureError("signatures: a quantum-safe signature counts only beside a classical one: sign with both")
    second = [one.key for one in found.values() if one.key.algorithm in QUANTUM_SAFE]
    return replace(classical[-1], second=second[-1]) if second else classical[-1]


def unwrapped(wrapper: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the signature inside a ``jss-signature`` object whose other properties all agree with it.

    Raises:
        SignatureError: the wrapper has not the published form, or says something else than the signature in it.
    """
    if wrapper.get("type") != SIGNATURE_TYPE or wrapper.get("spec_version") != "2.1":
        raise SignatureError(f"type: a detached signature is a STIX 2.1 {SIGNATURE_TYPE} object")
    names = frozenset(wrapper)
    if not names >= _WRAPPER_REQUIRED:
        raise SignatureError(f"{min(_WRAPPER_REQUIRED - names)}: a {SIGNATURE_TYPE} object must have it")
    if not names <= _WRAPPER_REQUIRED | _WRAPPER_OPTIONAL:
        raise SignatureError(f"a {SIGNATURE_TYPE} object may hold nothing that its signature does not cover")
    if wrapper["extensions"] != {DETACHED_EXTENSION_ID: DETACHED_EXTENSION}:
        raise SignatureError("extensions: exactly the extension of detached signatures must be declared")
    signature = wrapper["signature"]
    if not isinstance(signature, Mapping):
        raise SignatureError("signature: it must be a signature object")
    if wrapper["id"] != f"{SIGNATURE_TYPE}--{signature.get('id')}":
        raise SignatureError("id: it differs from the signed one")
    for name in _SIGNED_TWICE:
        if wrapper[name] != signature.get(name):
            raise SignatureError(f"{name}: it differs from the signed one")
    if wrapper["created_by_ref"] != signature.get("signee"):
        raise SignatureError("created_by_ref: it differs from the signed signee")
    if wrapper.get("revoked", False) is not signature.get("revoked", False):
        raise SignatureError("revoked: it differs from the signed one")
    return signature


def _attest(
    target: Mapping[str, Any],
    signature: Mapping[str, Any],
    ring: KeyRing,
    signer_peers: frozenset[int] | None,
    now: int,
    carrier: Literal["inline", "detached"],
    *,
    revoked: bool,
    plain: bool = False,
) -> Attestation:
    jss.check_form(signature)
    signed_at = _signing_time(signature, now, revoked=revoked)
    if signature.get("related_to") != target.get("id"):
        raise SignatureError("related_to: the signature belongs to another object")
    if signature.get("related_version") != related_version(target):
        raise SignatureError("related_version: the signature belongs to another version")
    key = _key(signature, ring, signer_peers, signed_at, now)
    form = jss.verify(target, signature, ring.loaded(key), plain=plain)
    if form is None:
        raise SignatureError("value: the signature does not match the object; it was changed after signing")
    _check_countersignatures(target, signature, ring)
    return Attestation(key, form, signed_at, carrier)


def _signing_time(signature: Mapping[str, Any], now: int, *, revoked: bool) -> int:
    """Check what a signature says of itself (X.590 6.3) and return when it was made."""
    if not isinstance(signature.get("id"), str) or not _UUID.fullmatch(signature["id"]):
        raise SignatureError("signature.id: it must be a UUID")
    created = _instant(signature, "created")
    if created is None:
        raise SignatureError("signature.created: the signing time is missing")
    modified = created if signature.get("modified") == signature["created"] else _instant(signature, "modified")
    if modified is not None and modified < created:
        raise SignatureError("signature.modified: it is earlier than created")
    if signature.get("revoked", False) is not revoked:
        raise SignatureError("signature.revoked: the signer has withdrawn this signature, or it is no withdrawal")
    if not revoked:  # validity dates are ignored in a withdrawal
        begins, ends = _instant(signature, "valid_from"), _instant(signature, "valid_until")
        if begins is not None and now < begins:
            raise SignatureError("signature.valid_from: the signature is not valid yet")
        if ends is not None and now >= ends:
            raise SignatureError("signature.valid_until: the signature is no longer valid")
    return created if modified is None else modified


def _instant(signature: Mapping[str, Any], name: str) -> int | None:
    if name not in signature:
        return None
    if not is_timestamp(signature[name]):
        raise SignatureError(f"signature.{name}: it must be an RFC 3339 timestamp ending in Z")
    return instant_us(signature[name])


def _key(
    signature: Mapping[str, Any], ring: KeyRing, signer_peers: frozenset[int] | None, signed_at: int, now: int
) -> SigningKey:
    """Return the enrolled key that made the signature, as far as its names and dates go."""
    if "public_key" not in signature:
        raise SignatureError(
            "public_key: name an enrolled key by it; certificates, their URLs and thumbprints are not accepted"
        )
    keys = [key for key in ring.matching(signature) if signer_peers is None or key.peer_id in signer_peers]
    if not keys:
        raise SignatureError(NOT_ENROLLED)
    keys = [key for key in keys if key.identity == signature.get("signee")]
    if not keys:
        raise SignatureError("signee: it is not the identity that the key belongs to")
    standing = [(key, ring.standing(key, signed_at, now)) for key in keys]
    for key, decision in standing:
        if decision:
            return key
    raise SignatureError(standing[0][1].reason)


def _check_countersignatures(target: Mapping[str, Any], signature: Mapping[str, Any], ring: KeyRing) -> None:
    """Refuse a countersignature that is by a key of the ring and does not match; strangers' prove nothing.

    The signature does not cover what is nested in it later, so nothing but an X.590 signature object may stand there.
    """
    for level, countersignature in enumerate(jss.levels(signature)):
        if level == 0:
            continue
        if not jss.PROPERTIES.issuperset(countersignature):
            raise SignatureError("signature.signature: it holds what X.590 does not know and no signature covers")
        jss.check_form(countersignature)
        for key in ring.matching(countersignature)[:1]:
            if jss.verify(target, signature, ring.loaded(key), level=level) is None:
                raise SignatureError("signature.signature: a countersignature does not match")
