"""Rule `signature`: what the group wants signed is signed, by the peer that publishes it.

Reason: a reader must be able to prove where an object came from without trusting the hub. A signature that is there and
does not verify is refused even where none is required: either the object or the signature has been tampered with.
"""

from __future__ import annotations

from typing import Final

from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication
from hub.domain.signature_extensions import SIGNATURE_TYPE

NAME: Final = "signature"


def check(publication: Publication) -> Decision:
    """Refuse a signature that failed, one by somebody else's key, and none at all where the group requires one."""
    if publication.signature_refusal is not None:
        return deny(NAME, publication.signature_refusal.reason)
    if publication.pseudonym and publication.facts.type != SIGNATURE_TYPE:
        key = None if publication.attestation is None else publication.attestation.key
        if key is None or key.identity != publication.facts.created_by_ref:
            return deny(NAME, "under a pseudonym every object is signed with the key of the pseudonym, and no other")
    if publication.attestation is None:
        if publication.group.signature_required and publication.facts.type != SIGNATURE_TYPE:
            return deny(NAME, "the group requires a signature and the object has none: sign it with your peer's key")
        return allow(NAME, "not signed, and the group does not require it")
    signer = publication.attestation.key.peer_id
    if signer == publication.submitter.id:
        return allow(NAME, "signed by the peer that publishes it")
    if publication.relay_right and publication.author is not None and signer == publication.author.id:
        return allow(NAME, "signed by its author and relayed with the right to do so")
    return deny(NAME, "the signature is not by a key of the peer that publishes the object: sign it with your own key")
