"""From the indicators a peer may read to the entries that may be acted on; what is left out is counted by reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.domain import limits
from hub.domain.pattern_values import observed
from hub.domain.permitted_use import Use, permitted
from hub.domain.stix import facts, instant_us
from hub.exports.options import Options
from hub.exports.shared import PAP, WARNING_LIST, Account, Objects, Shared, Source
from hub.exports.values import Kind, Value, value_of
from hub.exports.warning import WarningLists

REVOKED: Final = "revoked"
EXPIRED: Final = "expired"
NOT_YET: Final = "not valid yet"
BENIGN: Final = "benign"
ANOMALOUS: Final = "anomalous only"
CONFIDENCE: Final = "confidence"
OTHER_LANGUAGE: Final = "pattern in another language"
NOT_REDUCIBLE: Final = "not reducible to single values"
OTHER_KIND: Final = "values of another kind"
UNREADABLE: Final = "unreadable"

_HARMLESS: Final = frozenset({"anomalous-activity", "anonymization"})


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator that stands: neither revoked nor expired. :param use: what its markings permit."""

    shared: Shared
    stix: Mapping[str, Any]
    use: Use


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of an indicator that may be acted on."""

    indicator: Indicator
    value: Value


def standing(objects: Objects, source: Source, account: Account) -> Iterator[Indicator]:
    """Yield the indicators that are valid now; note when that changes."""
    for shared in objects:
        stix = orjson.loads(shared.body)
        if stix.get("type") != "indicator":
            continue
        reason = _not_standing(stix, source.now, account)
        if reason is not None:
            account.leave_out(reason)
            continue
        yield Indicator(shared, stix, permitted(facts(stix).marking_refs, source.definitions))


def chosen(
    objects: Objects, source: Source, account: Account, options: Options, need: Use, language: str
) -> Iterator[Indicator]:
    """Yield the indicators in a pattern language that may be put to this use, and that the options want."""
    for indicator in standing(objects, source, account):
        reason = _unwanted(indicator, options, need)
        if reason is None and indicator.stix.get("pattern_type") != language:
            reason = OTHER_LANGUAGE
        if reason is None:
            yield indicator
        else:
            account.leave_out(reason)


def entries(
    objects: Objects,
    source: Source,
    account: Account,
    options: Options,
    lists: WarningLists,
    *,
    need: Use,
    kinds: frozenset[Kind],
) -> Iterator[Entry]:
    """Yield every value of these kinds that may be put to this use and that no warning list keeps out.

    The same value comes as often as indicators say it.
    """
    for indicator in chosen(objects, source, account, options, need, "stix"):
        pattern = indicator.stix.get("pattern")
        seen = observed(pattern) if isinstance(pattern, str) else None
        if seen is None:
            account.leave_out(NOT_REDUCIBLE)
            continue
        of_kind = False
        for one in seen:
            value = value_of(one)
            if isinstance(value, str):
                account.leave_out(value)
                of_kind = True
            elif value.kind in kinds:
                of_kind = True
                holding = lists.holding(value)
                if holding is None:
                    yield Entry(indicator, value)
                else:
                    account.leave_out(WARNING_LIST + holding)
        if not of_kind:
            account.leave_out(OTHER_KIND)


def _not_standing(stix: Mapping[str, Any], now: int, account: Account) -> str | None:
    if stix.get("revoked") is True:
        return REVOKED
    try:
        begins = instant_us(stix["valid_from"])
        ends = None if stix.get("valid_until") is None else instant_us(stix["valid_until"])
    except (KeyError, TypeError, ValueError):
        return UNREADABLE
    if ends is not None and ends <= now:
        return EXPIRED
    if begins > now:
        account.changes_at(begins)
        return NOT_YET
    if ends is not None:
        account.changes_at(ends)
    return None


def _unwanted(indicator: Indicator, options: Options, need: Use) -> str | None:
    stix = indicator.stix
    if indicator.use < need:
        return PAP
    types = {each for each in stix.get("indicator_types", ()) if isinstance(each, str)}
    if "benign" in types and need > Use.READ:
        return BENIGN
    if types and types <= _HARMLESS and not options.anomalous:
        return ANOMALOUS
    confidence = stix.get("confidence", 0)
    if options.min_confidence and not (isinstance(confidence, int) and confidence >= options.min_confidence):
        return CONFIDENCE
    return None


def plain(text: object, longest: int = limits.EXPORT_CELL_LENGTH) -> str:
    """Return a text of an author as one line without control, formatting or line-ending characters, cut if need be."""
    if not isinstance(text, str):
        return ""
    return "".join(mark if mark.isprintable() else " " for mark in text[:longest]).strip()
