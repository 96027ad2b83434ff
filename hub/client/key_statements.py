"""Key statements as a CIRT makes them with its own private keys; see `hub.domain.key_statement` for what they say."""

from __future__ import annotations

import uuid
from typing import Any

from hub.domain.key_material import PrivateKey
from hub.domain.key_statement import ENROL, ROTATE, KeyStatement, revocation, signed, written


def enrolment(
    key: PrivateKey,
    *,
    peer: str,
    hub: str,
    at: int,
    valid_from: int | None = None,
    valid_until: int | None = None,
) -> dict[str, Any]:
    """Return the statement that proves that its maker has a new key; times are microseconds since the epoch.

    :param peer: STIX identity of the maker. :param hub: STIX identity of the hub it is for.
    """
    said = KeyStatement(
        ENROL,
        peer,
        key.public.kid,
        hub,
        at,
        public_key=key.public.text,
        valid_from=at if valid_from is None else valid_from,
        valid_until=valid_until,
    )
    return _signed(said, key)


def rotation(
    old: PrivateKey,
    new: PrivateKey,
    *,
    peer: str,
    hub: str,
    at: int,
    replaced_until: int | None = None,
    valid_until: int | None = None,
) -> dict[str, Any]:
    """Return the statement, signed by both keys, that one replaces the other, which signs until ``replaced_until``."""
    said = KeyStatement(
        ROTATE,
        peer,
        new.public.kid,
        hub,
        at,
        public_key=new.public.text,
        valid_from=at,
        valid_until=valid_until,
        replaces=old.public.kid,
        replaced_until=at if replaced_until is None else replaced_until,
    )
    return _signed(said, old, new)


def withdrawal(
    key: PrivateKey, kid: str, *, peer: str, hub: str, at: int, reason: str, since: int | None = None
) -> dict[str, Any]:
    """Return the statement that the key ``kid`` counts no more from ``since`` on, signed by a key that stands."""
    said = KeyStatement(revocation(reason), peer, kid, hub, at, reason=reason, since=at if since is None else since)
    return _signed(said, key)


def _signed(said: KeyStatement, *keys: PrivateKey) -> dict[str, Any]:
    document = written(said)
    for key in keys:
        document = signed(document, key, signee=said.peer, at=said.at, uuid=str(uuid.uuid4()))
    return document
