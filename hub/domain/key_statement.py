"""Key statements: who says what of a signing key, signed, so that a change of keys can be checked by everybody.

A new key proves that its holder has it by signing the statement itself; a rotation is signed by the old key as well.
What no key of the peer could sign is signed by the hub, which says on whose word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import jss, limits
from hub.domain.canonical import Json, jcs
from hub.domain.key_material import PrivateKey, PublicKey
from hub.domain.keys import COMPROMISED
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import InvalidRequest, SignatureError

STATEMENT_TYPE: Final = "x-cybex-key-statement"
FORMAT: Final = "1"
"""Of the statement's form; ``schemas/hub/key-statement.schema.json`` describes it."""

ENROL: Final = "enrol"
ROTATE: Final = "rotate"
REVOKE: Final = "revoke"
COMPROMISE: Final = "compromise"
ACTIONS: Final = (ENROL, ROTATE, REVOKE, COMPROMISE)
VOUCHED_BY: Final = ("operator", "administrator", "introduction")
"""On whose word the hub signed what no key of the peer signed."""

_IDENTITY: Final = re.compile(r"identity--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KID: Final = re.compile(r"[0-9a-f]{64}")
_REASONS: Final = ("superseded", "retired")


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """What is said of one key. Times are microseconds since the epoch.

    :param at: when it was said. :param since: from when on a revoked key counts no more.
    :param replaces: kid of the key that a rotation replaces, which signs until ``replaced_until``.
    :param vouched_by: on whose word the hub signed it; None where the peer signed.
    """

    action: str
    peer: str  # STIX identity
    kid: str
    hub: str  # STIX identity
    at: int
    public_key: str | None = None
    valid_from: int | None = None
    valid_until: int | None = None
    replaces: str | None = None
    replaced_until: int | None = None
    reason: str | None = None
    since: int | None = None
    vouched_by: str | None = None


def revocation(reason: str) -> str:
    """Return the action of a revocation for this reason."""
    return COMPROMISE if reason == COMPROMISED else REVOKE


def written(statement: KeyStatement) -> dict[str, Any]:
    """Return the statement as JSON without what it leaves open, not signed yet."""
    times = {
        name: None if value is None else format_timestamp(value)
        for name, value in (
            ("at", statement.at),
            ("valid_from", statement.valid_from),
            ("valid_until", statement.valid_until),
            ("replaced_until", statement.replaced_until),
            ("since", statement.since),
        )
    }
    whole = {
        "type": STATEMENT_TYPE,
        "format": FORMAT,
        "action": statement.action,
        "peer": statement.peer,
        "kid": statement.kid,
        "hub": statement.hub,
        "public_key": statement.public_key,
        "replaces": statement.replaces,
        "reason": statement.reason,
        "vouched_by": statement.vouched_by,
        **times,
    }
    return {name: value for name, value in whole.items() if value is not None}


def signed(document: Mapping[str, Any], key: PrivateKey, *, signee: str, at: int, uuid: str) -> dict[str, Any]:
    """Return the statement with one signature more (X.590 7.1).

    :param signee: STIX identity of who signs. :param at: signing time, microseconds. :param uuid: of the signature.
    """
    stamp = format_timestamp(at)[:23] + "Z"
    metadata = {"type": "jss", "id": uuid, "created": stamp, "modified": stamp, "signee": signee}
    return jss.sign(document, key, metadata=metadata)


def read_statement(document: Json) -> KeyStatement:
    """Return what a statement says; nothing is verified. What it holds beside that is passed over.

    Raises:
        InvalidRequest: it is not a statement; the field names what is missing or wrong.
    """
    if not isinstance(document, dict):
        raise InvalidRequest("it must be a JSON object", field="statement")
    if document.get("type") != STATEMENT_TYPE or document.get("format") != FORMAT:
        raise InvalidRequest(f"it must be {STATEMENT_TYPE} of format {FORMAT}", field="statement.type")
    action = _one_of(document, "action", ACTIONS)
    at = _time(document, "at")
    if action is None or at is None:
        raise InvalidRequest("it is required", field="statement.action" if action is None else "statement.at")
    statement = KeyStatement(
        action=action,
        peer=_matching(document, "peer", _IDENTITY) or _missing("peer"),
        kid=_matching(document, "kid", _KID) or _missing("kid"),
        hub=_matching(document, "hub", _IDENTITY) or _missing("hub"),
        at=at,
        public_key=_text(document, "public_key"),
        valid_from=_time(document, "valid_from"),
        valid_until=_time(document, "valid_until"),
        replaces=_matching(document, "replaces", _KID),
        replaced_until=_time(document, "replaced_until"),
        reason=_one_of(document, "reason", (COMPROMISED,) if action == COMPROMISE else _REASONS),
        since=_time(document, "since"),
        vouched_by=_one_of(document, "vouched_by", VOUCHED_BY),
    )
    for name in _REQUIRED[action]:
        if getattr(statement, name) is None:
            _missing(name)
    return statement


_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    ENROL: ("public_key",),
    ROTATE: ("public_key", "replaces", "replaced_until"),
    REVOKE: ("reason", "since"),
    COMPROMISE: ("reason", "since"),
}


def signers(document: Mapping[str, Any], keys: Iterable[PublicKey], *, signee: str) -> frozenset[str]:
    """Return the kids of the keys that signed a statement; every signature it carries must hold and be by one of them.

    :param keys: that may sign it. :param signee: in whose name each signature must be.

    Raises:
        SignatureError: a signature is missing, is by another key or in another name, or does not match.
    """
    by_text = {key.text: key for key in keys}
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise SignatureError("the statement is not signed", field="statement.signatures")
    found = set()
    for signature in signatures[: limits.MAX_SIGNATURES + 1]:
        if not isinstance(signature, Mapping):
            raise SignatureError("every element must be a signature object", field="statement.signatures")
        key = by_text.get(str(signature.get("public_key")).rstrip("="))
        if key is None or signature.get("signee") != signee:
            raise SignatureError("it is signed by a key that may not sign it", field="statement.signatures")
        if jss.verify(document, signature, key) is None:
            raise SignatureError("a signature does not match what it is over", field="statement.signatures")
        found.add(key.kid)
    if len(found) != len(signatures):
        raise SignatureError("a key signs a statement once", field="statement.signatures")
    return frozenset(found)


def octets(document: Mapping[str, Any]) -> bytes:
    """Return the JCS bytes under which a signed statement is kept and named."""
    return jcs(dict(document))


def _missing(name: str) -> str:
    raise InvalidRequest("it is required", field=f"statement.{name}")


def _text(document: Mapping[str, Json], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest("it must be a string", field=f"statement.{name}")
    return value


def _matching(document: Mapping[str, Json], name: str, form: re.Pattern[str]) -> str | None:
    value = _text(document, name)
    if value is not None and not form.fullmatch(value):
        raise InvalidRequest("it does not have the form it must have", field=f"statement.{name}")
    return value


def _one_of(document: Mapping[str, Json], name: str, values: tuple[str, ...]) -> str | None:
    value = _text(document, name)
    if value is not None and value not in values:
        raise InvalidRequest(f"use one of: {', '.join(values)}", field=f"statement.{name}")
    return value


def _time(document: Mapping[str, Json], name: str) -> int | None:
    value = _text(document, name)
    if value is None:
        return None
    try:
        return parse_timestamp(value)
    except ValueError:
        raise InvalidRequest("it must be an RFC 3339 date-time", field=f"statement.{name}") from None
