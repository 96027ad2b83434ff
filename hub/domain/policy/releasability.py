"""Rule `releasability`: whom the author named, from when and until when, is whom the hub serves, and nobody else.

Reason: an author knows best who may have an object. Several markings add up to the strictest of each statement, only
the author or the submitter can set them, and a list that nobody on this hub answers to means nobody, not everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.audience import WHOLE_GROUP, Audience
from hub.domain.markings import effective
from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication
from hub.domain.releasability import Releasability
from hub.domain.signature_extensions import SIGNATURE_TYPE

NAME: Final = "releasability"

_AUDIENCE_REASON: Final = {
    "group": "for every member of the group",
    "named": "for the recipients its author named",
    "except": "for the members of the group its author did not exclude",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What all the releasability markings of an object add up to. Times are microseconds since the epoch."""

    audience: Audience
    embargo_until: int | None
    expires_at: int | None
    onward_relay: bool


_UNRESTRICTED: Final = Terms(WHOLE_GROUP, embargo_until=None, expires_at=None, onward_relay=True)
"""Where no releasability marking says anything, the group is the audience."""


def check(publication: Publication) -> Decision:
    """Refuse terms that cannot be carried out, that a third party set, that have run out, or that admit nobody."""
    agreed = terms(publication)
    if isinstance(agreed, Decision):
        return agreed
    return allow(NAME, _AUDIENCE_REASON[agreed.audience.kind])


def terms(publication: Publication) -> Terms | Decision:
    """Return the terms of the object's releasability markings, or the refusal.

    The intersection of recipients, the union of exclusions, the latest embargo, the earliest expiry, and onward relay
    only if every marking allows it. The submitter and the author's peer are always inside.
    """
    meaning = effective(publication.facts, publication.body, publication.markings)
    if meaning.malformed is not None:
        return deny(NAME, meaning.malformed)
    markings = meaning.releasabilities
    if not markings:
        return _UNRESTRICTED
    entitled = {publication.submitter.identity, publication.facts.created_by_ref}
    if publication.pseudonym:
        entitled.discard(publication.submitter.identity)  # its own name beside the pseudonym would tell whose that is
    # A detached signature repeats the markings of its target, whoever set them, and gets its target's audience anyway.
    signs = publication.facts.type == SIGNATURE_TYPE
    if not signs and any(one.author is None or one.author not in entitled for one in markings):
        return deny(
            NAME,
            "created_by_ref of a releasability marking must be the object's author or the peer that publishes it",
        )
    audience = _audience(publication, markings)
    if isinstance(audience, Decision):
        return audience
    embargo = max((one.embargo_until for one in markings if one.embargo_until is not None), default=None)
    expiry = min((one.permission_expires for one in markings if one.permission_expires is not None), default=None)
    if expiry is not None and expiry <= publication.now:
        return deny(NAME, "the permission in a releasability marking has already expired")
    if embargo is not None and expiry is not None and expiry <= embargo:
        return deny(NAME, "the releasability markings end the permission before the embargo: nobody could ever see it")
    return Terms(
        audience=audience,
        embargo_until=embargo if embargo is not None and embargo > publication.now else None,
        expires_at=expiry,
        onward_relay=all(one.onward_relay for one in markings),
    )


def _audience(publication: Publication, markings: Sequence[Releasability]) -> Audience | Decision:
    audience = WHOLE_GROUP
    known = publication.identities
    for one in markings:
        if one.recipients is not None:
            # A recipient no peer answers to receives nothing, today or later: the audience holds peers, not identities.
            named = frozenset(known[identity] for identity in one.recipients if identity in known)
            audience = audience.intersection(Audience("named", named))
        elif one.exclusions:
            if not one.exclusions <= known.keys():
                # It could not be kept: a peer that is given this identity later would be let in.
                return deny(NAME, "an excluded identity is not known here: name recipients instead")
            audience = audience.intersection(Audience("except", frozenset(known[one_] for one_ in one.exclusions)))
    if audience.kind == "named" and not audience.peers:
        return deny(NAME, "the releasability markings leave no recipient on this hub: name one that is a peer here")
    inside = {publication.submitter.id}
    if publication.author is not None:
        inside.add(publication.author.id)
    audience = audience.including(frozenset(inside))
    mentioned = {identity for one in markings for identity in (one.recipients or frozenset()) | one.exclusions}
    return audience.under_veil() if publication.pseudonym or mentioned & publication.pseudonyms else audience
