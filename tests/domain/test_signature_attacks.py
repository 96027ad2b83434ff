"""What an attacker does to a signed object, one row each; every row is refused for the reason it names."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hub.domain import jss, limits
from hub.domain.key_material import PUBLISHED_TEST_KEYS
from hub.domain.keys import KeyRing
from hub.domain.policy.decision import Decision
from hub.domain.signature_profile import INLINE_EXTENSION_ID, Attestation, check_detached, check_inline, sign_inline
from tests.domain.signing import (
    AUTHOR,
    AUTHOR_KEY,
    AUTHOR_PEER,
    DAY,
    DOMAIN,
    INDICATOR,
    NOW,
    OTHER,
    OTHER_KEY,
    OTHER_PEER,
    SIGNED_US,
    UUID,
    detached,
    ed25519_key,
    enrolled,
    es256_key,
    inline,
    ring,
)

_ATTACKER = ed25519_key("attacker")
_EVERYBODY = frozenset({AUTHOR_PEER, OTHER_PEER})


def _changed(obj: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A deep copy with one member replaced, or removed when it is to be ``...``."""
    result = copy.deepcopy(obj)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return result


def _resigned(key: Any = AUTHOR_KEY, obj: Any = INDICATOR, **metadata: Any) -> dict[str, Any]:
    """The author's object with metadata of choice, really signed by a key."""
    signed = inline(obj)
    fields = {name: value for name, value in signed.pop("signatures")[0].items() if name not in jss.KEY_PROPERTIES}
    for name in ("value", "hash_algorithm", "algorithm"):
        del fields[name]
    kept = {name: value for name, value in {**fields, **metadata}.items() if value is not ...}
    return jss.sign(signed, key, metadata=kept)


def _twice(second: dict[str, Any]) -> dict[str, Any]:
    return {**inline(), "signatures": [*inline()["signatures"], *second["signatures"]]}


_SIGNATURE = ("signatures", 0)

