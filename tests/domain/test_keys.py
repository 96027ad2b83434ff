"""The key ring: which key a signature names, and whether that key could sign then."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain import limits
from hub.domain.keys import KeyRing, standing_of_stored
from hub.errors import SignatureError
from tests.domain.signing import AUTHOR_KEY, AUTHOR_PEER, DAY, NOW, OTHER_KEY, SIGNED_US, enrolled, es256_key, ring

_FUTURE = limits.SIGNATURE_FUTURE_SECONDS * 1_000_000


@pytest.mark.parametrize(
    ("changes", "signed_at", "now", "reason"),
    [
        pytest.param({}, SIGNED_US, NOW, None, id="valid"),
        pytest.param({"valid_from": SIGNED_US}, SIGNED_US, NOW, None, id="valid from this instant"),
        pytest.param({"valid_from": SIGNED_US + 1}, SIGNED_US, NOW, "not yet valid", id="not yet valid"),
        pytest.param({"valid_until": SIGNED_US + 1}, SIGNED_US, NOW, None, id="last instant"),
        pytest.param({"valid_until": SIGNED_US}, SIGNED_US, NOW, "expired", id="expired"),
        pytest.param({}, NOW + _FUTURE, NOW, None, id="as far ahead as clocks drift"),
        pytest.param({}, NOW + _FUTURE + 1, NOW, "future", id="in the future"),
        pytest.param(
            {"revoked_at": SIGNED_US + DAY // 2, "revocation_reason": "superseded"}, SIGNED_US, NOW, None,
            id="revoked after signing",
        ),
        pytest.param(
            {"revoked_at": SIGNED_US, "revocation_reason": "superseded"}, SIGNED_US, NOW, "revoked",
            id="revoked before signing",
        ),
        pytest.param({"revoked_at": SIGNED_US}, SIGNED_US, NOW, "revoked", id="revoked without a reason"),
        pytest.param(
            {"revoked_at": NOW - 1, "revocation_reason": "compromised"}, SIGNED_US, NOW, "compromised",
            id="compromised, signed before",
        ),
        pytest.param(
            {"revoked_at": NOW, "revocation_reason": "compromised"}, SIGNED_US, NOW, "compromised",
            id="compromised now",
        ),
        pytest.param(
            {"revoked_at": NOW + 1, "revocation_reason": "compromised"}, SIGNED_US, NOW, None,
            id="arrived before it was compromised",
        ),
    ],
)  # fmt: skip
def test_a_key_stands_only_within_its_life(
    changes: dict[str, Any], signed_at: int, now: int, reason: str | None
) -> None:
    decision = KeyRing.standing(enrolled(**changes), signed_at, now)

    assert decision.allowed is (reason is None)
    assert decision.rule == "signature"
    if reason is not None:
        assert reason in decision.reason


_RETIRED = {"revoked_at": SIGNED_US + DAY // 2, "revocation_reason": "retired"}
_STOLEN = {"revoked_at": SIGNED_US + 10, "revocation_reason": "compromised", "reported_at": SIGNED_US + 100}


@pytest.mark.parametrize(
    ("changes", "signed_at", "date_added", "counts", "reason"),
    [
        pytest.param({}, SIGNED_US, SIGNED_US + 5, True, "valid at the signing time", id="valid"),
        pytest.param({"valid_until": NOW - 1}, SIGNED_US, SIGNED_US + 5, True, "expired since", id="expired since"),
        pytest.param({"valid_until": SIGNED_US}, SIGNED_US, SIGNED_US + 5, False, "had expired", id="expired before"),
        pytest.param(_RETIRED, SIGNED_US, SIGNED_US + 5, True, "revoked since", id="retired since"),
        pytest.param(_RETIRED, SIGNED_US, NOW, True, "revoked since", id="retired, signed before, came after"),
        pytest.param(_RETIRED, SIGNED_US + DAY // 2, NOW, False, "was revoked before", id="signed after retirement"),
        pytest.param(_STOLEN, SIGNED_US, SIGNED_US + 5, True, "revoked since", id="signed and taken before the theft"),
        pytest.param(_STOLEN, SIGNED_US, SIGNED_US + 99, True, "revoked since", id="taken before the report"),
        pytest.param(_STOLEN, SIGNED_US, SIGNED_US + 100, False, "reported", id="dated back, came with the report"),
        pytest.param(_STOLEN, SIGNED_US, NOW, False, "reported", id="dated back, came after the report"),
        pytest.param(_STOLEN, SIGNED_US + 10, SIGNED_US + 20, False, "from which on", id="signed after the theft"),
        pytest.param(
            {"revoked_at": SIGNED_US + 10, "revocation_reason": "compromised"}, SIGNED_US, SIGNED_US + 10, False,
            "reported", id="the report without a time of its own",
        ),
        pytest.param({}, SIGNED_US + _FUTURE + 10, SIGNED_US + 5, False, "future", id="ahead of its arrival"),
    ],
)  # fmt: skip
def test_what_is_stored_counts_by_when_it_was_signed_and_when_it_came(
    changes: dict[str, Any], signed_at: int, date_added: int, counts: bool, reason: str
) -> None:
    decision = standing_of_stored(enrolled(**changes), signed_at, date_added, NOW)

    assert decision.allowed is counts
    assert reason in decision.reason


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        pytest.param({"public_key": AUTHOR_KEY.public.text}, 1, id="without padding"),
        pytest.param({"public_key": AUTHOR_KEY.public.text + "="}, 1, id="padded"),
        pytest.param({"public_key": AUTHOR_KEY.public.text + "=="}, 0, id="padded wrongly"),
        pytest.param({"public_key": es256_key(5).public.text}, 0, id="unknown"),
        pytest.param({"public_key": [AUTHOR_KEY.public.text]}, 0, id="a list"),
        pytest.param({"thumbprint": AUTHOR_KEY.public.kid}, 0, id="thumbprint"),
        pytest.param({"cert_url": "https://example.com/a.pem"}, 0, id="certificate URL"),
        pytest.param({"public_cert_chain": ["MIIB"]}, 0, id="certificate chain"),
        pytest.param({}, 0, id="nothing"),
    ],
)
def test_a_key_is_found_by_the_text_of_public_key_only(signature: dict[str, Any], found: int) -> None:
    assert len(ring().matching(signature)) == found


def test_the_same_key_enrolled_twice_is_found_twice() -> None:
    keys = ring(enrolled(), enrolled(id=2, valid_from=NOW))

    assert [key.id for key in keys.matching({"public_key": AUTHOR_KEY.public.text})] == [1, 2]
    assert len(keys) == 2
    assert keys.peers() == {AUTHOR_PEER}


def test_a_ring_without_keys_believes_nobody() -> None:
    assert KeyRing([]).matching({"public_key": AUTHOR_KEY.public.text}) == ()


def test_a_key_is_loaded_once() -> None:
    keys = ring()

    assert keys.loaded(enrolled()) is keys.loaded(enrolled())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"algorithm": "ES256"}, id="algorithm"),
        pytest.param({"kid": OTHER_KEY.public.kid}, id="kid"),
    ],
)
def test_an_enrolled_key_that_contradicts_itself_is_not_used(changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureError, match="contradicts"):
        ring().loaded(enrolled(**changes))
