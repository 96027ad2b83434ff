"""TAXII 2.1 as values: the query a request asks for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VersionMatch:
    """What ``match[version]`` asks for (TAXII 2.1 §3.4.1); the default is the latest version only.

    :param exact: version keys (see `hub.domain.stix.version_key`), not the text the caller sent.
    """

    last: bool = True
    first: bool = False
    all: bool = False
    exact: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """The filters and the place of one request (TAXII 2.1 §3.4, §3.5). Times are microseconds since the epoch.

    :param added_after: exclusive lower bound the caller gave; None when absent.
    :param position: exclusive lower bound out of ``next``; None on a first page.
    :param spec_versions: None when the caller did not ask; the hub can provide 2.1 only.
    """

    added_after: int | None = None
    limit: int | None = None
    position: int | None = None
    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    versions: VersionMatch = field(default_factory=VersionMatch)
    spec_versions: tuple[str, ...] | None = None
