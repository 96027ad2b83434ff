"""Batches: what one hub hands to another, pushed, pulled or packed into a file; a signed header and untouched objects.

The header names every object by the SHA-256 of its bytes, with its path. The objects follow as they are stored: neither
the sender nor anybody on the way rebuilds them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import limits
from hub.domain.canonical import Json, jcs
from hub.domain.fields import IDENTITY, SHA256, SLUG, UUID4, Fields
from hub.domain.key_material import PrivateKey
from hub.domain.statement import sign_statement
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest

BATCH_TYPE: Final = "x-cybex-batch"
FORMAT: Final = "1"
"""Of the batch's form; ``schemas/hub/batch.schema.json`` describes it."""


POSITION: Final = re.compile(r"[0-9]{1,18}")
"""A position is a date of the giving hub in microseconds, as text."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a batch: the SHA-256 of its bytes and its path, as signed hops."""

    sha256: bytes
    hops: Sequence[Json]


@dataclass(frozen=True, slots=True)
class Header:
    """What a batch says of itself. ``made_at`` is in microseconds since the epoch.

    :param group: slug at the receiving hub. :param collection: alias.
    :param after: position after which it begins; None when it repeats single objects, and moves no position.
    :param upto: position that the receiver has reached with it.
    """

    id: str
    sender: str
    to: str
    agreement: str
    group: str
    collection: str
    made_at: int
    after: str | None
    upto: str | None
    introductions: Sequence[Json]
    items: Sequence[Item]
    reaches: Sequence[Json] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it is sent: the header as it was signed, and the stored bytes in the order of its items."""

    header: Mapping[str, Any]
    bodies: Sequence[bytes]

    def octets(self) -> bytes:
        """Return the batch as JSON; the objects are joined, never rebuilt."""
        return b'{"header":' + jcs(dict(self.header)) + b',"objects":[' + b",".join(self.bodies) + b"]}"


def signed(header: Header, key: PrivateKey, *, uuid: str) -> dict[str, Any]:
    """Return the header as JSON with the sending hub's signature. :param uuid: of the signature."""
    document: dict[str, Any] = {
        "type": BATCH_TYPE,
        "format": FORMAT,
        "id": header.id,
        "from": header.sender,
        "to": header.to,
        "agreement": header.agreement,
        "group": header.group,
        "collection": header.collection,
        "made_at": format_timestamp(header.made_at),
        "introductions": list(header.introductions),
        "items": [{"sha256": one.sha256.hex(), "hops": list(one.hops)} for one in header.items],
        "reaches": list(header.reaches),
    }
    if header.after is not None and header.upto is not None:
        document |= {"after": header.after, "upto": header.upto}
    return sign_statement(document, key, signee=header.sender, created=header.made_at, uuid=uuid)


def read_batch(document: Json) -> tuple[Header, Mapping[str, Json], list[Json]]:
    """Return the header, the document it was read from, and the objects.

    Signatures, and whether the objects are those that the header names, are checked by who takes them.

    Raises:
        InvalidRequest: it is no batch; the member is named.
    """
    whole = Fields.of(document, "batch").only("header", "objects")
    fields = whole.inner("header")
    fields.constant("type", BATCH_TYPE)
    fields.constant("format", FORMAT)
    objects = list(whole.list("objects", most=limits.RELAY_BATCH_OBJECTS))
    items = []
    for one in fields.objects("items", most=limits.RELAY_BATCH_OBJECTS):
        one.only("sha256", "hops")
        items.append(Item(bytes.fromhex(one.matching("sha256", SHA256)), one.list("hops", most=limits.RELAY_HOPS)))
    if len(items) != len(objects):
        raise InvalidRequest("it must name each object of the batch", field="batch.header.items")
    header = Header(
        id=fields.matching("id", UUID4),
        sender=fields.matching("from", IDENTITY),
        to=fields.matching("to", IDENTITY),
        agreement=fields.matching("agreement", UUID4),
        group=fields.matching("group", SLUG),
        collection=fields.text("collection", longest=64),
        made_at=fields.time("made_at"),
        after=fields.optional_matching("after", POSITION),
        upto=fields.optional_matching("upto", POSITION),
        introductions=fields.list("introductions", most=limits.RELAY_INTRODUCTIONS),
        items=items,
        reaches=fields.list("reaches", most=limits.RELAY_REACHES),
    )
    if (header.after is None) != (header.upto is None):
        raise InvalidRequest("after and upto go together", field="batch.header.after")
    return header, fields.document, objects
