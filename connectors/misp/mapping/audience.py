"""Who may have something, by MISP's distribution: what may leave the server, for whom, and how far on.

MISP lowers the distribution at each hop: what is for `this community` arrives at a connected server as `your
organisation only`, `connected communities` arrives as `this community`. The hub is such a next server, so level 1 does
not reach its members unless the operator says that they are this community; level 2 reaches them and ends there; level
3 goes as far as its TLP. A sharing group is for its organisations and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from connectors.sdk.report import Report
from hub.domain import tlp

Share = Literal["withhold", "group", "relay"]
"""Not sent; for the hub's group and no further; as far as the TLP level allows."""

ORGANISATION, COMMUNITY, CONNECTED, ALL, SHARING_GROUP, INHERIT = range(6)


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator has settled about one MISP.

    :param identity: the STIX identity in whose name the connector publishes.
    :param organisations: uuid, or name, of a MISP organisation -> STIX identity of a peer.
    :param levels: what is done with distribution 1, 2 and 3; level 0 never leaves.
    :param unstated: the distribution of an event that does not say one, as in feeds; None withholds it.
    :param sharing_groups: uuid -> ``members`` (its organisations, by name) or ``group`` (the hub's group is it).
    :param default_tlp: of an event without a TLP tag.
    :param origin_tag: marks events that came from the hub.
    """

    identity: str
    organisations: Mapping[str, str]
    levels: Mapping[int, Share]
    unstated: int | None
    sharing_groups: Mapping[str, Literal["members", "group"]]
    default_tlp: tlp.Level
    origin_tag: str


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may have something.

    :param recipients: the only identities it is for; None leaves it to the group.
    :param onward: whether a recipient may relay it on.
    """

    recipients: frozenset[str] | None
    onward: bool


@dataclass(frozen=True, slots=True)
class Withheld:
    """It does not leave; ``reason`` says why, without content."""

    reason: str


EVERYONE: Final = Audience(None, onward=True)
GROUP: Final = Audience(None, onward=False)
NOBODY_LEFT: Final = Withheld("no organisation may have all of what it is made of")


def of(thing: Mapping[str, Any], rules: Rules, where: str, report: Report) -> Audience | Withheld:
    """Return who may have an event, an attribute, an object or an event report by its own distribution.

    Level 5 (inherit), and none on anything but an event, says nothing of its own.
    """
    said = thing.get("distribution")
    if said is None and where == "Event":
        if rules.unstated is None:
            return Withheld("it does not say its distribution, and the configuration gives none (missing_distribution)")
        report.guessed("Event.distribution", "object_marking_refs", "not stated; taken from the configuration")
        said = rules.unstated
    if said is None:
        return EVERYONE
    text = str(said)
    if text not in ("0", "1", "2", "3", "4", "5") or isinstance(said, bool):
        return Withheld("its distribution is not one that MISP has")
    level = int(text)
    if level == INHERIT:
        return EVERYONE if where != "Event" else Withheld("an event has nothing to inherit a distribution from")
    if level == ORGANISATION:
        return Withheld("distribution `your organisation only` never leaves")
    if level == SHARING_GROUP:
        return _of_sharing_group(thing.get("SharingGroup"), rules, where, report)
    share = rules.levels.get(level, "withhold")
    if share == "withhold":
        return Withheld(f"distribution {level} is not sent to the hub by this configuration")
    return EVERYONE if share == "relay" else GROUP


def _of_sharing_group(group: Any, rules: Rules, where: str, report: Report) -> Audience | Withheld:
    uuid = group.get("uuid") if isinstance(group, Mapping) else None
    kind = rules.sharing_groups.get(uuid.lower()) if isinstance(uuid, str) else None
    if kind is None:
        return Withheld("its sharing group is not in the configuration (sharing_groups)")
    if group.get("active") in (False, 0, "0"):
        return Withheld("its sharing group is not active")
    if kind == "group":
        return GROUP
    recipients = set()
    for entry in _list(group.get("SharingGroupOrg")):
        organisation = entry.get("Organisation") if isinstance(entry, Mapping) else None
        identity = identity_of(organisation, rules)
        if identity is None:
            report.dropped(f"{where}.SharingGroup.SharingGroupOrg", "no peer of the hub is configured for it")
        else:
            recipients.add(identity)
    if not recipients:
        return Withheld("no organisation of its sharing group is a configured peer (organisations)")
    return Audience(frozenset(recipients), onward=False)


def identity_of(organisation: Any, rules: Rules) -> str | None:
    """Return the peer that an organisation is: by its uuid, and by its name only where no uuid is configured for it."""
    if not isinstance(organisation, Mapping):
        return None
    uuid, name = organisation.get("uuid"), organisation.get("name")
    if isinstance(uuid, str) and uuid.lower() in rules.organisations:
        return rules.organisations[uuid.lower()]
    return rules.organisations.get(name) if isinstance(name, str) else None


def all_of(parts: Iterable[Audience | Withheld]) -> Audience | Withheld:
    """Return who may have something that has all these parts: what each of them allows."""
    recipients: frozenset[str] | None = None
    onward = True
    for part in parts:
        if isinstance(part, Withheld):
            return part
        onward = onward and part.onward
        if part.recipients is not None:
            recipients = part.recipients if recipients is None else recipients & part.recipients
    return Audience(recipients, onward) if recipients is None or recipients else NOBODY_LEFT


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
