"""A reader's signed word on a version it was given: stored, verified, used, refused, or removed after a retraction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from hub.domain import limits, naming
from hub.domain.canonical import Json, jcs, sha256_hex
from hub.domain.key_material import PrivateKey
from hub.domain.keys import KeyRing
from hub.domain.statement import Attested, check_statement, sign_statement
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import InvalidRequest, SignatureError

ACKNOWLEDGEMENT_TYPE: Final = "x-cybex-acknowledgement"
FORMAT: Final = "1"
"""Of the form; ``schemas/hub/acknowledgement.schema.json`` describes it."""

Outcome: TypeAlias = Literal["stored", "verified", "used", "refused", "removed"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
EVERY_VERSION: Final = "all"
"""In the place of a version, with `removed` only: nothing of the object is left."""

_REQUIRED: Final = frozenset(
    {"type", "format", "id", "hub", "group", "object", "version", "outcome", "created", "by", "signatures"}
)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_STIX_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,249}--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDENTITY: Final = re.compile(r"identity--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
_VERSION: Final = re.compile(r"[0-9A-Za-z:.+-]{1,64}")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a peer confirms of one version.

    :param hub: STIX identity of the hub that served it. :param by: STIX identity of who confirms.
    :param version: as `hub.domain.signature_profile.related_version` names it, or `EVERY_VERSION`.
    :param created: microseconds since the epoch.
    """

    uuid: str
    hub: str
    group: str
    stix_id: str
    version: str
    outcome: Outcome
    created: int
    by: str
    reason: str | None = None


def signed(acknowledgement: Acknowledgement, key: PrivateKey, *, uuid: str) -> dict[str, Any]:
    """Return the acknowledgement as JSON with its signature (X.590 7.1). :param uuid: of the signature, version 4."""
    document: dict[str, Any] = {
        "type": ACKNOWLEDGEMENT_TYPE,
        "format": FORMAT,
        "id": acknowledgement.uuid,
        "hub": acknowledgement.hub,
        "group": acknowledgement.group,
        "object": acknowledgement.stix_id,
        "version": acknowledgement.version,
        "outcome": acknowledgement.outcome,
        "created": format_timestamp(acknowledgement.created),
        "by": acknowledgement.by,
    }
    if acknowledgement.reason is not None:
        document["reason"] = acknowledgement.reason
    return sign_statement(document, key, signee=acknowledgement.by, created=acknowledgement.created, uuid=uuid)


def read(document: Json) -> Acknowledgement:
    """Return what an acknowledgement says; nothing is verified.

    Raises:
        InvalidRequest: it has not exactly the published form; the field is the one at fault.
    """
    if not isinstance(document, dict) or document.get("type") != ACKNOWLEDGEMENT_TYPE:
        raise InvalidRequest(f"it must be {ACKNOWLEDGEMENT_TYPE}", field="type")
    if document.get("format") != FORMAT:
        raise InvalidRequest(f"it must be {FORMAT}", field="format")
    missing = _REQUIRED - document.keys()
    if missing:
        raise InvalidRequest("it is required", field=min(missing))
    if document.keys() - _REQUIRED - {"reason"}:
        raise InvalidRequest("it has a property that no acknowledgement has")
    outcome, reason = document["outcome"], document.get("reason")
    if outcome not in OUTCOMES:
        raise InvalidRequest(f"use one of: {', '.join(OUTCOMES)}", field="outcome")
    if "reason" in document and not isinstance(reason, str):
        raise InvalidRequest("it must be a text", field="reason")
    if isinstance(reason, str):
        naming.line(reason, "reason", limits.MAX_REASON_LENGTH)
    elif outcome == "refused":
        raise InvalidRequest("a refusal says why", field="reason")
    version = _matching(document, "version", _VERSION)
    if version == EVERY_VERSION and outcome != "removed":
        raise InvalidRequest("only what was removed is removed in every version", field="version")
    return Acknowledgement(
        uuid=_matching(document, "id", _UUID),
        hub=_matching(document, "hub", _IDENTITY),
        group=_matching(document, "group", _SLUG),
        stix_id=_matching(document, "object", _STIX_ID),
        version=version,
        outcome=outcome,
        created=_time(document),
        by=_matching(document, "by", _IDENTITY),
        reason=reason if isinstance(reason, str) else None,
    )


def verify(document: Mapping[str, Json], ring: KeyRing, *, now: int) -> Attested:
    """Return by which key an acknowledgement that was `read` is signed, as of its signing time.

    Raises:
        SignatureError: it is not signed by a key that its author had then, or was signed at another time than it says.
    """
    acknowledgement = read(dict(document))
    attested = check_statement(document, ring, signee=acknowledgement.by, now=now)
    if attested.signed_at != acknowledgement.created // 1_000 * 1_000:
        raise SignatureError("it is not the time at which it was signed", field="created")
    return attested


def octets(document: Mapping[str, Json]) -> bytes:
    """Return the JCS bytes under which a signed acknowledgement is kept."""
    return jcs(dict(document))


def digest(document: Mapping[str, Json]) -> str:
    """Return the hex SHA-256 by which the log names a signed acknowledgement: its signature makes it unguessable."""
    return sha256_hex(octets(document))


def _matching(document: Mapping[str, Json], name: str, form: re.Pattern[str]) -> str:
    value = document[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise InvalidRequest("it does not have the form it must have", field=name)
    return value


def _time(document: Mapping[str, Json]) -> int:
    value = document["created"]
    try:
        moment = parse_timestamp(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or format_timestamp(moment) != value:
        raise InvalidRequest("it must be a time in UTC with six digits of a second", field="created")
    return moment
