"""Two signatures of one signer over one version: a classical one, and a quantum-safe one beside it.

The quantum-safe one never stands alone: most verifiers could not check it, and a break of the younger algorithm would
leave nothing. What pairs two signatures is the signer, the object and the version, all of which each of them signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from hub.domain.key_material import CLASSICAL, QUANTUM_SAFE
from hub.domain.keys import RULE, SigningKey
from hub.domain.policy.decision import Decision, deny
from hub.domain.signature_profile import SIGNATURE_TYPE, Attestation

LONE: Final = (
    "a quantum-safe signature counts only beside a classical one (Ed25519 or ES256) by the same signer over the same"
    " version: send both"
)

Signer: TypeAlias = tuple[int, str]
"""Peer id and identity of who signs: a pseudonym of a peer is another signer than the peer."""


def signer_of(key: SigningKey) -> Signer:
    """Return who signs with a key."""
    return key.peer_id, key.identity


def paired(found: Sequence[Attestation], beside: Iterable[SigningKey] = ()) -> list[Attestation | Decision]:
    """Return each signature over one version with the key of its partner, and a refusal for a lone quantum-safe one.

    :param found: signatures that verified, all over the same version.
    :param beside: keys of further signatures over that version, which were verified before.
    """
    keys = [key for one in found for key in (one.key, one.second) if key is not None] + list(beside)
    classical = {signer_of(key): key for key in keys if key.algorithm in CLASSICAL}
    quantum_safe = {signer_of(key): key for key in keys if key.algorithm in QUANTUM_SAFE}
    results: list[Attestation | Decision] = []
    for one in found:
        others = quantum_safe if one.key.algorithm in CLASSICAL else classical
        partner = one.second or others.get(signer_of(one.key))
        if partner is None and one.key.algorithm in QUANTUM_SAFE:
            results.append(deny(RULE, LONE))
        else:
            results.append(replace(one, second=partner))
    return results


def signatures_in(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the signature objects that an object carries: its own inline ones, or the one that it is the wrapper of.

    They are as they stand there: nothing about them is checked.
    """
    held = [obj.get("signature")] if obj.get("type") == SIGNATURE_TYPE else obj.get("signatures")
    return [one for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []


def is_quantum_safe(signature: Mapping[str, Any]) -> bool:
    """Say whether a signature object names a quantum-safe algorithm."""
    return signature.get("algorithm") in QUANTUM_SAFE
