"""What a recipient may do with an object: the Permissible Actions Protocol, and the permitted actions of an IEP policy.

Neither changes who may see an object. Both say whether it may be searched for, watched for on the network, or blocked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final

from hub.domain import limits, pap
from hub.domain.markings import IEP_EXTENSION_ID, Definitions


class Use(IntEnum):
    """What may be done, from the least to the most; each includes what stands before it."""

    READ = 0  # know it, and ask its author what to do
    SEARCH = 1  # look through one's own logs and files, where nobody notices (PAP:RED)
    WATCH = 2  # passive checks that the target does not notice, on the network too (PAP:AMBER)
    BLOCK = 3  # active steps, such as a block at the firewall (PAP:GREEN, PAP:CLEAR)


_OF_PAP: Final = {"clear": Use.BLOCK, "green": Use.BLOCK, "amber": Use.WATCH, "red": Use.SEARCH}
_OF_IEP: Final[Mapping[object, Use]] = {
    "none": Use.READ,
    "contact-for-instruction": Use.READ,
    "internally-visible-actions": Use.WATCH,
    "externally-visible-indirect-actions": Use.WATCH,
    "externally-visible-direct-actions": Use.BLOCK,
}
"""FIRST IEP 2.0: a block is a direct action, and whoever is blocked sees it."""


def permitted(marking_refs: Iterable[str], definitions: Definitions) -> Use:
    """Return what all these markings, and the markings of their definitions, permit together: the strictest counts.

    An object that no marking says anything about may be blocked. A definition that is not known limits nothing here:
    the hub publishes no object with one.
    """
    use = Use.BLOCK
    seen: set[str] = set()
    waiting = [(ref, 0) for ref in marking_refs]
    while waiting:
        ref, depth = waiting.pop()
        if ref in seen:
            continue
        seen.add(ref)
        level = pap.level_of(ref)
        if level is not None:
            use = min(use, _OF_PAP[level])
        definition = definitions.get(ref)
        if definition is None:
            continue
        use = min(use, _of_policy(definition))
        more = definition.get("object_marking_refs")
        if isinstance(more, list) and depth < limits.MAX_MARKING_DEPTH:
            waiting += [(one, depth + 1) for one in more if isinstance(one, str)]
    return use


def _of_policy(definition: Mapping[str, Any]) -> Use:
    extensions = definition.get("extensions")
    policy = extensions.get(IEP_EXTENSION_ID) if isinstance(extensions, Mapping) else None
    if not isinstance(policy, Mapping) or "permitted_actions" not in policy:
        return Use.BLOCK
    said = policy["permitted_actions"]
    return _OF_IEP.get(said, Use.READ) if isinstance(said, str) else Use.READ
