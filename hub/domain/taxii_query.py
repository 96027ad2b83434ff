"""From the raw query string of a request to the filters it asks for (TAXII 2.1 §3.4, §3.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from hub.domain import limits
from hub.domain.stix import instant_us, version_key
from hub.domain.taxii import VersionMatch
from hub.domain.taxii_time import parse_timestamp
from hub.errors import InvalidRequest

T = TypeVar("T")


class Endpoint(StrEnum):
    """The endpoints that take filters; their values go into cursors and must not change."""

    MANIFEST = "manifest"
    OBJECTS = "objects"
    OBJECT = "object"
    VERSIONS = "versions"
    DELETE = "delete"


_PAGING: Final = frozenset({"added_after", "limit", "next"})
TAKEN: Final[Mapping[Endpoint, frozenset[str]]] = {
    Endpoint.MANIFEST: _PAGING | {"match[id]", "match[type]", "match[version]", "match[spec_version]"},
    Endpoint.OBJECTS: _PAGING | {"match[id]", "match[type]", "match[version]", "match[spec_version]"},
    Endpoint.OBJECT: _PAGING | {"match[version]", "match[spec_version]"},
    Endpoint.VERSIONS: _PAGING | {"match[spec_version]"},
    Endpoint.DELETE: frozenset({"match[version]", "match[spec_version]"}),
}
"""Which parameters each endpoint takes (TAXII 2.1 §5.3 to §5.8, the tables)."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a request selects, apart from page size and place. None is a parameter that was not given."""

    added_after: int | None = None  # microseconds since the epoch, exclusive
    ids: tuple[str, ...] | None = None  # sorted, unique
    types: tuple[str, ...] | None = None  # sorted, unique
    versions: VersionMatch | None = None
    spec_versions: tuple[str, ...] | None = None  # sorted, unique


@dataclass(frozen=True, slots=True)
class Asked:
    """One query string, read: the filters, the page size (already bounded) and the token out of ``next``."""

    filters: Filters = Filters()
    limit: int | None = None
    next: str | None = None


def parse_query(raw: str, endpoint: Endpoint) -> Asked:
    """Read a raw query string for one endpoint; parameters that TAXII or this endpoint does not know are ignored.

    DELETE is the exception: a TAXII filter that it does not take is refused, because ignoring it would delete more
    than was asked for.

    Raises:
        InvalidRequest: a parameter is repeated or malformed (TAXII 2.1 §3.4); ``field`` is its name.
    """
    given = _parameters(raw)
    taken = TAKEN[endpoint]
    if endpoint is Endpoint.DELETE and not given.keys() <= taken:
        raise InvalidRequest("DELETE takes no filters but match[version] and match[spec_version]")

    def read(name: str, reader: Callable[[str, str], T]) -> T | None:
        return reader(given[name], name) if name in taken and name in given else None

    return Asked(
        filters=Filters(
            added_after=read("added_after", _timestamp),
            ids=read("match[id]", _words),
            types=read("match[type]", _words),
            versions=read("match[version]", _versions),
            spec_versions=read("match[spec_version]", _spec_versions),
        ),
        limit=read("limit", _limit),
        next=(given.get("next") or None) if "next" in taken else None,  # MISP sends an empty next=: absent
    )


def _parameters(raw: str) -> dict[str, str]:
    """Return the TAXII parameters of a query string, decoded; every other parameter is ignored."""
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=limits.MAX_QUERY_PARAMETERS)
    except ValueError:
        detail = f"the query string is not UTF-8, or has more than {limits.MAX_QUERY_PARAMETERS} parameters"
        raise InvalidRequest(detail) from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in _PAGING and _MATCH.fullmatch(name) is None:
            continue
        if name in given:
            shown = name if name in _NAMES else "match"
            raise InvalidRequest("this parameter must not occur more than once", field=shown)
        given[name] = value
    return given


_NAMES: Final = frozenset().union(*TAKEN.values())
_MATCH: Final = re.compile(r"match\[[^\[\]]*\]")
_WORD: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,300}")
_INTEGER: Final = re.compile(r"0*([1-9][0-9]*)")
_SPEC_VERSION: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
_KEYWORDS: Final = frozenset({"first", "last", "all"})


def _timestamp(value: str, name: str) -> int:
    try:
        return parse_timestamp(value)
    except ValueError:
        detail = "it must be one RFC 3339 timestamp such as 2026-01-31T12:00:00.000000Z"
        raise InvalidRequest(detail, field=name) from None


def _limit(value: str, name: str) -> int:
    """Return the page size, at most the hub's own bound."""
    match = _INTEGER.fullmatch(value)
    if match is None:
        raise InvalidRequest("it must be an integer greater than 0", field=name)
    return min(int(match[1][:19]), limits.PAGE_OBJECTS_MAX)


def _list(value: str, name: str) -> list[str]:
    values = value.split(",")
    if len(values) > limits.MAX_QUERY_VALUES:
        raise InvalidRequest(f"it must not have more than {limits.MAX_QUERY_VALUES} values", field=name)
    if not all(_WORD.fullmatch(each) for each in values):
        raise InvalidRequest("its values must be separated by single commas, without spaces", field=name)
    return values


def _words(value: str, name: str) -> tuple[str, ...]:
    return tuple(sorted(set(_list(value, name))))


def _spec_versions(value: str, name: str) -> tuple[str, ...]:
    values = _words(value, name)
    if not all(_SPEC_VERSION.fullmatch(each) for each in values):
        raise InvalidRequest("its values must be STIX versions such as 2.1", field=name)
    return values


def _versions(value: str, name: str) -> VersionMatch:
    values = _list(value, name)
    keywords = [each for each in values if each in _KEYWORDS]
    stamps = [each for each in values if each not in _KEYWORDS]
    try:
        for each in stamps:
            instant_us(each)  # refuses days that do not exist
        exact = [version_key(each) for each in stamps]
    except (ValueError, InvalidRequest):
        detail = "its values must be last, first, all, or STIX timestamps such as 2026-01-31T12:00:00.000Z"
        raise InvalidRequest(detail, field=name) from None
    if len(set(keywords)) + len(set(exact)) < len(values):
        raise InvalidRequest("a keyword or version must not be repeated", field=name)
    if "all" in keywords and len(values) > 1:
        raise InvalidRequest("all must not be combined with another value", field=name)
    return VersionMatch(
        last="last" in keywords, first="first" in keywords, all="all" in keywords, exact=frozenset(exact)
    )
