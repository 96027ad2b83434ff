"""What misp-stix says about a conversion, as lines of the report.

Its messages quote values, identifiers and stack traces, so none of them is passed on: only the kind is, and a type or
name where the message is known to hold nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from connectors.misp.mapping.shape import named
from connectors.sdk.report import Report

_KNOWN: Final[tuple[tuple[re.Pattern[str], str, str, str], ...]] = tuple(
    (re.compile(form), field, fate, reason)
    for form, field, fate, reason in (
        (r"MISP Attribute type (\S+) not mapped\.", "Attribute.{}", "merged", "STIX has no type for it"),
        (r"MISP Object name (\S+) not mapped\.", "Object.{}", "merged", "STIX has no type for it"),
        (r"Missing minimum requirement to build a \S+ object from a (\S+) MISP Object\.", "Object.{}", "merged",
         "too little for the STIX type of it"),
        (r"(\S+) galaxy in event not mapped\.", "Event.Galaxy", "merged", "STIX has no type for it"),
        (r"(\S+) galaxy in \S+ (?:attribute|object) not mapped\.", "Attribute.Galaxy", "merged",
         "STIX has no type for it"),
        (r"Error with the \S+ value: .* is not a valid \S+ hash\.", "Attribute", "merged", "not a hash of that kind"),
        (r"Error with the \S+ object \(uuid: .*\): Invalid .* value\.", "Object", "merged", "not a hash of that kind"),
        (r"The \S+ MISP Attribute should have a composite value: .*", "Attribute", "merged", "half of a pair"),
        (r"Location `country` warning .*", "Object.geolocation", "merged", "no ISO 3166 code"),
        (r"Unable to load STIX object type: (\S+)", "{}", "dropped", "misp-stix does not know the type"),
        (r"Duplicate STIX object id: .*", "id", "merged", "two versions of one object"),
        (r"Sanitised .*", "name", "merged", "what a tag of MISP cannot hold was left out"),
        (r"Unusable .*", "name", "dropped", "nothing a tag of MISP can hold"),
        (r"The Internal parser was selected .*", "", "", ""),
    )
)  # fmt: skip


def note(
    warnings: Mapping[str, Iterable[str]], errors: Mapping[str, Iterable[str]], report: Report, other_side: str
) -> None:
    """Add what misp-stix warned of and failed at; ``other_side`` is the place that takes what has no type."""
    for message in (one for found in warnings.values() for one in found):
        _add(message, report, other_side, fallback="misp-stix warned of it")
    for message in (one for found in errors.values() for one in found):
        _add(message, report, other_side, fallback="misp-stix could not convert it as it should be")


def _add(message: str, report: Report, other_side: str, *, fallback: str) -> None:
    for form, field, fate, reason in _KNOWN:
        found = form.fullmatch(message)
        if found is None:
            continue
        name = field.format(*(named(group) for group in found.groups()))
        if fate == "merged":
            report.merged(name, other_side, reason)
        elif fate == "dropped":
            report.dropped(name, reason)
        return
    report.merged("record", other_side, fallback)