_INLINE: list[tuple[str, Callable[[], dict[str, Any]], str]] = [
    ("tampered", lambda: _changed(inline(), "name", to="Harmless host"), "does not match"),
    ("property added", lambda: {**inline(), "revoked": False}, "does not match"),
    ("property removed", lambda: _changed(inline(), "object_marking_refs", to=...), "does not match"),
    ("marking weakened", lambda: _changed(inline(), "object_marking_refs", 0, to="marking-definition--x"), "not match"),
    ("signatures stripped, claim left", lambda: _changed(inline(), "signatures", to=...), "carries none"),
    ("signatures emptied", lambda: _changed(inline(), "signatures", to=[]), "carries none"),
    ("signatures no list", lambda: _changed(inline(), "signatures", to={"0": inline()["signatures"][0]}), "none"),
    ("signature no object", lambda: _changed(inline(), *_SIGNATURE, to="x"), "must be a signature object"),
    ("claim stripped", lambda: _changed(inline(), "extensions", to=...), "extension that declares"),
    ("claim changed", lambda: _changed(inline(), "extensions", INLINE_EXTENSION_ID, to={}), "extension that declares"),
    ("moved to another object", lambda: {**inline(), "id": "indicator--" + UUID}, "another object"),
    (
        "replayed to a later version",
        lambda: {**inline(), "modified": "2026-01-10T09:00:00.000Z"},
        "another version",
    ),
    (
        "moved, with related_to adapted",
        lambda: _changed({**inline(), "id": "indicator--" + UUID}, *_SIGNATURE, "related_to", to="indicator--" + UUID),
        "does not match",
    ),
    (
        "replayed, with related_version adapted",
        lambda: _changed(
            {**inline(), "modified": "2026-01-10T09:00:00.000Z"},
            *_SIGNATURE,
            "related_version",
            to="2026-01-10T09:00:00.000Z",
        ),
        "does not match",
    ),
    ("version written differently", lambda: {**inline(), "modified": "2026-01-10T08:00:00Z"}, "another version"),
    ("attacker's own key", lambda: _resigned(_ATTACKER), "not an enrolled key"),
    ("another peer's key", lambda: _resigned(OTHER_KEY), "signee"),
    (
        "key swapped under a good signature",
        lambda: _changed(inline(), *_SIGNATURE, "public_key", to=OTHER_KEY.public.text),
        "signee",
    ),
    (
        "key text padded",
        lambda: _changed(inline(), *_SIGNATURE, "public_key", to=AUTHOR_KEY.public.text + "="),
        "does not match",
    ),
    ("algorithm confused", lambda: _changed(inline(), *_SIGNATURE, "algorithm", to="ES256"), "algorithm of the key"),
    ("HMAC keyed with the public key", lambda: _changed(inline(), *_SIGNATURE, "algorithm", to="HS256"), "MAC"),
    ("RSA", lambda: _changed(inline(), *_SIGNATURE, "algorithm", to="RS256"), "algorithm must be one of"),
    ("weak hash", lambda: _changed(inline(), *_SIGNATURE, "hash_algorithm", to="md5"), "hash_algorithm"),
    (
        "another strong hash",
        lambda: _changed(inline(), *_SIGNATURE, "hash_algorithm", to="sha-512"),
        "does not match",
    ),
    (
        "value padded",
        lambda: _changed(inline(), *_SIGNATURE, "value", to=inline()["signatures"][0]["value"] + "=="),
        "base64url",
    ),
    ("certificate URL", lambda: _resigned(cert_url=...) | {"signatures": [_by_url()]}, "certificates, their URLs"),
    ("chain beside the key", lambda: _changed(inline(), *_SIGNATURE, "public_cert_chain", to=["MIIB"]), "exactly one"),
    ("wrong signee, signed", lambda: _resigned(signee=OTHER), "only the author"),
    ("wrong signee, changed after", lambda: _changed(inline(), *_SIGNATURE, "signee", to=OTHER), "only the author"),
    ("no signee", lambda: _resigned(signee=...), "only the author"),
    (
        "author replaced, signer too",
        lambda: _changed({**inline(), "created_by_ref": OTHER}, *_SIGNATURE, "signee", to=OTHER),
        "signee",
    ),
    ("re-dated", lambda: _changed(inline(), *_SIGNATURE, "created", to="2026-01-10T08:00:00.500Z"), "does not match"),
    ("no signing time", lambda: _resigned(created=..., modified=...), "signing time is missing"),
    ("signing time is no time", lambda: _resigned(created="yesterday"), "timestamp"),
    ("signing time is a number", lambda: _resigned(created=1), "timestamp"),
    ("modified before created", lambda: _resigned(modified="2026-01-10T08:00:00.999Z"), "earlier than created"),
    (
        "future signing time",
        lambda: _resigned(created="2026-01-11T00:05:00.001Z", modified="2026-01-11T00:05:00.001Z"),
        "future",
    ),
    ("no id", lambda: _resigned(id=...), "UUID"),
    ("id is no UUID", lambda: _resigned(id="1"), "UUID"),
    ("no related_to", lambda: _resigned(related_to=...), "another object"),
    ("no related_version", lambda: _resigned(related_version=...), "another version"),
    ("withdrawn by the signer", lambda: _resigned(revoked=True), "withdrawn"),
    ("revoked is no boolean", lambda: _resigned(revoked=0), "withdrawn"),
    ("signature over its date", lambda: _resigned(valid_until="2026-01-10T12:00:00.000Z"), "no longer valid"),
    ("signature before its date", lambda: _resigned(valid_from="2026-01-12T00:00:00.000Z"), "not valid yet"),
    ("published test key", lambda: _changed(inline(), *_SIGNATURE, "public_key", to=_test_key()), "not an enrolled"),
    ("two signatures, the second bad", lambda: _twice(_resigned(_ATTACKER)), "not an enrolled key"),
    (
        "two signatures, the first bad",
        lambda: {**inline(), "signatures": [*_resigned(_ATTACKER)["signatures"], *inline()["signatures"]]},
        "not an enrolled key",
    ),
    (
        "too many signatures",
        lambda: {**inline(), "signatures": inline()["signatures"] * (limits.MAX_SIGNATURES + 1)},
        "at most",
    ),
    (
        "countersignature that does not match",
        lambda: _changed(jss.countersign(inline(), 0, OTHER_KEY), *_SIGNATURE, "signature", "type", to="x590"),
        "countersignature",
    ),
    (
        "content smuggled in as a countersignature",
        lambda: _changed(jss.countersign(inline(), 0, _ATTACKER), *_SIGNATURE, "signature", "note", to="call me"),
        "no signature covers",
    ),
    ("empty countersignature", lambda: _changed(inline(), *_SIGNATURE, "signature", to={}), "hash_algorithm"),
    ("countersignature no object", lambda: _changed(inline(), *_SIGNATURE, "signature", to=1), "countersignature"),
    (
        "sub-object signatures changed",
        lambda: _changed(inline({**INDICATOR, "x": {"signatures": [1]}}), "x", "signatures", 0, to=2),
        "does not match",
    ),
    ("what JSON cannot carry", lambda: {**inline(), "confidence": 2**60}, "integer"),
]


