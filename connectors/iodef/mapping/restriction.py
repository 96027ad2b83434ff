"""Restrictions of IODEF and TLP markings of STIX: RFC 7970 §3.3.1 read so that nothing ever becomes wider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.iodef.mapping.classes import CLASSES, IMPACTS, SIMPLE
from connectors.iodef.mapping.vocabulary import EXTENSION
from connectors.sdk.report import Report
from hub.domain import tlp
from hub.domain.pap import is_pap

_LEVELS: Final[Mapping[str, tlp.Level]] = {
    "public": "clear",
    "white": "clear",
    "partner": "green",
    "green": "green",
    "amber": "amber",
    "need-to-know": "amber+strict",  # "only within the organization": that is AMBER+STRICT, though amber is "the same"
    "private": "red",
    "red": "red",
}
_EXTENSIONS: Final[Mapping[str, tlp.Level]] = {
    "amber+strict": "amber+strict",
    "tlp:amber+strict": "amber+strict",
    "clear": "clear",
    "tlp:clear": "clear",
}
_WORDS: Final[Mapping[tlp.Level, dict[str, str]]] = {
    "clear": {"restriction": "white"},
    "green": {"restriction": "green"},
    "amber": {"restriction": "amber"},
    "amber+strict": {"restriction": EXTENSION, "ext-restriction": "amber+strict"},
    "red": {"restriction": "red"},
}
IMPLICIT: Final = "private"
"""What holds for an Incident without the attribute (RFC 7970 §3.3.1)."""


def level_of(value: Mapping[str, Any], agreed: tlp.Level, place: str, report: Report | None = None) -> tlp.Level | None:
    """Return the level a class asks for itself, None when it inherits. What nobody knows is RED.

    :param agreed: what ``default`` stands for between the two sides.
    """
    word = value.get("restriction")
    if word is None:
        return None
    if word == "default":
        return agreed
    if word == EXTENSION:
        level = _EXTENSIONS.get(str(value.get("ext-restriction", "")).strip().lower())
        if level is None and report is not None:
            report.guessed(
                f"{place}/@restriction", "TLP:RED", "a restriction that is not known is taken as the strictest"
            )
        return level or "red"
    return _LEVELS.get(word, "red")


def within(value: Mapping[str, Any], outer: tlp.Level, agreed: tlp.Level, place: str, report: Report) -> tlp.Level:
    """Return the level of a class inside another: its own when that is stricter.

    RFC 7970 lets a part be wider than the whole; the hub never widens, and says so.
    """
    own = level_of(value, agreed, place, report)
    if own is None or own == outer:
        return outer
    if tlp.stricter(own, outer):
        return own
    report.merged(f"{place}/@restriction", "object_marking_refs", "a part is not marked wider than the whole")
    return outer


def strictest_inside(value: Any, kind: str, agreed: tlp.Level) -> tlp.Level | None:
    """Return the strictest level that a class or anything in it asks for, None when nothing does."""
    known = CLASSES[kind]
    own = level_of(value, agreed, kind)
    levels: list[tlp.Level] = [own] if own else []
    for name, child in known.children.items():
        items = value.get(name, ()) if child.many else ([value[name]] if name in value else ())
        for item in items:
            if name == "Impact":
                inner = [strictest_inside(body, IMPACTS[impact], agreed) for impact, body in item.items()]
            elif child.kind in SIMPLE:
                continue
            else:
                inner = [strictest_inside(item, child.kind, agreed)]
            levels += [level for level in inner if level]
    return tlp.strictest(levels)


def marking_refs(level: tlp.Level) -> list[str]:
    """Return the marking of a level, as ``object_marking_refs`` holds it."""
    return [tlp.IDS[level]]


def words_of(obj: Mapping[str, Any], report: Report) -> dict[str, str]:
    """Return the attributes that say what an object's markings say.

    Without a marking it is ``default``: what the two sides have agreed. A marking that IODEF has no word for makes it
    ``private``.
    """
    refs = [ref for ref in obj.get("object_marking_refs", ()) if isinstance(ref, str)]
    granular = [one.get("marking_ref") for one in obj.get("granular_markings", ()) if isinstance(one, Mapping)]
    refs += [ref for ref in granular if isinstance(ref, str)]
    if granular:
        report.merged("granular_markings", "restriction", "the strictest marking of a part holds for the whole")
    levels, unknown = _sorted(refs, report)
    if unknown:
        report.guessed("object_marking_refs", "restriction=private", "IODEF has no word for a marking that is not TLP")
        return {"restriction": IMPLICIT}
    level = tlp.strictest(levels)
    if level is None:
        report.guessed("object_marking_refs", "restriction=default", "the object carries no TLP marking")
        return {"restriction": "default"}
    report.kept("object_marking_refs", "Incident/@restriction")
    return dict(_WORDS[level])


def _sorted(refs: Iterable[str], report: Report) -> tuple[list[tlp.Level], bool]:
    levels: list[tlp.Level] = []
    unknown = False
    for ref in refs:
        level = tlp.level_of(ref)
        if level:
            levels.append(level)
        elif is_pap(ref):
            report.dropped("object_marking_refs", "IODEF has no word for permissible actions (PAP)")
            unknown = True
        else:
            unknown = True
    return levels, unknown
