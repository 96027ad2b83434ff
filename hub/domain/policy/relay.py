"""Rule `relay`: what one hub hands to another under their agreement; asked at every hop, by both sides.

Reason: a partner hub is one more hop from the author. What crosses is within the TLP level's own reach, the author's
leave, and what both hubs signed: ceiling, types, and how many hubs an object may pass.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.onward import may_relay
from hub.domain.tlp import LEVELS

if TYPE_CHECKING:
    from hub.domain.agreement import Terms

NAME: Final = "relay"

ALWAYS: Final = frozenset({"identity", "marking-definition", "extension-definition"})
"""Types that an agreement need not name: without them an object cannot be understood or attributed. A detached
signature goes by the type of what it signs, because it tells that its object exists."""


def may_cross(
    terms: Terms, *, stix_type: str, level: str, onward_relay: bool, path: Collection[str], to: str
) -> Decision:
    """Say whether an object may be handed to another hub.

    1. It has not been there, and has passed fewer hubs than the agreement allows, this one included.
    2. Its TLP level is no stricter than the agreement's ceiling.
    3. Its type is one of those agreed.
    4. Its TLP level and its author let it be relayed this far (`policy.onward`).

    :param level: its TLP level here. :param onward_relay: the author's leave.
    :param path: STIX identities of the hubs it has passed before this one, the first one first.
    :param to: STIX identity of the hub that would be given it.
    """
    if to in path:  # 1
        return deny(NAME, "it came by that hub")
    if len(path) + 1 > terms.hop_budget:
        return deny(NAME, f"it has passed as many hubs as the agreement allows: {terms.hop_budget}")
    if level not in LEVELS or LEVELS.index(level) > LEVELS.index(terms.tlp_ceiling):  # 2
        return deny(NAME, f"the agreement lets nothing stricter than TLP:{terms.tlp_ceiling.upper()} cross")
    if terms.types is not None and stix_type not in terms.types and stix_type not in ALWAYS:  # 3
        return deny(NAME, "the agreement does not name this type")
    onward = may_relay(level, terms.reach, onward_relay=onward_relay)  # 4
    if not onward:
        return onward
    return allow(NAME, f"agreed up to TLP:{terms.tlp_ceiling.upper()}, {terms.hop_budget} hubs")
