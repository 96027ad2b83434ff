"""The markings of what leaves MISP, as STIX has them."""

from __future__ import annotations

import uuid
from typing import Any, Final

from connectors.misp.mapping.audience import EVERYONE
from connectors.misp.mapping.cleaning import Mark
from connectors.misp.mapping.tags import PAP_IDS
from hub.domain import releasability, tlp
from hub.domain.canonical import jcs

_NAMESPACE: Final = uuid.UUID("b0a4f8e0-0b9c-4a6e-8b1a-3f4c1c2f7d5e")
_CREATED: Final = "2000-01-01T00:00:00.000Z"  # the id says everything the definition does, so it never has a version


def refs(mark: Mark, identity: str) -> list[str]:
    """Return the marking ids: one TLP, at most one PAP, and the audience where it is not left to TLP."""
    found = [tlp.IDS[mark.tlp]]
    if mark.pap is not None:
        found.append(PAP_IDS[mark.pap])
    return found + [one["id"] for one in definitions(mark, identity)]


def definitions(mark: Mark, identity: str) -> list[dict[str, Any]]:
    """Return the marking-definitions that the receiver cannot know: the releasability, if there is one."""
    if mark.audience == EVERYONE:
        return []
    extension: dict[str, Any] = {"extension_type": "property-extension", "onward_relay": mark.audience.onward}
    if mark.audience.recipients is not None:
        extension["recipient_refs"] = sorted(mark.audience.recipients)
    name = uuid.uuid5(_NAMESPACE, jcs([identity, extension]).decode())
    return [
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{name}",
            "created_by_ref": identity,
            "created": _CREATED,
            "name": "Releasability from the distribution in MISP",
            "extensions": {releasability.EXTENSION_ID: extension},
        }
    ]
