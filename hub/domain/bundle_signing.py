"""Sign every object of a bundle: the signer's own inline, all others with a ``jss-signature`` object beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.domain.key_material import PrivateKey
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
) -> tuple[list[dict[str, Any]], tuple[SignedObject, ...]]:
    """Return the objects, each one signed, with new ``jss-signature`` objects after their targets; and what was done.

    What the signer has signed before stays as it is, so signing twice changes nothing. Signatures by others are kept.
    A detached signature takes over the markings of its target.

    :param created: signing time, RFC 3339 UTC with three digits of a second.
    :param new_uuid: gives a fresh UUIDv4 text at each call.

    Raises:
        SignatureError: an object cannot be signed. MalformedJson: it is not I-JSON.
    """
    present = {
        (str(obj.get("related_to")), str(obj.get("related_version")))
        for obj in objects
        if obj.get("type") == SIGNATURE_TYPE and obj.get("created_by_ref") == identity
    }
    signed: list[dict[str, Any]] = []
    done: list[SignedObject] = []
    for obj in objects:
        if obj["type"] == SIGNATURE_TYPE:
            signed.append(dict(obj))
            continue
        version = related_version(obj)
        own = signs_inline(obj, identity)
        if (own and "signatures" in obj) or (obj["id"], version) in present:
            signed.append(dict(obj))
            done.append(SignedObject(obj["id"], "present"))
        elif own:
            signed.append(sign_inline(obj, key, identity=identity, created=created, signature_uuid=new_uuid()))
            done.append(SignedObject(obj["id"], "inline"))
        else:
            beside = detached_signature(
                obj,
                key,
                identity=identity,
                created=created,
                uuid=new_uuid(),
                related_version=version,
                marking_refs=_markings(obj),
            )
            signed += [dict(obj), beside]
            present.add((obj["id"], version))  # the same version may stand in a bundle twice
            done.append(SignedObject(obj["id"], "detached"))
    return signed, tuple(done)


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
