"""One request to the API after every check of its form, and what a handler answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, TypeAlias

from hub.domain import limits
from hub.domain.membership import Caller
from hub.domain.taxii_time import parse_timestamp
from hub.errors import InvalidRequest
from hub.services.context import Hub


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a JSON body, or none.

    :param location: path below /api/v1 of what was made (RFC 9110 §10.2.2).
    :param digest: of what is answered; who has it already is told so only (RFC 9110 §13.1.2).
    """

    body: Mapping[str, Any] | None
    status: int = 200
    location: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what. Path, query and body have the form that the document says; the caller is authenticated."""

    hub: Hub
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str | int]
    body: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """Return a text of the query, None when it is absent."""
        value = self.query.get(name)
        return None if value is None else str(value)

    def number(self, name: str) -> int | None:
        """Return a number of the query, None when it is absent."""
        value = self.query.get(name)
        return None if value is None else int(value)

    @property
    def limit(self) -> int:
        """How many entries a list may have at most."""
        return self.number("limit") or limits.API_PAGE_DEFAULT

    def changed(self, name: str) -> Any | EllipsisType:
        """Return a property of a partial change, ``...`` when it stays as it is."""
        return self.body.get(name, ...)

    def instant(self, name: str) -> int | None:
        """Return a time of the body in microseconds, None when it is absent or null. Raises InvalidRequest."""
        value = self.body.get(name)
        if value is None:
            return None
        try:
            return parse_timestamp(value)
        except ValueError:
            raise InvalidRequest("it must be an RFC 3339 date-time", field=name) from None


Handler: TypeAlias = Callable[[Call], Answer]
