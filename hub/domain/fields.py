"""Reading our own JSON documents strictly: each member is taken by name and form, and an error names it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.canonical import Json
from hub.domain.taxii_time import parse_timestamp
from hub.errors import InvalidRequest

IDENTITY: Final = re.compile(r"identity--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")
SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
STIX_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,248}[a-z0-9]--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object and the name it has in errors.

    Every method raises InvalidRequest, whose ``field`` is the member's place, when the member is not as it must be.
    """

    document: Mapping[str, Json]
    place: str

    @classmethod
    def of(cls, document: Json, place: str) -> Fields:
        """Return the members of what must be a JSON object."""
        if not isinstance(document, dict):
            raise InvalidRequest("it must be a JSON object", field=place)
        return cls(document, place)

    def only(self, *names: str) -> Fields:
        """Refuse members of any other name; return the same."""
        for name in self.document:
            if name not in names:
                raise InvalidRequest("it holds a member that this format does not know: remove it", field=self.place)
        return self

    def constant(self, name: str, value: str) -> None:
        """Refuse any other value."""
        if self.document.get(name) != value:
            raise InvalidRequest(f"it must be {value}", field=self._at(name))

    def text(self, name: str, *, longest: int = 1_000) -> str:
        """Return a string that is neither empty nor too long and holds no control characters."""
        value = self.document.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            raise InvalidRequest(f"it must be a printable string of 1 to {longest} characters", field=self._at(name))
        return value

    def optional_text(self, name: str, *, longest: int = 1_000) -> str | None:
        """Return the string, None when it is absent."""
        return None if self.document.get(name) is None else self.text(name, longest=longest)

    def matching(self, name: str, form: re.Pattern[str]) -> str:
        """Return a string of this form."""
        value = self.document.get(name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise InvalidRequest("it does not have the form it must have", field=self._at(name))
        return value

    def optional_matching(self, name: str, form: re.Pattern[str]) -> str | None:
        """Return the string, None when it is absent."""
        return None if self.document.get(name) is None else self.matching(name, form)

    def one_of(self, name: str, values: Sequence[str]) -> str:
        """Return one of these strings."""
        value = self.document.get(name)
        if not isinstance(value, str) or value not in values:
            raise InvalidRequest(f"use one of: {', '.join(values)}", field=self._at(name))
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self.document.get(name, default)
        if not isinstance(value, bool):
            raise InvalidRequest("it must be true or false", field=self._at(name))
        return value

    def number(self, name: str, *, least: int, most: int) -> int:
        """Return a whole number within these bounds."""
        value = self.document.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidRequest(f"it must be a whole number from {least} to {most}", field=self._at(name))
        return value

    def optional_number(self, name: str, *, least: int, most: int) -> int | None:
        """Return the number, None when it is absent."""
        return None if self.document.get(name) is None else self.number(name, least=least, most=most)

    def time(self, name: str) -> int:
        """Return an RFC 3339 time as microseconds since the epoch."""
        value = self.document.get(name)
        try:
            return parse_timestamp(value if isinstance(value, str) else "")
        except ValueError:
            raise InvalidRequest("it must be an RFC 3339 timestamp", field=self._at(name)) from None

    def optional_time(self, name: str) -> int | None:
        """Return the time, None when it is absent."""
        return None if self.document.get(name) is None else self.time(name)

    def list(self, name: str, *, most: int) -> Sequence[Json]:
        """Return a list of at most so many."""
        value = self.document.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise InvalidRequest(f"it must be a list of at most {most}", field=self._at(name))
        return value

    def texts(self, name: str, form: re.Pattern[str], *, most: int) -> tuple[str, ...]:
        """Return a list of strings of this form."""
        found = []
        for value in self.list(name, most=most):
            if not isinstance(value, str) or not form.fullmatch(value):
                raise InvalidRequest("an element does not have the form it must have", field=self._at(name))
            found.append(value)
        return tuple(found)

    def objects(self, name: str, *, most: int) -> Iterator[Fields]:
        """Yield the JSON objects of a list."""
        for number, value in enumerate(self.list(name, most=most)):
            yield Fields.of(value, f"{self._at(name)}[{number}]")

    def inner(self, name: str) -> Fields:
        """Return the members of an object inside this one."""
        return Fields.of(self.document.get(name), self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.place}.{name}"
