"""Rule `quantum-safe`: where a second signature is required it is there, and where it is off it is not.

Reason: what is signed today is relied on for years. A peer that always signs twice says so here, and whoever strips the
second signature on the way is found out. `off` is for links on which six kilobytes more for each object are too many.
"""

from __future__ import annotations

from typing import Final

from hub.domain.hybrid import is_quantum_safe, signatures_in
from hub.domain.key_material import QUANTUM_SAFE
from hub.domain.membership import QuantumSafe
from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication
from hub.domain.signature_extensions import SIGNATURE_TYPE

NAME: Final = "quantum-safe"


def strictest(*settings: QuantumSafe) -> QuantumSafe:
    """Return what holds where several settings meet: required goes before off, and off before optional."""
    for setting in (QuantumSafe.REQUIRED, QuantumSafe.OFF):
        if setting in settings:
            return setting
    return QuantumSafe.OPTIONAL


def contradict(one: QuantumSafe, other: QuantumSafe) -> bool:
    """Say whether nothing that is signed could meet both settings."""
    return {one, other} == {QuantumSafe.REQUIRED, QuantumSafe.OFF}


def check(publication: Publication) -> Decision:
    """Refuse what lacks a second signature that is required, or carries one where it is off.

    Asked after the rule `signature`: whatever is signed here holds. A withdrawal takes no second signature.
    """
    is_signature = publication.facts.type == SIGNATURE_TYPE
    if is_signature and publication.body.get("revoked") is True:
        return allow(NAME, "a withdrawal is signed once")
    setting = strictest(publication.group.quantum_safe, *_of_the_signer(publication))
    if setting is QuantumSafe.REQUIRED and not _is_signed_twice(publication):
        return deny(NAME, "a second signature with ML-DSA-65 is required here: sign with your ML-DSA key as well")
    if setting is QuantumSafe.OFF and any(is_quantum_safe(one) for one in signatures_in(publication.body)):
        return deny(NAME, "quantum-safe signatures are not taken here: sign without your ML-DSA key")
    return allow(NAME, "signed as it has to be")


def _of_the_signer(publication: Publication) -> tuple[QuantumSafe, ...]:
    """Return the settings of the peer that signs; of what is not signed, those of all who might have."""
    submitter, author = publication.submitter, publication.author
    attestation = publication.attestation
    if attestation is None:
        return (submitter.quantum_safe, *(() if author is None else (author.quantum_safe,)))
    if author is not None and attestation.key.peer_id == author.id:
        return (author.quantum_safe,)
    return (submitter.quantum_safe,)


def _is_signed_twice(publication: Publication) -> bool:
    attestation = publication.attestation
    if attestation is None or attestation.second is None:
        return False
    return (attestation.key.algorithm in QUANTUM_SAFE) != (attestation.second.algorithm in QUANTUM_SAFE)