def _by_url() -> dict[str, Any]:
    signature = dict(inline()["signatures"][0])
    del signature["public_key"]
    return {**signature, "cert_url": "https://203.0.113.1/a.pem"}


def _test_key() -> str:
    return min(PUBLISHED_TEST_KEYS)


@pytest.mark.parametrize(
    ("attack", "reason"), [pytest.param(attack, reason, id=name) for name, attack, reason in _INLINE]
)
def test_an_attack_on_an_inline_signature_is_refused(attack: Callable[[], dict[str, Any]], reason: str) -> None:
    result = check_inline(attack(), ring(), signer_peers=_EVERYBODY, now=NOW)

    assert isinstance(result, Decision)
    assert not result.allowed
    assert result.rule == "signature"
    assert reason in result.reason


_TARGET = dict(INDICATOR)


def _over(target: Any = INDICATOR, **changes: Any) -> tuple[Any, dict[str, Any]]:
    wrapper = {**detached(), **changes}
    return target, {name: value for name, value in wrapper.items() if value is not ...}


def _inside(**changes: Any) -> tuple[Any, dict[str, Any]]:
    return INDICATOR, {**detached(), "signature": {**detached()["signature"], **changes}}


_LATER = "2026-01-10T09:00:00.000Z"
_EARLIER = "2026-01-10T07:00:00.000Z"

_DETACHED: list[tuple[str, Callable[[], tuple[Any, dict[str, Any]]], str]] = [
    ("target tampered", lambda: _over({**INDICATOR, "name": "Harmless"}), "does not match"),
    ("target of another id", lambda: _over({**INDICATOR, "id": "indicator--" + UUID}), "another object"),
    ("target of a later version", lambda: _over({**INDICATOR, "modified": _LATER}), "another version"),
    ("moved in the wrapper", lambda: _over(related_to="indicator--" + UUID), "related_to: it differs"),
    ("replayed in the wrapper", lambda: _over(related_version=_LATER), "related_version: it differs"),
    ("re-dated in the wrapper", lambda: _over(created=_LATER), "created: it differs"),
    ("new version of the wrapper", lambda: _over(modified=_LATER), "modified: it differs"),
    ("renamed", lambda: _over(id="jss-signature--" + UUID[::-1].replace("-", "0")), "id: it differs"),
    ("claimed by another", lambda: _over(created_by_ref=AUTHOR), "created_by_ref: it differs"),
    ("revoked in the wrapper", lambda: _over(revoked=True), "revoked: it differs"),
    (
        "moved in both places",
        lambda: (
            {**INDICATOR, "id": "indicator--" + UUID},
            {
                **detached(),
                "related_to": "indicator--" + UUID,
                "signature": {**detached()["signature"], "related_to": "indicator--" + UUID},
            },
        ),
        "does not match",
    ),
    (
        "re-dated in both places",
        lambda: (
            INDICATOR,
            {
                **detached(),
                "created": _EARLIER,
                "signature": {**detached()["signature"], "created": _EARLIER},
            },
        ),
        "does not match",
    ),
    (
        "claimed by another in both places",
        lambda: (
            INDICATOR,
            {**detached(), "created_by_ref": AUTHOR, "signature": {**detached()["signature"], "signee": AUTHOR}},
        ),
        "signee",
    ),
    ("attacker's key, other's name", lambda: (INDICATOR, detached(key=_ATTACKER)), "not an enrolled key"),
    ("author's name, other's key", lambda: (INDICATOR, detached(identity=AUTHOR)), "signee"),
    ("something smuggled in", lambda: _over(description="approved"), "nothing that its signature does not cover"),
    ("extension missing", lambda: _over(extensions={}), "extensions"),
    ("another extension beside", lambda: _over(extensions={**detached()["extensions"], "x": {}}), "extensions"),
    ("another type", lambda: _over(type="note"), "type"),
    ("an earlier STIX", lambda: _over(spec_version="2.0"), "type"),
    ("no signature", lambda: _over(signature=...), "signature: a jss-signature object must have it"),
    ("signature no object", lambda: _over(signature=[]), "must be a signature object"),
    ("algorithm confused", lambda: _inside(algorithm="ES256"), "algorithm of the key"),
    ("HMAC", lambda: _inside(algorithm="HS256"), "MAC"),
    ("value padded", lambda: _inside(value=detached()["signature"]["value"] + "=="), "base64url"),
    ("by certificate URL", lambda: (INDICATOR, {**detached(), "signature": _wrapped_by_url()}), "certificates"),
    ("observable changed", lambda: ({**DOMAIN, "value": "example.org"}, detached(DOMAIN)), "another version"),
    (
        "withdrawn",
        lambda: (INDICATOR, {**detached(), "revoked": True, "signature": {**detached()["signature"], "revoked": True}}),
        "withdrawn",
    ),
]


