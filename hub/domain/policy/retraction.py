"""Rule `retraction`: a retraction says clearly what is withdrawn, and takes effect at once.

Reason: it removes things. What it names has to be the author's own; that is settled where it is carried out, against
what is stored (`hub.services.retraction_notes`).
"""

from __future__ import annotations

from typing import Final

from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication
from hub.domain.retraction import NOTE, MalformedRetraction, is_retraction, read

NAME: Final = "retraction"


def check(publication: Publication) -> Decision:
    """Refuse a retraction that is not well-formed, or of a kind that only the hub writes."""
    if publication.facts.type != NOTE or not is_retraction(publication.body):
        return allow(NAME, "it is no retraction")
    try:
        said = read(publication.body)
    except MalformedRetraction as error:
        return deny(NAME, str(error))
    if publication.submitter.partner_hub and publication.facts.created_by_ref == publication.submitter.identity:
        return allow(NAME, "a partner hub says what it has withdrawn")
    if said.kind != "retracted" or said.act is not None:
        return deny(NAME, "kind of an author's own retraction must be retracted, without act: the rest the hub writes")
    return allow(NAME, "it names what is withdrawn")
