"""The signed statement behind each change of a key: brought by the peer, or made by the hub on somebody's word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection

from hub.domain import key_material, limits
from hub.domain.key_statement import ENROL, ROTATE, KeyStatement, octets, read_statement, signed, signers, written
from hub.domain.keys import SigningKey
from hub.errors import InvalidRequest, SignatureError
from hub.services.actor import Actor, is_operator
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import key_statements as store

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement as it is stored: what it says, its octets, and the digest by which the log names it."""

    statement: KeyStatement
    body: bytes

    @property
    def sha256(self) -> str:
        """Lower-case hex SHA-256 of the octets."""
        return hashlib.sha256(self.body).hexdigest()


def settled(
    hub: Hub,
    actor: Actor,
    wanted: KeyStatement,
    document: Document | None,
    signing: Iterable[SigningKey],
) -> Kept:
    """Return the statement for a change: the peer's own, checked against what is wanted, else one by the hub.

    1. A statement of the peer says exactly what is wanted, of this hub, and is not old.
    2. It is signed by the new key if there is one, for a rotation by the replaced key too, for a revocation by any of
       ``signing``, and by nobody else.
    3. Without one the hub signs, on the operator's word; a peer's administrator is believed for a revocation only,
       because a new key has to be proved and a stolen one has to be stopped at once.

    :param wanted: what is to be done; times that are None are taken from the statement.

    Raises:
        InvalidRequest: the statement says something else, or is missing.
        SignatureError: it is not signed as it must be.
    """
    if document is not None:
        return _brought(hub, wanted, document, signing)
    if not is_operator(actor) and wanted.action in (ENROL, ROTATE):
        raise InvalidRequest(
            "sign a statement with the new key to prove that you have it; cybex key enrol and key rotate do",
            field="statement",
        )
    said = replace(wanted, vouched_by="operator" if is_operator(actor) else "administrator")
    unsigned = written(said)
    return Kept(
        said,
        octets(signed(unsigned, hub.signing_key, signee=wanted.hub, at=wanted.at, uuid=uuid4(hub.token_bytes))),
    )


def keep(tx: Connection, key: SigningKey, kept: Kept) -> None:
    """Store a statement with the key it is about."""
    store.add(tx, key_id=key.id, action=kept.statement.action, at=kept.statement.at, statement=kept.body)


def wanted_of(tx: Connection, hub: Hub, action: str, peer: str, kid: str) -> KeyStatement:
    """Return the beginning of a statement: the hub's own name and clock, and what it is about."""
    return KeyStatement(action, peer, kid, hub_identity(tx), hub.clock())


def _brought(hub: Hub, wanted: KeyStatement, document: Document, signing: Iterable[SigningKey]) -> Kept:
    said = read_statement(dict(document))
    for each in fields(KeyStatement):  # 1
        expected, given = getattr(wanted, each.name), getattr(said, each.name)
        free = each.name == "at" or (expected is None and each.name in _TIMES)
        if not free and expected != given:
            raise InvalidRequest("it differs from what is asked for", field=f"statement.{each.name}")
    _check_age(said.at, wanted.at)
    must = {said.kid, said.replaces} - {None} if said.action in (ENROL, ROTATE) else set()
    texts = {key.public_key for key in signing} | ({said.public_key} if said.public_key else set())
    loaded = [key_material.public_key(text, allow_test_key=hub.allow_test_key) for text in texts]
    by = signers(document, loaded, signee=said.peer)  # 2
    if not must <= by:
        raise SignatureError(
            "both the old and the new key must sign it" if said.action == ROTATE else "the new key must sign it",
            field="statement.signatures",
        )
    return Kept(said, octets(document))


_TIMES = ("valid_from", "valid_until", "replaced_until", "since")


def _check_age(at: int, now: int) -> None:
    if at > now + limits.SIGNATURE_FUTURE_SECONDS * 1_000_000:
        raise InvalidRequest("it lies in the future; check the clock", field="statement.at")
    if at < now - limits.KEY_STATEMENT_AGE_SECONDS * 1_000_000:
        raise InvalidRequest("the statement is too old; sign a new one", field="statement.at")
