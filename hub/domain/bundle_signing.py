"""Sign every object of a bundle: the signer's own inline, all others with a ``jss-signature`` object beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.domain.hybrid import signatures_in
from hub.domain.key_material import CLASSICAL, QUANTUM_SAFE, PrivateKey
from hub.domain.signature_profile import SIGNATURE_TYPE, detached_signature, related_version, sign_inline
from hub.domain.stix import is_sco
from hub.errors import SignatureError


@dataclass(frozen=True, slots=True)
class SignedObject:
    """What was done about one object; ``present`` means it carried the signer's signature before."""

    id: str
    carrier: Literal["inline", "detached", "present"]


def sign_objects(
    objects: Sequence[Mapping[str, Any]],
    key: PrivateKey,
    *,
    identity: str,
    created: str,
    new_uuid: Callable[[], str],
    second: PrivateKey | None = None,
    inline: bool = True,
) -> tuple[list[dict[str, Any]], tuple[SignedObject, ...]]:
    """Return the objects, each one signed, with new ``jss-signature`` objects after their targets; and what was done.

    What the signer has signed before stays as it is, so signing twice changes nothing. Signatures by others are kept.
    A detached signature takes over the markings of its target.

    :param created: signing time, RFC 3339 UTC with three digits of a second.
    :param new_uuid: gives a fresh UUIDv4 text at each call.
    :param second: a quantum-safe key of the same signer, which signs beside ``key``. What is signed inline already gets
        its second signature beside it: another element of ``signatures`` would be another content of the same version.

    :param inline: False puts the signer's own objects, too, under signatures beside them.

    Raises:
        SignatureError: an object cannot be signed, or a key has not the kind of its place.
        MalformedJson: an object is not I-JSON.
    """
    _check_kinds(key, second)
    present: set[tuple[str, str, str]] = set()  # object, version, algorithm
    for obj in objects:
        if obj.get("type") == SIGNATURE_TYPE and obj.get("created_by_ref") == identity:
            present |= {(str(obj.get("related_to")), str(obj.get("related_version")), one) for one in _algorithms(obj)}
    signed: list[dict[str, Any]] = []
    done: list[SignedObject] = []
    for obj in objects:
        if obj["type"] == SIGNATURE_TYPE:
            signed.append(dict(obj))
            continue
        version = related_version(obj)
        if inline and signs_inline(obj, identity):
            if "signatures" not in obj:
                pair = None if second is None else (second, new_uuid())
                signed.append(
                    sign_inline(obj, key, identity=identity, created=created, signature_uuid=new_uuid(), second=pair)
                )
                done.append(SignedObject(obj["id"], "inline"))
                continue
            present |= {(obj["id"], version, one) for one in _algorithms(obj)}
            wanted = [] if second is None else [second]
        else:
            wanted = [key] if second is None else [key, second]
        missing = [one for one in wanted if not _is_present(present, obj["id"], version, one)]
        signed.append(dict(obj))
        for one in missing:
            signed.append(
                detached_signature(
                    obj,
                    one,
                    identity=identity,
                    created=created,
                    uuid=new_uuid(),
                    related_version=version,
                    marking_refs=_markings(obj),
                )
            )
            present.add((obj["id"], version, one.algorithm))  # the same version may stand in a bundle twice
        done.append(SignedObject(obj["id"], "detached" if missing else "present"))
    return signed, tuple(done)


def _check_kinds(key: PrivateKey, second: PrivateKey | None) -> None:
    if key.algorithm not in CLASSICAL:
        raise SignatureError(
            f"sign with a key of {' or '.join(CLASSICAL)}, and give the {key.algorithm} key as the second one",
            field="key",
        )
    if second is not None and second.algorithm not in QUANTUM_SAFE:
        raise SignatureError(f"the second key must be one of {' or '.join(QUANTUM_SAFE)}", field="second_key")


def _algorithms(obj: Mapping[str, Any]) -> set[str]:
    return {str(one.get("algorithm")) for one in signatures_in(obj)}


def _is_present(present: set[tuple[str, str, str]], stix_id: str, version: str, key: PrivateKey) -> bool:
    """Say whether this signer has signed this version with a key of the same kind, whichever it was."""
    kind = CLASSICAL if key.algorithm in CLASSICAL else QUANTUM_SAFE
    return any((stix_id, version, algorithm) in present for algorithm in kind)


def signs_inline(obj: Mapping[str, Any], identity: str) -> bool:
    """Say whether this signer signs this object inline: it is his own, and no observable and no marking definition."""
    return (
        obj.get("created_by_ref") == identity
        and "modified" in obj
        and obj["type"] != "marking-definition"
        and not is_sco(obj)
    )


def _markings(obj: Mapping[str, Any]) -> list[str]:
    """Return the object's markings and its granular ones: beside the object they count for the whole of it."""
    whole, parts = obj.get("object_marking_refs", []), obj.get("granular_markings", [])
    if not isinstance(whole, list) or not isinstance(parts, list):
        raise SignatureError("the markings of an object must be lists", field="object_marking_refs")
    granular = [part["marking_ref"] for part in parts if isinstance(part, Mapping) and "marking_ref" in part]
    return list(dict.fromkeys(str(ref) for ref in [*whole, *granular]))
