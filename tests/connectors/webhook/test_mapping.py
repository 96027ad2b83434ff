"""The signature is the one that every Standard Webhooks library makes, and the body says what it may."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webhook.mapping import BadSecret, body, headers, secret, webhook_id
from hub.domain import alert, tlp
from hub.domain.subscription import Match
from tests.connectors.conftest import START
from tests.connectors.feed_world import check_golden, indicator

GOLDEN = Path(__file__).parent / "golden"

# From the test suites of the reference implementations: standard-webhooks/standard-webhooks libraries/python (v1)
# and svix/svix-webhooks server, test_asymmetric_key_signing (v1a); the latter also stands in the specification.
ID, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
SHARED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
KEY = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
SEED = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


@pytest.mark.parametrize(
    ("secrets", "signature"),
    [([SHARED], V1), ([KEY], V1A), ([SEED], V1A), ([SHARED, KEY], f"{V1} {V1A}")],
    ids=["shared", "ed25519", "ed25519 seed", "both"],
)
def test_the_published_vectors_come_out(secrets: list[str], signature: str) -> None:
    assert headers(ID, SECONDS, BODY, [secret(one) for one in secrets]) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": signature,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_AAAA",
        "whsec_%%%",
        "whsec_" + "A" * 88,
        "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "whsk_AAAA",
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlaaaaaaaaaaAJ6p9lMicMFs6Kvg==",
    ],
)
def test_what_is_no_secret_is_refused_without_saying_it(text: str) -> None:
    with pytest.raises(BadSecret) as caught:
        secret(text)
    assert len(text) < 12 or text[8:] not in str(caught.value)


def test_a_secret_does_not_show_itself() -> None:
    assert repr(secret(SHARED)) == "Secret(v1)"


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=100))
def test_a_receiver_can_check_what_it_got(key: bytes, octets: bytes) -> None:
    made = headers("msg_1", SECONDS, octets, [secret("whsec_" + base64.b64encode(key).decode())])
    expected = hmac.new(key, b"msg_1.1614265330." + octets, hashlib.sha256).digest()
    assert base64.b64decode(made["webhook-signature"].removeprefix("v1,")) == expected


@pytest.mark.parametrize("name", ["a.b", "", "a b", "a\r\nx: y", "é"])
def test_an_id_cannot_change_what_is_signed(name: str) -> None:
    with pytest.raises(ValueError, match="webhook-id"):
        headers(name, SECONDS, BODY, [secret(SHARED)])


def _alert(level: tlp.Level) -> alert.Alert:
    obj = indicator(labels=['rsit:fraud="phishing"'], confidence=60)
    prefix = "https://hub.example/console/objects/"
    return alert.matched(obj, level, (Match("networks", "192.0.2.0/24"),), content_up_to="amber", link_prefix=prefix)


@pytest.mark.parametrize("level", tlp.LEVELS)
def test_a_body_says_what_its_level_lets_it(level: tlp.Level) -> None:
    octets = body(_alert(level), START)
    assert octets == json.dumps(json.loads(octets), separators=(",", ":"), sort_keys=True).encode()
    check_golden(GOLDEN / f"{level.replace('+', '-')}.json", json.loads(octets))
    withheld = level in ("amber+strict", "red")
    for secret_thing in (b"Secret name", b"192.0.2", b"phishing", b"60", b'"indicator"'):
        assert (secret_thing in octets) is not withheld


def test_a_withdrawal_says_which() -> None:
    gone = alert.withdrawn(indicator()["id"], link_prefix="")
    assert json.loads(body(gone, START)) == {
        "type": "object.withdrawn",
        "timestamp": "2026-11-22T12:00:00.000000Z",
        "data": {"id": indicator()["id"]},
    }
    assert webhook_id(gone) != webhook_id(_alert("green"))
