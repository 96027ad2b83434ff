"""The releasability marking: a STIX 2.1 marking-definition extension by which an author says who may receive an object,
whether it may be relayed on, and from when until when it may be seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from hub.domain import limits, naming
from hub.domain.signature_extensions import PROJECT_IDENTITY_ID
from hub.domain.stix import instant_us, is_timestamp

EXTENSION_ID: Final = "extension-definition--e23dcbe9-c108-41b5-b2a8-f1716129cc2a"
"""The key under ``extensions`` of a marking-definition that is a releasability marking."""

_PROPERTIES: Final = frozenset(
    {"extension_type", "recipient_refs", "excluded_refs", "onward_relay", "embargo_until", "permission_expires"}
)
_IDENTITY: Final = re.compile(naming.IDENTITY)


@dataclass(frozen=True, slots=True)
class Releasability:
    """What one releasability marking says. Times are microseconds since the epoch.

    :param author: the marking's ``created_by_ref``.
    :param recipients: the only identities it is for; None leaves it to the group.
    :param exclusions: identities it is not for; empty where ``recipients`` is set.
    """

    author: str | None
    recipients: frozenset[str] | None
    exclusions: frozenset[str]
    onward_relay: bool
    embargo_until: int | None
    permission_expires: int | None


class MalformedReleasability(ValueError):
    """The extension does not say something the hub can carry out; the text names the property and what to do."""


def read(definition: Mapping[str, Any]) -> Releasability:
    """Return what a marking-definition with our extension says.

    Raises MalformedReleasability for anything ``schemas/hub/releasability.schema.json`` does not allow, and for a
    permission that ends before its embargo does: what cannot be understood must not be guessed.
    """
    extensions = definition.get("extensions")
    extension = extensions.get(EXTENSION_ID) if isinstance(extensions, Mapping) else None
    if not isinstance(extension, Mapping):
        raise MalformedReleasability("the releasability extension must be an object")
    if not _PROPERTIES.issuperset(extension):
        raise MalformedReleasability("the releasability extension has a property it does not define: remove it")
    if extension.get("extension_type") != "property-extension":
        raise MalformedReleasability("extension_type of the releasability extension must be property-extension")
    if "recipient_refs" in extension and "excluded_refs" in extension:
        raise MalformedReleasability("give recipient_refs or excluded_refs in a releasability marking, not both")
    onward_relay = extension.get("onward_relay")
    if not isinstance(onward_relay, bool):
        raise MalformedReleasability("onward_relay of a releasability marking must be true or false")
    author = definition.get("created_by_ref")
    embargo, expiry = _instant(extension, "embargo_until"), _instant(extension, "permission_expires")
    if embargo is not None and expiry is not None and expiry <= embargo:
        raise MalformedReleasability("permission_expires of a releasability marking must be after embargo_until")
    return Releasability(
        author=author if isinstance(author, str) else None,
        recipients=_identities(extension, "recipient_refs"),
        exclusions=_identities(extension, "excluded_refs") or frozenset(),
        onward_relay=onward_relay,
        embargo_until=embargo,
        permission_expires=expiry,
    )


def _identities(extension: Mapping[str, Any], name: str) -> frozenset[str] | None:
    if name not in extension:
        return None
    refs = extension[name]
    well_formed = isinstance(refs, list) and all(isinstance(ref, str) and _IDENTITY.fullmatch(ref) for ref in refs)
    if not well_formed or not 1 <= len(refs) <= limits.MAX_RELEASABILITY_REFS or len(set(refs)) != len(refs):
        raise MalformedReleasability(
            f"{name} of a releasability marking must be a list of 1 to {limits.MAX_RELEASABILITY_REFS} different "
            "identity ids"
        )
    return frozenset(refs)


def _instant(extension: Mapping[str, Any], name: str) -> int | None:
    if name not in extension:
        return None
    text = extension[name]
    if not is_timestamp(text):
        raise MalformedReleasability(f"{name} of a releasability marking must be a STIX timestamp")
    return instant_us(text)


EXTENSION_DEFINITION: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION_ID,
        "created_by_ref": PROJECT_IDENTITY_ID,
        "created": "2026-11-22T00:00:00.000Z",
        "modified": "2026-11-22T00:00:00.000Z",
        "name": "Releasability marking",
        "description": "Says who may receive what carries this marking: named recipients or everyone but some, whether"
        " a recipient may relay it on, the instant before which nobody may see it, and the instant from which nobody"
        " may see it any more.",
        "schema": "schemas/hub/releasability.schema.json",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }
)
"""The extension-definition object (STIX 2.1 §7.3), for readers who meet the marking and do not know it."""
