"""How far a withdrawal has come beyond a hub: how many had what was withdrawn there, how many say it is removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.canonical import Json, jcs
from hub.domain.fields import IDENTITY, UUID4, Fields
from hub.domain.key_material import PrivateKey
from hub.domain.keys import KeyRing
from hub.domain.statement import check_statement, sign_statement
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest

REACH_TYPE: Final = "x-cybex-reach"
FORMAT: Final = "1"
"""Of the report's form; ``schemas/hub/reach.schema.json`` describes it."""

MOST: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Reach:
    """What a hub reports of one act. ``at`` is in microseconds since the epoch.

    :param act: UUID that the withdrawal has at every hub.
    :param holders: peers at this hub, and at hubs beyond it, that had what was withdrawn; a hub beyond that has not
        reported counts as one. :param removed: how many of them say that they have removed it.
    """

    hub: str
    act: str
    holders: int
    removed: int
    at: int


def signed(reach: Reach, key: PrivateKey, *, uuid: str) -> dict[str, Any]:
    """Return the report as JSON with its hub's signature. :param uuid: of the signature."""
    document = {
        "type": REACH_TYPE,
        "format": FORMAT,
        "hub": reach.hub,
        "act": reach.act,
        "holders": reach.holders,
        "removed": reach.removed,
        "at": format_timestamp(reach.at),
    }
    return sign_statement(document, key, signee=reach.hub, created=reach.at, uuid=uuid, plain=True)


def checked(document: Json, ring: KeyRing, *, hub: str, now: int) -> Reach:
    """Return what a report says, signed by this hub. Raises InvalidRequest, SignatureError."""
    fields = Fields.of(document, "reach").only("type", "format", "hub", "act", "holders", "removed", "at", "signatures")
    fields.constant("type", REACH_TYPE)
    fields.constant("format", FORMAT)
    reach = Reach(
        fields.matching("hub", IDENTITY),
        fields.matching("act", UUID4),
        fields.number("holders", least=0, most=MOST),
        fields.number("removed", least=0, most=MOST),
        fields.time("at"),
    )
    if reach.hub != hub:
        raise InvalidRequest("it is of another hub", field="reach.hub")
    if reach.removed > reach.holders:
        raise InvalidRequest("more have removed it than had it", field="reach.removed")
    check_statement(fields.document, ring, signee=hub, now=now)
    return reach


def octets(document: Mapping[str, Any]) -> bytes:
    """Return the JCS bytes under which a report is kept."""
    return jcs(dict(document), plain=True)
