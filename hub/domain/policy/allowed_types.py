"""Rule `types`: a collection takes the STIX types it was set up for.

Reason: readers choose a collection by what is in it; an incident in a feed of indicators reaches the wrong people.
"""

from __future__ import annotations

from typing import Final

from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication
from hub.domain.retraction import is_retraction
from hub.domain.signature_extensions import SIGNATURE_TYPE

NAME: Final = "types"

ACCOMPANYING: Final = frozenset({"extension-definition", "marking-definition", SIGNATURE_TYPE})
"""Taken wherever anything is taken: without them the other objects could be neither verified nor understood."""


def check(publication: Publication) -> Decision:
    """Refuse a type the collection does not list; an empty list takes nothing, no list takes every type.

    A retraction is taken wherever there may be something to withdraw.
    """
    allowed = publication.collection.allowed_types
    if allowed is None:
        return allow(NAME, "the collection takes every type")
    accompanying = publication.facts.type in ACCOMPANYING or is_retraction(publication.body)
    if allowed and (publication.facts.type in allowed or accompanying):
        return allow(NAME, "the collection takes this type")
    return deny(NAME, "the collection does not take objects of this type: post it to one that does")
