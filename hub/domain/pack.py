"""Packs: what one hub may have of another in one file, carried by hand; and the receipt that is carried back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import limits
from hub.domain.canonical import Json
from hub.domain.fields import IDENTITY, SHA256, SLUG, UUID4, Fields
from hub.domain.key_material import PrivateKey
from hub.domain.pack_file import Part, read_parts, written_parts
from hub.domain.statement import sign_statement
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest

PACK_TYPE: Final = "x-cybex-pack"
RECEIPT_TYPE: Final = "x-cybex-pack-receipt"
FORMAT: Final = "1"
"""Of both manifests; ``schemas/hub/pack.schema.json`` and ``pack-receipt.schema.json`` describe them."""

MAX_NUMBER: Final = 2**53 - 1
_MAX_LANES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """How far one collection goes in a pack. :param group: slug at the receiving hub. :param collection: alias."""

    group: str
    collection: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Previous:
    """The pack that another one stands upon: what it holds is taken to be there."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pack:
    """What the manifest of a pack says. ``made_at`` is in microseconds since the epoch.

    :param number: counts the packs of one hub for another. :param previous: None stands upon nothing.
    :param parts: the batches, in the order in which they are taken.
    :param reaches: how far withdrawals of the receiving hub have come at the giving one.
    """

    id: str
    number: int
    sender: str
    to: str
    agreement: str
    made_at: int
    previous: Previous | None
    spans: Sequence[Span]
    parts: Sequence[Part]
    reaches: Sequence[Json] = ()


@dataclass(frozen=True, slots=True)
class PackReceipt:
    """What the manifest of a receipt says: each part is the answer to one batch of the pack, in the same order.

    :param pack: SHA-256 of the pack's signed manifest, in hex, with its id and number.
    :param introduced: digest of what is known now, in hex, of authors that the pack introduced.
    """

    id: str
    number: int
    pack: str
    sender: str
    to: str
    made_at: int
    introduced: Mapping[str, Json]
    parts: Sequence[Part]
    reaches: Sequence[Json] = ()


def signed_pack(pack: Pack, key: PrivateKey, *, uuid: str) -> dict[str, Any]:
    """Return the manifest as JSON with the giving hub's signature. :param uuid: of the signature."""
    document: dict[str, Any] = {
        "type": PACK_TYPE,
        "format": FORMAT,
        "id": pack.id,
        "number": pack.number,
        "from": pack.sender,
        "to": pack.to,
        "agreement": pack.agreement,
        "made_at": format_timestamp(pack.made_at),
        "positions": [
            {"group": one.group, "collection": one.collection, "before": one.before, "after": one.after}
            for one in pack.spans
        ],
        "parts": written_parts(pack.parts),
        "reaches": list(pack.reaches),
    }
    if pack.previous is not None:
        document["previous"] = {"number": pack.previous.number, "sha256": pack.previous.sha256}
    return sign_statement(document, key, signee=pack.sender, created=pack.made_at, uuid=uuid)


def signed_receipt(receipt: PackReceipt, key: PrivateKey, *, uuid: str) -> dict[str, Any]:
    """Return the manifest as JSON with the receiving hub's signature. :param uuid: of the signature."""
    document: dict[str, Any] = {
        "type": RECEIPT_TYPE,
        "format": FORMAT,
        "id": receipt.id,
        "number": receipt.number,
        "pack": receipt.pack,
        "from": receipt.sender,
        "to": receipt.to,
        "made_at": format_timestamp(receipt.made_at),
        "introduced": dict(receipt.introduced),
        "parts": written_parts(receipt.parts),
        "reaches": list(receipt.reaches),
    }
    return sign_statement(document, key, signee=receipt.sender, created=receipt.made_at, uuid=uuid)


def read_manifest(document: Json) -> tuple[Pack | PackReceipt, Mapping[str, Json]]:
    """Return what a manifest says, and the document; its signature is checked by who takes it.

    Raises:
        InvalidRequest: it is neither a pack's nor a receipt's; the member is named.
    """
    fields = Fields.of(document, "manifest")
    if fields.one_of("type", (PACK_TYPE, RECEIPT_TYPE)) == PACK_TYPE:
        return _read_pack(fields), fields.document
    return _read_receipt(fields), fields.document


def _read_pack(fields: Fields) -> Pack:
    fields.constant("format", FORMAT)
    previous = None
    if "previous" in fields.document:
        inner = fields.inner("previous").only("number", "sha256")
        previous = Previous(inner.number("number", least=1, most=MAX_NUMBER), inner.matching("sha256", SHA256))
    number = fields.number("number", least=1, most=MAX_NUMBER)
    if previous is not None and previous.number >= number:
        raise InvalidRequest("a pack stands upon an earlier one", field="manifest.previous.number")
    return Pack(
        id=fields.matching("id", UUID4),
        number=number,
        sender=fields.matching("from", IDENTITY),
        to=fields.matching("to", IDENTITY),
        agreement=fields.matching("agreement", UUID4),
        made_at=fields.time("made_at"),
        previous=previous,
        spans=tuple(_span(one) for one in fields.objects("positions", most=_MAX_LANES)),
        parts=read_parts(fields),
        reaches=fields.list("reaches", most=limits.RELAY_REACHES),
    )


def _read_receipt(fields: Fields) -> PackReceipt:
    fields.constant("format", FORMAT)
    return PackReceipt(
        id=fields.matching("id", UUID4),
        number=fields.number("number", least=1, most=MAX_NUMBER),
        pack=fields.matching("pack", SHA256),
        sender=fields.matching("from", IDENTITY),
        to=fields.matching("to", IDENTITY),
        made_at=fields.time("made_at"),
        introduced=fields.inner("introduced").document,
        parts=read_parts(fields),
        reaches=fields.list("reaches", most=limits.RELAY_REACHES),
    )


def _span(fields: Fields) -> Span:
    fields.only("group", "collection", "before", "after")
    span = Span(
        group=fields.matching("group", SLUG),
        collection=fields.text("collection", longest=64),
        before=fields.text("before", longest=18),
        after=fields.text("after", longest=18),
    )
    if not (span.before.isdecimal() and span.after.isdecimal() and int(span.before) <= int(span.after)):
        raise InvalidRequest("positions are whole numbers that do not go back", field=fields.place)
    return span
