"""The form of every name an operator may give: handles, slugs, aliases, user names, codes, texts.

Names end up in URLs, logs and consoles, so their alphabets are small. Each check returns the value or raises
`InvalidRequest` naming the field; the patterns are also those of the OpenAPI document (a test compares them).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hub.errors import InvalidRequest

HANDLE: Final = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
SLUG: Final = r"^[a-z0-9][a-z0-9-]{1,62}$"
ALIAS: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"
USERNAME: Final = r"^[a-z0-9](?:[a-z0-9.-]{0,126}[a-z0-9])?$"
COUNTRY: Final = r"^[A-Z]{2}$"
STIX_TYPE: Final = r"^[a-z][a-z0-9-]{1,248}[a-z0-9]$"
IDENTITY: Final = r"^identity--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)

ITU_REGIONS: Final = ("africa", "americas", "arab-states", "asia-pacific", "cis", "europe")
TLP_LEVELS: Final = ("clear", "green", "amber", "amber+strict", "red")
DEFAULT_TLP_LEVELS: Final = TLP_LEVELS[:4]
"""An unmarked object cannot default to RED: RED needs named recipients, which an unmarked object has not."""

RESERVED_SLUGS: Final = frozenset(
    [
        "taxii2",
        "api",
        "exports",
        "healthz",
        "readyz",
        "metrics",
        "schemas",
        "tlog",
        "console",
        "static",
        "login",
        "logout",
        "hub",
    ]
)

TITLE_LENGTH: Final = 200
"""Characters of a title, name or label: what fits one line of a console or a report."""

DESCRIPTION_LENGTH: Final = 4_000
"""Characters of a description: a page of text."""


def _matching(pattern: str, value: str, field: str, rule: str) -> str:
    if re.fullmatch(pattern, value, re.ASCII) is None:
        raise InvalidRequest(rule, field=field)
    return value


def handle(value: str, field: str = "handle") -> str:
    """Return a peer's handle."""
    _matching(HANDLE, value, field, "use 1 to 63 lower-case letters, digits and inner hyphens")
    if value.startswith("token"):
        raise InvalidRequest("a handle may not begin with `token`: such user names announce a token", field=field)
    return value


def slug(value: str, field: str = "slug") -> str:
    """Return a group's slug, which is the first segment of its API root's path."""
    _matching(SLUG, value, field, "use 2 to 63 lower-case letters, digits and hyphens")
    if value in RESERVED_SLUGS:
        raise InvalidRequest("this slug is reserved for a path of the hub; choose another", field=field)
    return value


def alias(value: str, field: str = "alias") -> str:
    """Return a collection's alias; it may not look like a UUID, because both stand at the same place of a URL."""
    _matching(ALIAS, value, field, "use 1 to 63 lower-case letters, digits, hyphens and underscores")
    if _UUID.fullmatch(value):
        raise InvalidRequest("an alias may not look like a UUID", field=field)
    return value


def username(value: str, field: str = "username") -> str:
    """Return a Basic user name."""
    _matching(USERNAME, value, field, "use 1 to 128 lower-case letters, digits, inner dots and hyphens")
    if value.startswith("token"):
        raise InvalidRequest("a user name may not begin with `token`: such names announce a token", field=field)
    return value


def identity(value: str, field: str = "identity") -> str:
    """Return a STIX identity id (STIX 2.1 §2.9)."""
    return _matching(IDENTITY, value, field, "give a STIX identity id: identity--, then a lower-case UUID")


def country(value: str, field: str = "country") -> str:
    """Return a country code."""
    return _matching(COUNTRY, value, field, "give the two capital letters of ISO 3166-1")


def one_of(value: str, allowed: tuple[str, ...], field: str) -> str:
    """Return a word of a closed list."""
    if value not in allowed:
        raise InvalidRequest(f"use one of: {', '.join(allowed)}", field=field)
    return value


def stix_types(values: list[str] | tuple[str, ...] | frozenset[str], field: str = "allowed_types") -> frozenset[str]:
    """Return the STIX types a collection takes; an empty list would take nothing and is refused."""
    if not values or len(values) > 100:
        raise InvalidRequest("give between 1 and 100 STIX types, or leave it out to allow every type", field=field)
    return frozenset(_matching(STIX_TYPE, value, field, "give STIX type names such as indicator") for value in values)


def line(value: str, field: str, length: int = TITLE_LENGTH) -> str:
    """Return a text of one line without control characters: it is printed in terminals and logs."""
    return _text(value, field, length, allowed="")


def text(value: str, field: str, length: int = DESCRIPTION_LENGTH) -> str:
    """Return a text that may have several lines."""
    return _text(value, field, length, allowed="\n\t")


def _text(value: str, field: str, length: int, *, allowed: str) -> str:
    if not value.strip() or len(value) > length:
        raise InvalidRequest(f"give a text of 1 to {length} characters", field=field)
    # Cc: control, Cf: format (bidirectional overrides can disguise a name), Cs: lone surrogate, Zl and Zp: line breaks.
    # Persian, Hindi and others cannot be written without the two joiners, so these stay allowed.
    allowed += "\u200c\u200d"
    if any(unicodedata.category(mark) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and mark not in allowed for mark in value):
        raise InvalidRequest("control and formatting characters are not allowed", field=field)
    return value
