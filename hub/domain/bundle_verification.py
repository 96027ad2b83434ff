"""Verify every object of a bundle: who signed it, whether that was its author, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.domain.hybrid import paired
from hub.domain.jss import Form
from hub.domain.key_material import public_key
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.policy.decision import Decision
from hub.domain.signature_profile import (
    SIGNATURE_TYPE,
    Attestation,
    carries_inline,
    check_detached,
    check_inline,
    related_version,
)
from hub.errors import SignatureError


class Status(StrEnum):
    """What was found out about one object."""

    VERIFIED = "verified"  # every signature it has is by an enrolled key and holds
    INTACT = "intact"  # every signature holds under the key it names itself: nothing changed, but who signed is open
    FAILED = "failed"  # a signature does not hold
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature holds. ``author``: the signer is the identity in ``created_by_ref``.

    :param algorithms: of this signature, and of the signer's second one when there is one.
    """

    identity: str
    carrier: str
    form: Form
    signed_at: int  # microseconds since the epoch, as the signer says
    author: bool
    algorithms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome for one object."""

    id: str
    version: str
    status: Status
    reason: str
    signers: tuple[Signer, ...] = ()


def verify_objects(objects: Sequence[Mapping[str, Any]], ring: KeyRing | None, *, now: int) -> tuple[Checked, ...]:
    """Say of each object what its signatures prove; a ``jss-signature`` object counts for its target.

    An object with several signatures is verified only when all of them hold.

    :param ring: the enrolled keys. None: take each signature's own word for its key, which can show that nothing was
        changed since, but never who signed; then nothing is better than ``intact``.
    :param now: microseconds since the epoch.
    """
    beside: dict[tuple[Any, Any], list[Mapping[str, Any]]] = defaultdict(list)
    for obj in objects:
        if obj["type"] == SIGNATURE_TYPE:
            beside[_text(obj, "related_to"), _text(obj, "related_version")].append(obj)
    checked = []
    found: set[tuple[Any, Any]] = set()
    for obj in objects:
        if obj["type"] != SIGNATURE_TYPE:
            version = related_version(obj)
            found.add((obj["id"], version))
            checked.append(_check(obj, version, beside.get((obj["id"], version), []), ring, now))
    orphans = [one for target, ones in beside.items() if target not in found for one in ones]
    reason = "the signed version of its target is not here"
    checked += [Checked(orphan["id"], related_version(orphan), Status.FAILED, reason) for orphan in orphans]
    return tuple(checked)


def _check(
    obj: Mapping[str, Any], version: str, beside: Sequence[Mapping[str, Any]], ring: KeyRing | None, now: int
) -> Checked:
    keys = _named_keys(obj, beside) if ring is None else ring
    results: list[Attestation | Decision] = []
    if carries_inline(obj):
        results.append(check_inline(obj, keys, signer_peers=keys.peers(), now=now))
    results += [check_detached(obj, one, keys, signer_peers=None, now=now) for one in beside]
    held = [one for one in results if isinstance(one, Attestation)]
    results = [*paired(held), *(one for one in results if isinstance(one, Decision))]
    signers = tuple(
        Signer(
            result.key.identity,
            result.carrier,
            result.form,
            result.signed_at,
            result.key.identity == obj.get("created_by_ref"),
            (result.key.algorithm, *(() if result.second is None else (result.second.algorithm,))),
        )
        for result in results
        if isinstance(result, Attestation)
    )
    refusals = [result.reason for result in results if isinstance(result, Decision)]
    if refusals:
        return Checked(obj["id"], version, Status.FAILED, refusals[0], signers)
    if not signers:
        return Checked(obj["id"], version, Status.UNSIGNED, "it carries no signature")
    if ring is None:
        return Checked(obj["id"], version, Status.INTACT, "unchanged since signing; the signer is not known", signers)
    return Checked(obj["id"], version, Status.VERIFIED, "signed by an enrolled key", signers)


def _named_keys(obj: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]) -> KeyRing:
    """Return the keys that the signatures name themselves, as if they were whose they say: proves integrity only."""
    inline = obj.get("signatures")
    signatures = [*(inline if isinstance(inline, list) else ()), *(one.get("signature") for one in beside)]
    keys: list[SigningKey] = []
    for signature in signatures:
        if isinstance(signature, Mapping) and isinstance(signature.get("public_key"), str):
            try:
                key = public_key(signature["public_key"])
            except SignatureError:
                continue  # the check that follows finds no key and says so
            signee = signature.get("signee")
            if isinstance(signee, str):
                keys.append(SigningKey(len(keys), 0, signee, key.kid, key.algorithm, key.text, valid_from=-(2**63)))
    return KeyRing(keys)


def _text(obj: Mapping[str, Any], name: str) -> str | None:
    value = obj.get(name)
    return value if isinstance(value, str) else None
