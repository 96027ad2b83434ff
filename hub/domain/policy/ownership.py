"""Rule `ownership`: what a peer of this hub has authored, only that peer publishes, or one that may relay for it.

Reason: in STIX only the creator makes versions (2.1 §3.6). Otherwise any member could revoke, rewrite or put words into
the mouth of another. What depends on stored versions is settled by `hub.domain.admission`.
"""

from __future__ import annotations

from typing import Final

from hub.domain import pap, tlp
from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication
from hub.domain.signature_extensions import SIGNATURE_TYPE

NAME: Final = "ownership"

NOT_YOURS: Final = (
    "this object is not yours to publish here: only its author, or a peer that may relay for the author, does;"
    " send an object of your own, with a new id, and relate it to this one by derived-from"
)
"""Also the answer where a stored object the submitter may not know of stands in the way: it must be the same text."""


def check(publication: Publication) -> Decision:
    """Refuse to publish in another peer's name, and to change a published marking."""
    about, submitter = publication.facts, publication.submitter
    own = about.created_by_ref is not None and about.created_by_ref == submitter.identity
    if publication.pseudonym:
        own = publication.author is not None and publication.author.id == submitter.id
    relayed = publication.author is not None and publication.relay_right
    if publication.author is not None and publication.author.id != submitter.id and not relayed:
        return deny(NAME, NOT_YOURS)
    if publication.pseudonym and not publication.group.pseudonyms and not about.revoked:
        return deny(NAME, "this group takes nothing new under a pseudonym any more: withdraw with revoked, or delete")
    if about.type == SIGNATURE_TYPE and not (own or relayed):
        return deny(NAME, "created_by_ref of a signature object must be the identity of the peer that sends it")
    if about.type == "identity" and not (_is_submitters_identity(publication) or relayed or publication.relays_subject):
        return deny(NAME, NOT_YOURS)
    if about.type == "marking-definition" and _distorts_a_published_marking(publication):
        return deny(NAME, "a published TLP or PAP marking must be as its publishers made it: leave it out")
    if own:
        return allow(NAME, "published by its author")
    if relayed:
        return allow(NAME, "relayed with the right to do so")
    return allow(NAME, "introduced by a member, its author is no peer of this hub")


def _is_submitters_identity(publication: Publication) -> bool:
    """Say whether an identity object describes the submitter, or nobody the hub knows as a peer."""
    described = publication.identities.get(publication.facts.id)
    return described is None or described == publication.submitter.id


def _distorts_a_published_marking(publication: Publication) -> bool:
    about, body = publication.facts, publication.body
    if tlp.level_of(about.id) is not None:
        return not tlp.is_genuine(body)
    return pap.is_pap(about.id) and not pap.is_genuine(body)
