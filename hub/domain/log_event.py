"""What the transparency log witnesses: an event, and the leaf that commits to it without showing it.

The log publishes 32 octets per event, the SHA-256 of a secret salt and the event's canonical bytes. Whoever is given
salt and payload can check that this event stands at this place; nobody can guess one from the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.canonical import jcs

SALT_BYTES: Final = 16
"""Octets of salt: 128 bits cannot be searched; a fixed length, so that salt and payload cannot trade octets."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that matters, as it is written into the log.

    :param kind: ``accepted``, ``refused``, ``retracted`` … or a dotted action such as ``member.add``.
    :param body: texts, integers, lists and objects of these; no floating point, names in ASCII.
    :param peer_id: whose doing it was; None for the hub's own machine. He may open the leaf.
    :param subject_peer_id: another peer whom it is about; he may open it too.
    """

    kind: str
    body: Mapping[str, Any]
    peer_id: int | None
    subject_peer_id: int | None = None

    def payload(self) -> bytes:
        """Return the canonical bytes that the leaf commits to, the kind among them."""
        return jcs({**self.body, "event": self.kind}, plain=True)


def leaf_data(salt: bytes, payload: bytes) -> bytes:
    """Return the 32 octets that the log publishes of an event; RFC 6962 hashes them once more, after a zero octet.

    Raises ValueError for a salt of another length.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} octets")
    return hashlib.sha256(salt + payload).digest()
