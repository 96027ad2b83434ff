"""Two signatures of one signer over one version: a classical one, and a quantum-safe one beside it.

The quantum-safe one never stands alone: most verifiers could not check it, and a break of the younger algorithm would
leave nothing. What pairs two signatures is the signer, the object and the version, all of which each of them signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from hub.domain.key_material import QUANTUM_SAFE
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


class Partners:
    """The keys of all signatures over one version that hold, by who signs with them."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        """Hold these keys; of several of one signer and kind the last."""
        self._classical: dict[Signer, SigningKey] = {}
        self._quantum_safe: dict[Signer, SigningKey] = {}
        for key in keys:
            kind = self._quantum_safe if key.algorithm in QUANTUM_SAFE else self._classical
            kind[signer_of(key)] = key

    def pair(self, one: Attestation) -> Attestation | Decision:
        """Return a signature with the key of its partner, or a refusal of a quantum-safe one that has none."""
        lone = one.key.algorithm in QUANTUM_SAFE
        others = self._classical if lone else self._quantum_safe
        partner = one.second or others.get(signer_of(one.key))
        if partner is None and lone:
            return deny(RULE, LONE)
        return replace(one, second=partner)


def paired(found: Sequence[Attestation]) -> list[Attestation | Decision]:
    """Return each of these signatures, which verified over the same version, as `Partners.pair` does."""
    partners = Partners(key for one in found for key in (one.key, one.second) if key is not None)
    return [partners.pair(one) for one in found]


def signatures_in(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the signature objects that an object carries: its own inline ones, or the one that it is the wrapper of.

    They are as they stand there: nothing about them is checked.
    """
    held = [obj.get("signature")] if obj.get("type") == SIGNATURE_TYPE else obj.get("signatures")
    return [one for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []


def is_quantum_safe(signature: Mapping[str, Any]) -> bool:
    """Say whether a signature object names a quantum-safe algorithm."""
    return signature.get("algorithm") in QUANTUM_SAFE
