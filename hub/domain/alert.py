"""An alert: a short message that an object arrived which somebody wants to hear of, or that it was withdrawn.

It leaves the hub's access control behind, so its content goes only as far as the marking lets it: of an object above
the ceiling it says that there is one, which level it has and where to look, and nothing that the object says.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.domain import limits, markings, tlp
from hub.domain.signature_profile import related_version
from hub.domain.stix import facts
from hub.domain.subscription import Match

Event = Literal["matched", "withdrawn"]

NAMESPACE: Final = uuid.UUID("8d1d2e0e-5b0a-4a52-9d5a-3f0a6a0a7c11")
"""Of the UUIDv5 by which receivers tell a repeated alert."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told.

    :param level: None of a withdrawal: the object is gone, and with it what it was marked with.
    :param withheld: the object's own words are left out because of its marking.
    :param link: where the object can be looked at by who may see it.
    """

    event: Event
    stix_id: str
    version: str
    level: tlp.Level | None
    type: str = ""
    name: str = ""
    labels: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    confidence: int | None = None
    withheld: bool = False
    link: str = ""

    @property
    def uuid(self) -> str:
        """The same for the same event about the same version, however often it is sent."""
        return str(uuid.uuid5(NAMESPACE, f"{self.event}\n{self.stix_id}\n{self.version}"))


def level_of(obj: Mapping[str, Any], definitions: markings.Definitions, unmarked: tlp.Level) -> tlp.Level:
    """Return the level that an object is handled by: RED when it is for named recipients or not understood.

    :param definitions: the marking-definitions that are known. :param unmarked: of an object without a TLP marking.
    """
    meaning = markings.effective(facts(obj), obj, definitions)
    if meaning.unknown is not None or meaning.malformed is not None or meaning.releasabilities:
        return "red"
    return meaning.tlp or unmarked


def matched(
    obj: Mapping[str, Any],
    level: tlp.Level,
    matches: Sequence[Match],
    *,
    content_up_to: tlp.Level,
    link_prefix: str,
) -> Alert:
    """Return the alert that an object has arrived.

    :param content_up_to: the strictest level whose content is sent. :param link_prefix: the id is put behind it.
    """
    stix_id = str(obj["id"])
    link = f"{link_prefix}{stix_id}" if link_prefix else ""
    version = related_version(obj)
    if tlp.stricter(level, content_up_to):
        return Alert("matched", stix_id, version, level, withheld=True, link=link)
    confidence = obj.get("confidence")
    return Alert(
        event="matched",
        stix_id=stix_id,
        version=version,
        level=level,
        type=str(obj["type"]),
        name=_name(obj),
        labels=tuple(one for one in obj.get("labels", ()) if isinstance(one, str))[: limits.ALERT_MATCHES],
        matches=tuple(matches),
        confidence=confidence if isinstance(confidence, int) else None,
        link=link,
    )


def withdrawn(stix_id: str, *, link_prefix: str) -> Alert:
    """Return the alert that an object, of which an alert was sent, does not hold any more."""
    return Alert("withdrawn", stix_id, "", None, withheld=True, link=f"{link_prefix}{stix_id}" if link_prefix else "")


def _name(obj: Mapping[str, Any]) -> str:
    for field in ("name", "abstract", "value", "pattern"):
        text = obj.get(field)
        if isinstance(text, str) and text:
            return text[: limits.ALERT_NAME_LENGTH]
    return ""
