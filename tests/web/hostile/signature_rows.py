"""Objects that carry signatures of every wrong form, and releasability markings that say nothing sensible.

Signatures are optional in the group that is attacked: one that is there must be right all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.domain.releasability import EXTENSION_ID
from hub.domain.signature_extensions import INLINE_EXTENSION_ID
from hub.domain.signature_profile import detached_signature, related_version, sign_inline
from tests.domain.signing import ed25519_key
from tests.web.hostile.row import CANARY, Row, envelope, failing, posted
from tests.web.taxii.world import identity_of, indicator

KEY = ed25519_key("hostile")
"""Enrolled for the peer that posts."""

AUTHOR = identity_of(0)
_SIGNED_AT = "2026-10-31T00:00:00.000Z"
_UUID = "0f7f2d3a-6d1e-4b2f-9a57-3c1f5f0e9b11"
_OBJECT = indicator(254, created_by_ref=AUTHOR)
SIGNED = sign_inline(_OBJECT, KEY, identity=AUTHOR, created=_SIGNED_AT, signature_uuid=_UUID)
_SIGNATURE: dict[str, Any] = SIGNED["signatures"][0]
_DETACHED = detached_signature(
    _OBJECT,
    KEY,
    identity=AUTHOR,
    created=_SIGNED_AT,
    uuid=_UUID,
    related_version=related_version(_OBJECT),
    marking_refs=(),
)
_NONSENSE: dict[str, Any] = {
    "null": None, "a number": 7, "true": True, "a list": [CANARY], "an object": {CANARY: CANARY},
    "empty": "", "a word": CANARY, "a NUL": "\x00", "4-byte": "\U0001f600" * 64,
}  # fmt: skip


def _with(signatures: Any) -> bytes:
    """Return an envelope of the signed object with other signatures."""
    return envelope({**SIGNED, "signatures": signatures})


def _spoiled_members() -> Iterator[Row]:
    for member in sorted(_SIGNATURE):
        for what, value in _NONSENSE.items():
            yield failing(f"a signature with {member} {what}", _with([{**_SIGNATURE, member: value}]), "signature")
        rest = {name: kept for name, kept in _SIGNATURE.items() if name != member}
        yield failing(f"a signature without {member}", _with([rest]), "signature")


def _spoiled_detached() -> Iterator[Row]:
    for member in sorted(set(_DETACHED) & {"related_to", "related_version", *_SIGNATURE}):
        for what in ("null", "a number", "a list", "an object", "a word"):
            name = f"a detached signature with {member} {what}"
            yield failing(name, envelope({**_DETACHED, member: _NONSENSE[what]}), "")


def _nested(levels: int) -> dict[str, Any]:
    """Return a signature with countersignatures inside each other."""
    inner = dict(_SIGNATURE)
    for _ in range(levels):
        inner = {**_SIGNATURE, "signature": inner}
    return inner


_FLIPPED = {**_SIGNATURE, "value": ("B" if _SIGNATURE["value"][0] == "A" else "A") + _SIGNATURE["value"][1:]}

FORMS: tuple[Row, ...] = (
    *(
        failing(f"signatures that are {what}", _with(value), "signature")
        for what, value in _NONSENSE.items()
    ),
    failing("signatures that are an empty list", _with([]), "signature"),
    failing("signatures that hold a list", _with([[_SIGNATURE]]), "signature"),
    failing("17 signatures", _with([_SIGNATURE] * 17), "signature"),
    failing("1,000 signatures", _with([_SIGNATURE] * 1000), "signature"),
    failing("a good signature and a bad one", _with([_SIGNATURE, _FLIPPED]), "signature"),
    failing("a signature with one character changed", _with([_FLIPPED]), "signature"),
    failing("a signature over other content", envelope({**SIGNED, "name": CANARY}), "signature"),
    failing("a signature moved to another object",
            envelope({**indicator(253, created_by_ref=AUTHOR), "signatures": [_SIGNATURE],
                      "extensions": SIGNED["extensions"]}), "signature"),
    failing("signatures that nothing declares",
            envelope({name: value for name, value in SIGNED.items() if name != "extensions"}), "signature"),
    failing("signatures in somebody else's object",
            envelope({**SIGNED, "created_by_ref": identity_of(1)}), ""),
    failing("a key nobody enrolled",
            envelope(sign_inline(_OBJECT, ed25519_key("stranger"), identity=AUTHOR, created=_SIGNED_AT,
                                 signature_uuid=_UUID)), "signature"),
    failing("a signature of tomorrow",
            envelope(sign_inline(_OBJECT, KEY, identity=AUTHOR, created="2026-11-02T00:00:00.000Z",
                                 signature_uuid=_UUID)), "signature"),
    failing("20 countersignatures inside each other", _with([_nested(20)]), "signature"),
    posted("100 countersignatures inside each other", _with([_nested(100)]), 400),
    failing("the extension of signatures with another kind",
            envelope({**SIGNED, "extensions": {INLINE_EXTENSION_ID: {"extension_type": CANARY}}}), ""),
    failing("an extension that is null",
            envelope({**_OBJECT, "extensions": {INLINE_EXTENSION_ID: None}}), "extensions"),
    failing("an extension that nobody can define", envelope({**_OBJECT, "extensions": {CANARY + "!": {"a": 1}}}),
            "extension"),
    failing("extensions that are a list", envelope({**_OBJECT, "extensions": [CANARY]}), "extensions"),
    failing("a detached signature over nothing", envelope({**_DETACHED, "related_to": indicator(77)["id"]}), ""),
    failing("a detached signature over itself", envelope({**_DETACHED, "related_to": _DETACHED["id"]}), ""),
)  # fmt: skip


def _marking(**said: Any) -> bytes:
    return envelope(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{_UUID}",
            "created": "2026-10-01T00:00:00.000Z",
            "created_by_ref": AUTHOR,
            "name": CANARY,
            "extensions": {EXTENSION_ID: {"extension_type": "property-extension", "onward_relay": True, **said}},
        }
    )


RELEASABILITY: tuple[Row, ...] = (
    *(
        failing(f"a releasability marking with {member} {what}", _marking(**{member: _NONSENSE[what]}), "")
        for member in ("extension_type", "onward_relay", "recipient_refs", "excluded_refs", "embargo_until",
                       "permission_expires")
        for what in ("null", "a number", "a list", "an object", "a word")
    ),
    failing("a releasability marking with no recipients", _marking(recipient_refs=[]), ""),
    failing("a releasability marking with recipients and exclusions",
            _marking(recipient_refs=[AUTHOR], excluded_refs=[AUTHOR]), ""),
    failing("a releasability marking with one recipient twice", _marking(recipient_refs=[AUTHOR, AUTHOR]), ""),
    failing("a releasability marking with 10,000 recipients",
            _marking(recipient_refs=[identity_of(number) for number in range(10_000)]), ""),
    failing("a releasability marking that expires before it begins",
            _marking(embargo_until="2027-01-02T00:00:00Z", permission_expires="2027-01-01T00:00:00Z"), ""),
    failing("an embargo until a day that is none", _marking(embargo_until="2027-02-30T00:00:00Z"), ""),
)  # fmt: skip

ROWS = (*_spoiled_members(), *_spoiled_detached(), *FORMS, *RELEASABILITY)
DISLIKED_BY_DATABASES = tuple(row for row in ROWS if "NUL" in row.name or "4-byte" in row.name)
