"""Rule `onward`: how far an object may be relayed on, by its TLP level and its author's leave.

Reason: a recipient's right to read is not a right to hand on. CLEAR goes anywhere, GREEN stays in the community, AMBER
in the group; AMBER+STRICT and RED stop where they arrived (FIRST TLP 2.0).
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import Final

from hub.domain.policy.decision import Decision, allow, deny

NAME: Final = "onward"


class Reach(IntEnum):
    """Where a relay leads, from the nearest to the farthest."""

    GROUP = 1  # a member of the same trust group, on whatever hub
    COMMUNITY = 2  # another group, or a hub of the cyber defence community
    PUBLIC = 3  # anybody


FARTHEST: Final = MappingProxyType(
    {
        "clear": Reach.PUBLIC,
        "green": Reach.COMMUNITY,
        "amber": Reach.GROUP,
        "amber+strict": None,
        "red": None,
    }
)
"""How far each level may be relayed; None is not at all."""


def may_relay(level: str, reach: Reach, *, onward_relay: bool) -> Decision:
    """Say whether an object of this level may be relayed this far; ``onward_relay`` is the author's leave."""
    if not onward_relay:
        return deny(NAME, "its author does not allow onward relay")
    if level not in FARTHEST:
        return deny(NAME, "its TLP level is not known")
    farthest = FARTHEST[level]
    if farthest is None:
        return deny(NAME, f"TLP:{level.upper()} is never relayed on")
    if reach > farthest:
        return deny(NAME, f"TLP:{level.upper()} is not relayed beyond the {farthest.name.lower()}")
    return allow(NAME, f"TLP:{level.upper()} may be relayed this far")
