"""Agreements between hubs: which groups map to which, what may cross, how far, and until when; signed by both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from hub.domain import limits
from hub.domain.canonical import Json
from hub.domain.fields import IDENTITY, SLUG, UUID4, Fields
from hub.domain.policy.onward import Reach
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest

AGREEMENT_TYPE: Final = "x-cybex-agreement"
FORMAT: Final = "1"
"""Of the agreement's form; ``schemas/hub/agreement.schema.json`` describes it."""

Direction = Literal["both", "forth", "back"]
DIRECTIONS: Final = ("both", "forth", "back")
CEILINGS: Final = ("clear", "green", "amber")
"""AMBER+STRICT and RED stop where they are, whatever two hubs agree."""

MAX_GROUPS: Final = 100
MAX_TYPES: Final = 200
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,248}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two hubs: its STIX identity, and its name for people."""

    identity: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """What crosses between two groups.

    :param slugs: of the group at the first hub and of the one at the second.
    :param direction: ``forth`` is from the first hub to the second.
    :param types: STIX types that may cross; None is every type. Retractions and signatures always follow their objects.
    :param same_group: both hubs hold the two to be one trust group, so that AMBER may cross (FIRST TLP 2.0).
    """

    slugs: tuple[str, str]
    direction: Direction
    tlp_ceiling: str
    types: frozenset[str] | None = None
    same_group: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement says of one direction between two groups, as the giving hub sees it.

    :param reach: how far a relay under it leads. :param hop_budget: hubs an object may pass, the giving one included.
    """

    agreement: str
    group: str  # slug here
    there: str  # slug there
    tlp_ceiling: str
    types: frozenset[str] | None
    reach: Reach
    hop_budget: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two hubs have agreed. Times are microseconds since the epoch."""

    id: str
    hubs: tuple[Party, Party]
    groups: tuple[GroupMapping, ...]
    hop_budget: int
    valid_from: int
    expires: int

    def between(self, identity: str, other: str) -> bool:
        """Say whether these are the two."""
        return {identity, other} == {self.hubs[0].identity, self.hubs[1].identity}

    def stands(self, now: int) -> bool:
        """Say whether it is within its time."""
        return self.valid_from <= now < self.expires

    def giving(self, identity: str) -> list[Terms]:
        """Return what this hub gives to the other, group by group."""
        side = 0 if self.hubs[0].identity == identity else 1
        return [self._terms(one, side) for one in self.groups if one.direction in ("both", ("forth", "back")[side])]

    def taking(self, identity: str) -> list[Terms]:
        """Return what this hub takes from the other, as the other gives it: ``there`` is the group at this hub."""
        other = self.hubs[1] if self.hubs[0].identity == identity else self.hubs[0]
        return self.giving(other.identity)

    def _terms(self, one: GroupMapping, side: int) -> Terms:
        return Terms(
            agreement=self.id,
            group=one.slugs[side],
            there=one.slugs[1 - side],
            tlp_ceiling=one.tlp_ceiling,
            types=one.types,
            reach=Reach.GROUP if one.same_group else Reach.COMMUNITY,
            hop_budget=self.hop_budget,
        )


def written(agreement: Agreement) -> dict[str, Any]:
    """Return the agreement as JSON, not signed yet."""
    groups = []
    for one in agreement.groups:
        entry: dict[str, Any] = {
            "slugs": list(one.slugs),
            "direction": one.direction,
            "tlp_ceiling": one.tlp_ceiling,
            "same_group": one.same_group,
        }
        if one.types is not None:
            entry["types"] = sorted(one.types)
        groups.append(entry)
    return {
        "type": AGREEMENT_TYPE,
        "format": FORMAT,
        "id": agreement.id,
        "hubs": [{"identity": one.identity, "name": one.name} for one in agreement.hubs],
        "groups": groups,
        "hop_budget": agreement.hop_budget,
        "valid_from": format_timestamp(agreement.valid_from),
        "expires": format_timestamp(agreement.expires),
    }


def read_agreement(document: Json) -> Agreement:
    """Return what an agreement says; its signatures are not checked here.

    Raises:
        InvalidRequest: it is no agreement, or says something that cannot be kept; the field is named.
    """
    fields = Fields.of(document, "agreement").only(
        "type", "format", "id", "hubs", "groups", "hop_budget", "valid_from", "expires", "signatures"
    )
    fields.constant("type", AGREEMENT_TYPE)
    fields.constant("format", FORMAT)
    parties = [_party(one) for one in fields.objects("hubs", most=2)]
    if len({one.identity for one in parties}) != 2:
        raise InvalidRequest("an agreement is between two hubs", field="agreement.hubs")
    groups = tuple(_mapping(one) for one in fields.objects("groups", most=MAX_GROUPS))
    if not groups:
        raise InvalidRequest("no groups is nothing to exchange: name at least one pair", field="agreement.groups")
    _once(groups)
    agreement = Agreement(
        id=fields.matching("id", UUID4),
        hubs=(parties[0], parties[1]),
        groups=groups,
        hop_budget=fields.number("hop_budget", least=1, most=limits.RELAY_HOPS),
        valid_from=fields.time("valid_from"),
        expires=fields.time("expires"),
    )
    if agreement.expires <= agreement.valid_from:
        raise InvalidRequest("it ends before it begins", field="agreement.expires")
    return agreement


def unsigned(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an agreement without its signatures: what both hubs must have signed alike."""
    return {name: value for name, value in document.items() if name != "signatures"}


def _party(fields: Fields) -> Party:
    fields.only("identity", "name")
    return Party(fields.matching("identity", IDENTITY), fields.text("name", longest=255))


def _mapping(fields: Fields) -> GroupMapping:
    fields.only("slugs", "direction", "tlp_ceiling", "types", "same_group")
    slugs = fields.texts("slugs", SLUG, most=2)
    if len(slugs) != 2:
        raise InvalidRequest("it must name the group at the first hub and the one at the second", field="slugs")
    types = None if "types" not in fields.document else frozenset(fields.texts("types", _TYPE, most=MAX_TYPES))
    return GroupMapping(
        slugs=(slugs[0], slugs[1]),
        direction=cast(Direction, fields.one_of("direction", DIRECTIONS)),
        tlp_ceiling=fields.one_of("tlp_ceiling", CEILINGS),
        types=types,
        same_group=fields.flag("same_group"),
    )


def _once(groups: Sequence[GroupMapping]) -> None:
    """Refuse two pairs with the same group: a retraction, or a position, could not tell them apart."""
    for side in (0, 1):
        if len({one.slugs[side] for one in groups}) != len(groups):
            raise InvalidRequest("a group of one hub is mapped to one group of the other", field="agreement.groups")