def _wrapped_by_url() -> dict[str, Any]:
    signature = dict(detached()["signature"])
    del signature["public_key"]
    return {**signature, "cert_url": "https://203.0.113.1/a.pem"}


@pytest.mark.parametrize(
    ("attack", "reason"), [pytest.param(attack, reason, id=name) for name, attack, reason in _DETACHED]
)
def test_an_attack_on_a_detached_signature_is_refused(
    attack: Callable[[], tuple[Any, dict[str, Any]]], reason: str
) -> None:
    target, wrapper = attack()

    result = check_detached(target, wrapper, ring(), signer_peers=None, now=NOW)

    assert isinstance(result, Decision)
    assert not result.allowed
    assert result.rule == "signature"
    assert reason in result.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"valid_until": SIGNED_US}, "expired", id="expired"),
        pytest.param({"valid_from": SIGNED_US + 1}, "not yet valid", id="not yet valid"),
        pytest.param({"revoked_at": SIGNED_US - DAY}, "revoked", id="revoked before"),
        pytest.param({"revoked_at": SIGNED_US + DAY}, None, id="revoked after"),
        pytest.param(
            {"revoked_at": SIGNED_US + 1, "revocation_reason": "compromised"}, "compromised", id="compromised"
        ),
        pytest.param({"peer_id": 99}, "not an enrolled key of a peer who may sign", id="peer who may not sign"),
        pytest.param({"identity": OTHER}, "signee", id="key of another identity"),
        pytest.param({"algorithm": "ES256"}, "contradicts", id="enrolled under another algorithm"),
        pytest.param({}, None, id="valid"),
    ],
)
def test_a_key_counts_only_within_its_life_and_for_its_owner(changes: dict[str, Any], reason: str | None) -> None:
    keys = KeyRing([enrolled(**changes)])

    for result in (
        check_inline(inline(), keys, signer_peers=frozenset({AUTHOR_PEER}), now=NOW),
        check_detached(INDICATOR, detached(key=AUTHOR_KEY, identity=AUTHOR), keys, signer_peers={AUTHOR_PEER}, now=NOW),
    ):
        assert isinstance(result, Attestation) is (reason is None)
        if reason is not None:
            assert reason in result.reason


def test_an_enrolled_test_key_is_refused_unless_the_ring_was_told() -> None:
    key = enrolled(public_key=_test_key())
    signed = _changed(inline(), *_SIGNATURE, "public_key", to=_test_key())

    result = check_inline(signed, KeyRing([key]), signer_peers=_EVERYBODY, now=NOW)

    assert isinstance(result, Decision)
    assert "published test key" in result.reason


def test_an_ed25519_value_does_not_pass_under_an_es256_key_of_the_same_peer() -> None:
    es256 = es256_key(3)
    keys = ring(enrolled(), enrolled(es256, id=2))
    signed = _changed(inline(), *_SIGNATURE, "public_key", to=es256.public.text)

    for algorithm, reason in (("Ed25519", "algorithm of the key"), ("ES256", "does not match")):
        result = check_inline(
            _changed(signed, *_SIGNATURE, "algorithm", to=algorithm), keys, signer_peers=_EVERYBODY, now=NOW
        )
        assert isinstance(result, Decision)
        assert reason in result.reason


def test_no_reason_repeats_content_of_the_object() -> None:
    for name, attack, _ in _INLINE:
        result = check_inline(attack(), ring(), signer_peers=_EVERYBODY, now=NOW)
        assert isinstance(result, Decision), name
        for content in ("Phishing", "Harmless", "login", AUTHOR, OTHER, AUTHOR_KEY.public.text, UUID):
            assert content not in result.reason, name


def test_only_the_author_signs_inline() -> None:
    with pytest.raises(Exception, match="only the author"):
        sign_inline(INDICATOR, OTHER_KEY, identity=OTHER, created=_LATER, signature_uuid=UUID)
