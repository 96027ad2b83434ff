"""Rule `membership`: only a member of the group with the right to write in the collection publishes there.

Reason: a trust group is a promise about who speaks in it. Rights come from the group, never from the credential's role.
"""

from __future__ import annotations

from typing import Final

from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication

NAME: Final = "membership"


def check(publication: Publication) -> Decision:
    """Refuse whoever is suspended, is no active member of the group, or may not write in the collection."""
    if publication.collection.group_id != publication.group.id:
        return deny(NAME, "the collection is not one of this group: post under the group's own API root")
    if publication.submitter.suspended_at is not None or publication.rights is None:
        return deny(NAME, "only active members of the group publish here: ask the operator to be made one")
    if not publication.rights.can_write:
        return deny(NAME, "the right to write in this collection is missing: ask the operator for it")
    return allow(NAME, "a member with the right to write")
