"""Tags that say how something is to be handled: TLP and PAP of the MISP taxonomies, and the STIX markings they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.sdk.report import Report
from hub.domain import pap, tlp

PAP_LEVELS: Final = ("clear", "green", "amber", "red")
"""From the widest to the strictest; ``white`` is the older name of ``clear``."""

PAP_IDS: Final[Mapping[str, str]] = {
    one["extensions"][pap.EXTENSION_ID]["pap"]: one["id"] for one in pap.MARKING_DEFINITIONS
}
_PAP_OF_ID: Final[Mapping[str, str]] = {
    marking_id: ("clear" if level == "white" else level) for level, marking_id in PAP_IDS.items()
}
_MAX_TAG: Final = 1_000  # as many characters as a tag of MISP has at most, and more


@dataclass(frozen=True, slots=True)
class Handling:
    """What the tags of one thing say.

    :param tlp: the strictest TLP level among them, None where none says one. :param pap: the same for PAP.
    :param others: all other tags, each once, in order.
    """

    tlp: tlp.Level | None
    pap: str | None
    others: tuple[str, ...]


def read(tags: Iterable[Any], where: str, report: Report) -> Handling:
    """Return what tags say, and note what is not passed on.

    A local tag stays on its server, but one that restricts still does. A TLP or PAP tag that is not understood is read
    as RED: `tlp:ex:chr` and `tlp:unclear` ask for more care than any level below.
    """
    levels: list[tlp.Level] = []
    actions: list[str] = []
    others: dict[str, None] = {}
    for tag in tags:
        name = tag.get("name") if isinstance(tag, Mapping) else None
        if not isinstance(name, str) or not name or len(name) > _MAX_TAG:
            report.dropped(f"{where}.Tag", "it has no usable name")
            continue
        folded = name.strip().casefold()
        if folded.startswith("tlp:"):
            levels.append(_tlp(folded[4:], where, report))
        elif folded.startswith("pap:"):
            actions.append(_pap(folded[4:], where, report))
        elif _is_local(tag):
            report.dropped(f"{where}.Tag", "a local tag stays on the server it was set on")
        else:
            others[name] = None
            report.kept(f"{where}.Tag", "labels")
    for kind, found in (("tlp", levels), ("PAP", actions)):
        if found:
            report.kept(f"{where}.Tag.{kind}", "object_marking_refs")
        if len(found) > 1:
            report.merged(
                f"{where}.Tag.{kind}", "object_marking_refs", "of several, the strictest counts", len(found) - 1
            )
    return Handling(tlp.strictest(levels), strictest_pap(actions), tuple(others))


def strictest_pap(levels: Iterable[str]) -> str | None:
    """Return the strictest of some PAP levels, None of none."""
    return max(levels, key=PAP_LEVELS.index, default=None)


def pap_of(marking_ids: Iterable[str]) -> str | None:
    """Return the strictest PAP level among marking ids."""
    return strictest_pap(_PAP_OF_ID[one] for one in marking_ids if one in _PAP_OF_ID)


def tlp_tag(level: str) -> str:
    """Return the tag of MISP's tlp taxonomy."""
    return f"tlp:{level}"


def pap_tag(level: str) -> str:
    """Return the tag of MISP's PAP taxonomy, which is in capitals."""
    return f"PAP:{level.upper()}"


def _tlp(text: str, where: str, report: Report) -> tlp.Level:
    level = tlp.V1_LEVELS.get(text) if text == "white" else next((one for one in tlp.LEVELS if one == text), None)
    if level is None:
        report.guessed(f"{where}.Tag.tlp", "object_marking_refs", "no level of TLP 2.0; taken as TLP:RED")
        return "red"
    return level


def _pap(text: str, where: str, report: Report) -> str:
    level = "clear" if text == "white" else text
    if level not in PAP_LEVELS:
        report.guessed(f"{where}.Tag.PAP", "object_marking_refs", "no level of PAP; taken as PAP:RED")
        return "red"
    return level


def _is_local(tag: Mapping[str, Any]) -> bool:
    return tag.get("local") in (True, 1, "1") or tag.get("exportable") in (False, 0, "0")
