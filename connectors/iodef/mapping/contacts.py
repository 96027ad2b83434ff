"""Contacts of IODEF as identities of STIX, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors.iodef.mapping.making import Making
from connectors.iodef.mapping.values import plain
from connectors.iodef.mapping.vocabulary import EXTENSION, VALUES
from hub.domain.tlp import Level

_CLASSES: Final = {"organization": "organization", "person": "individual"}
_TYPES: Final = {"individual": "person"}
_PHONE: Final = re.compile(r"(?:tel:)?\+?[0-9][0-9 ().-]{3,40}")
_MAIL: Final = re.compile(r"(?:mailto:)?[^\s@]{1,255}@[^\s@]{1,255}")
SEPARATOR: Final = "; "
"""Between the ways to reach somebody, in ``contact_information``."""


def identity(making: Making, contact: Mapping[str, Any], place: str, number: int, outer: Level) -> None:
    """Add a Contact of the incident, joined to it by ``contact-for``; a victim is what the incident ``impacts``."""
    level = making.level_of(contact, outer, place)
    role = str(contact.get("ext-role") if contact.get("role") == EXTENSION else contact.get("role", ""))
    name = making.first_text(contact, "ContactName", place, "identity.name")
    reached = _reached(making, contact, place)
    if name is None:
        name = reached[0] if reached else "Unnamed contact"
        making.report.guessed(f"{place}/ContactName", "identity.name", "the contact has no name")
    if contact.get("type") in _CLASSES:
        making.kept(f"{place}/@type", "identity.identity_class")
    made = making.add(
        "identity",
        ["contact", number],
        level,
        name=name,
        description=making.first_text(contact, "Description", place, "identity.description"),
        roles=[role] if role else None,
        identity_class=_CLASSES.get(str(contact.get("type")), "unknown"),
        contact_information=SEPARATOR.join(reached),
    )
    if role:
        making.kept(f"{place}/@role", "identity.roles")
    if role == "victim":
        making.relate(making.incident_id, "impacts", made["id"], level)
    else:
        making.relate(made["id"], "contact-for", making.incident_id, level)


def _reached(making: Making, contact: Mapping[str, Any], place: str) -> list[str]:
    reached = []
    for key, member in (("Email", "EmailTo"), ("Telephone", "TelephoneNumber")):
        for one in contact.get(key, ()):
            if member in one:
                reached.append(str(one[member]).replace(";", ","))
                making.kept(f"{place}/{key}/{member}", "identity.contact_information")
    return reached


def contact_of(obj: Mapping[str, Any], default_role: str) -> dict[str, Any]:
    """Return the Contact that an identity is.

    :param default_role: when the identity names no role that IODEF knows.
    """
    roles = [role for role in obj.get("roles", ()) if isinstance(role, str)]
    known = next((role for role in roles if role in VALUES["role"]), None)
    contact: dict[str, Any] = {"role": known or (EXTENSION if roles else default_role)}
    if not known and roles:
        contact["ext-role"] = roles[0]
    contact["type"] = _TYPES.get(str(obj.get("identity_class")), "organization")
    name = obj.get("name")
    information = str(obj.get("contact_information", ""))
    items = [item.strip() for item in information.split(SEPARATOR.strip()) if item.strip()]
    if isinstance(name, str) and name.strip() and name not in items:
        contact["ContactName"] = [name.strip()]
    texts = [plain(obj["description"])] if obj.get("description") else []
    for item in items:
        if _MAIL.fullmatch(item):
            contact.setdefault("Email", []).append({"EmailTo": item.removeprefix("mailto:")})
        elif _PHONE.fullmatch(item):
            contact.setdefault("Telephone", []).append({"TelephoneNumber": item.removeprefix("tel:")})
        else:
            texts.append(item)
    if texts:
        contact["Description"] = texts
    return contact
