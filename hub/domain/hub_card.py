"""Hub cards: how a hub presents itself to the operator of another one, signed by its own key.

A card proves that whoever made it has the key that it names. That the key is that hub's, two people settle by comparing
its fingerprint over another channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.canonical import Json
from hub.domain.fields import Fields
from hub.domain.introduction import IntroducedKey, Introduction, read_introduction
from hub.domain.key_material import PrivateKey
from hub.domain.membership import PeerKind
from hub.domain.statement import check_statement, sign_statement
from hub.errors import InvalidRequest, SignatureError

CARD_TYPE: Final = "x-cybex-hub-card"
FORMAT: Final = "1"
"""Of the card's form; ``schemas/hub/hub-card.schema.json`` describes it."""

_URL_LENGTH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Card:
    """What a hub says of itself.

    :param url: its base, None where it cannot be called. :param signed_by: the key that signed the card.
    """

    introduction: Introduction
    url: str | None
    signed_by: IntroducedKey


def written(introduction: Mapping[str, Any], url: str | None) -> dict[str, Any]:
    """Return a card as JSON around a hub's signed introduction of itself, not signed yet."""
    card = {"type": CARD_TYPE, "format": FORMAT, "introduction": dict(introduction)}
    return card if url is None else {**card, "url": url}


def signed(card: Mapping[str, Any], key: PrivateKey, *, hub: str, at: int, uuid: str) -> dict[str, Any]:
    """Return the card signed by its hub. :param at: microseconds. :param uuid: of the signature."""
    return sign_statement(card, key, signee=hub, created=at, uuid=uuid)


def read_card(document: Json, *, now: int) -> Card:
    """Return what a card says, once its signature and that of its introduction hold.

    Raises:
        InvalidRequest: it is no card. SignatureError: it is not signed by a key on it that stands now.
    """
    fields = Fields.of(document, "card").only("type", "format", "introduction", "url", "signatures")
    fields.constant("type", CARD_TYPE)
    fields.constant("format", FORMAT)
    url = fields.optional_text("url", longest=_URL_LENGTH)
    inside = fields.inner("introduction").document
    introduction = read_introduction(dict(inside))
    if not introduction.of_the_hub or introduction.kind != PeerKind.HUB.value:
        raise InvalidRequest("a card is a hub's introduction of itself", field="card.introduction")
    ring = introduction.ring()
    check_statement(inside, ring, signee=introduction.hub, now=now)
    attested = check_statement(fields.document, ring, signee=introduction.hub, now=now)
    for key in introduction.keys:
        if key.kid == attested.key.kid:
            return Card(introduction, url, key)
    raise SignatureError("it is signed by no key on it", field="card.signatures")


def fingerprint_of(key: IntroducedKey) -> str:
    """Return what two people compare: the SHA-256 of the public key, in groups of four that can be read aloud."""
    return " ".join(key.kid[start : start + 4] for start in range(0, len(key.kid), 4))


def same_fingerprint(key: IntroducedKey, text: str) -> bool:
    """Say whether a text is this key's whole fingerprint, however it is spaced and written."""
    return "".join(text.split()).replace(":", "").lower() == key.kid
