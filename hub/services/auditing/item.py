"""One stored version under examination: its row, its leaf, and what its bytes say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from hub.domain.audience import Audience
from hub.domain.canonical import jcs, read
from hub.domain.stix import facts
from hub.domain.submission import Parsed
from hub.errors import MalformedJson
from hub.services.auditing.ground import Ground, Leaf
from hub.store.scan import Row


@dataclass(frozen=True, slots=True)
class Item:
    """A row of `entry` with everything that is compared with it.

    :param parsed: what the bytes say; None when they are not what a version can be.
    :param digest: SHA-256 of the bytes as they are now. :param canonical: they are in canonical form.
    """

    row: Row
    leaf: Leaf | None
    parsed: Parsed | None
    digest: bytes
    canonical: bool

    @property
    def name(self) -> str:
        """How the row is called in a finding."""
        return f"entry {self.row['id']} ({self.row['stix_id']})"

    def audience(self, ground: Ground) -> Audience | None:
        """Return who may see it now."""
        return ground.audiences.get(self.row["audience_id"])

    def first_audience(self, ground: Ground) -> Audience | None:
        """Return who could see it when it was published."""
        first = self.row["first_audience_id"]
        return self.audience(ground) if first is None else ground.audiences.get(first)


def item_of(row: Row, leaf: Leaf | None) -> Item:
    """Return a row of `entry` with its bytes read."""
    body = bytes(row["body"])
    digest = hashlib.sha256(body).digest()
    parsed, canonical = read_body(body, digest)
    return Item(row, leaf, parsed, digest, canonical)


def read_body(body: bytes, digest: bytes) -> tuple[Parsed | None, bool]:
    """Return what the bytes of a version say, and whether they are in canonical form."""
    try:
        document = read(body)
        value = document.value
        if not isinstance(value, dict):
            return None, False
        parsed = Parsed(0, facts(value), value, body, digest, document.plain)
        return parsed, jcs(value, plain=document.plain) == body
    except (MalformedJson, KeyError, TypeError, ValueError, AttributeError):
        return None, False
