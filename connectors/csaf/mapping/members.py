"""Members of a CVE record by their types: what has another one counts as not there, and the report says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.csaf.mapping import limits
from connectors.sdk.report import Report

_NOTHING: Final = frozenset({"", "n/a", "unspecified", "unknown", "-"})
"""What records say where they have nothing to say: `n/a` is required by the oldest of them."""


def text(value: Mapping[str, Any], name: str, place: str, report: Report) -> str | None:
    """Return a text, None when it is not there or says nothing."""
    found = value.get(name)
    if found is None:
        return None
    if not isinstance(found, str):
        report.dropped(f"{place}/{name}", "it is no text")
        return None
    return None if found.strip().lower() in _NOTHING else found.strip()


def maps(value: Mapping[str, Any], name: str, place: str, report: Report) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, as many as a record may have."""
    for number, one in enumerate(_items(value, name, place, report)):
        if number >= limits.MEMBERS:
            report.dropped(f"{place}/{name}", f"a record may have {limits.MEMBERS} of them")
            return
        if isinstance(one, Mapping):
            yield one
        else:
            report.dropped(f"{place}/{name}", "it is no object")


def texts(value: Mapping[str, Any], name: str, place: str, report: Report) -> list[str]:
    """Return the texts of a list, as many as a record may have."""
    found = [one for one in _items(value, name, place, report) if isinstance(one, str) and one.strip()]
    if len(found) > limits.MEMBERS:
        report.dropped(f"{place}/{name}", f"a record may have {limits.MEMBERS} of them")
    return found[: limits.MEMBERS]


def said(value: Mapping[str, Any], name: str, place: str, report: Report) -> list[str]:
    """Return texts that have a language: English first, the others behind their language."""
    found: list[tuple[bool, str]] = []
    for one in maps(value, name, place, report):
        words = text(one, "value", f"{place}/{name}", report)
        if words is None:
            continue
        language = one.get("lang")
        english = not isinstance(language, str) or language.lower().startswith("en")
        found.append((not english, words if english else f"[{str(language)[:35]}] {words}"))
        if "supportingMedia" in one:
            report.dropped(f"{place}/{name}/supportingMedia", "it is the same in another form")
    return [words for _, words in sorted(found, key=lambda one: one[0])]


def _items(value: Mapping[str, Any], name: str, place: str, report: Report) -> list[Any]:
    found = value.get(name, [])
    if isinstance(found, list):
        return found
    report.dropped(f"{place}/{name}", "it is no list")
    return []
