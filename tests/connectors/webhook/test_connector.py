"""Alerts arrive once, in spite of receivers that fail; what is not asked for, or not allowed, never leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.sdk.exchange import Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Fate
from connectors.webhook.connector import KIND, WebhookSettings, WebhookTarget
from hub.domain import retraction
from hub.errors import ConfigError
from tests.connectors.conftest import Answer, Clock, Sessions
from tests.connectors.feed_world import AUTHOR, indicator

URL = "https://alerts.example/hook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """Answers with the next status of a list, then with 204, and keeps what it took."""

    def __init__(self, sessions: Sessions, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: list[dict[str, Any]] = []
        self.asked: list[requests.PreparedRequest] = []
        sessions.handle(URL, self, method="POST")

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.asked.append(request)
        status = self.statuses.pop(0) if self.statuses else 204
        if status < 300:
            self.taken.append(json.loads(request.body or b""))
        return status, b"", {"Location": "https://elsewhere.example/"} if 300 <= status < 400 else {}

    @property
    def ids(self) -> list[str]:
        return [one["data"]["id"] for one in self.taken]


def _target(tools: Tools, waits: list[float] | None = None, **settings: Any) -> WebhookTarget:
    (tools.base / "secret").write_text(SECRET + "\n")
    made = WebhookSettings(**{"url": URL, "secret_files": ("secret",), "networks": ("192.0.2.0/24",)} | settings)
    return WebhookTarget(made, tools, sleep=(waits if waits is not None else []).append)


def test_what_is_asked_for_arrives_and_nothing_else(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions)
    other = indicator(2, pattern="[ipv4-addr:value = '198.51.100.1']")
    delivered = _target(tools).deliver(Outgoing([indicator(1), other]))
    assert receiver.ids == [indicator(1)["id"]]
    assert delivered.taken == 1
    assert (delivered.report.count(Fate.KEPT), delivered.report.count(Fate.DROPPED)) == (1, 1)
    sent = receiver.asked[0]
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["webhook-signature"].startswith("v1,")


def test_a_receiver_that_fails_is_asked_again_with_the_same_id(tools: Tools, sessions: Sessions, clock: Clock) -> None:
    receiver, waits = Receiver(sessions, 503, 500), []
    _target(tools, waits).deliver(Outgoing([indicator()]))
    assert len(receiver.taken) == 1
    assert len({one.headers["webhook-id"] for one in receiver.asked}) == 1
    assert len(waits) == 2
    assert 0 < waits[0] <= 2 < waits[1] * 2 <= 8


def test_the_time_is_that_of_the_attempt(tools: Tools, sessions: Sessions, clock: Clock) -> None:
    receiver = Receiver(sessions, 503)
    (tools.base / "secret").write_text(SECRET)
    settings = WebhookSettings(url=URL, secret_files=("secret",), everything=True)

    def sleep(_: float) -> None:
        clock.now += 60_000_000

    WebhookTarget(settings, tools, sleep=sleep).deliver(Outgoing([indicator()]))
    first, second = (int(one.headers["webhook-timestamp"]) for one in receiver.asked)
    assert second == first + 60
    assert receiver.asked[0].headers["webhook-signature"] != receiver.asked[1].headers["webhook-signature"]


def test_after_a_fault_only_the_rest_is_sent(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions, 204, 500, 500, 500)
    batch = Outgoing([indicator(1), indicator(2), indicator(3)])
    with pytest.raises(ConnectorError, match="500"):
        _target(tools).deliver(batch)
    delivered = _target(tools).deliver(batch)
    assert receiver.ids == [indicator(number)["id"] for number in (1, 2, 3)]
    assert delivered.taken == 2


def test_a_redirect_is_a_failure_and_not_followed(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions, 307, 307, 307)
    with pytest.raises(ConnectorError, match="307"):
        _target(tools).deliver(Outgoing([indicator()]))
    assert {one.url for one in sessions.requests} == {URL}
    assert receiver.taken == []


def test_a_receiver_that_is_gone_is_not_asked_again(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions, 410)
    with pytest.raises(ConnectorError, match="410"):
        _target(tools).deliver(Outgoing([indicator()]))
    assert len(receiver.asked) == 1


def test_a_withdrawal_is_told_to_who_heard_of_the_object(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions)
    target = _target(tools)
    target.deliver(Outgoing([indicator(1)]))
    note = retraction.notice(
        stix_id="note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        identity=AUTHOR,
        at=0,
        kind="retracted",
        targets=[retraction.Target(indicator(1)["id"]), retraction.Target(indicator(2)["id"])],
    )
    gone = Outgoing([note], withdrawn=[indicator(1)["id"], indicator(2)["id"]])
    _target(tools).deliver(gone)
    _target(tools).deliver(gone)
    assert [one["type"] for one in receiver.taken] == ["object.matched", "object.withdrawn"]
    assert receiver.ids == [indicator(1)["id"]] * 2


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (indicator(level="amber"), True),
        (indicator(level="amber+strict"), False),
        (indicator(level="red"), False),
        (indicator(level=None), True),
        (indicator(object_marking_refs=["marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"]), False),
    ],
    ids=["amber", "amber+strict", "red", "unmarked", "unknown marking"],
)
def test_content_goes_as_far_as_its_marking_lets_it(
    tools: Tools, sessions: Sessions, obj: dict[str, Any], said: bool
) -> None:
    receiver = Receiver(sessions)
    _target(tools).deliver(Outgoing([obj]))
    octets = receiver.asked[0].body
    assert isinstance(octets, bytes)
    assert (b"Secret name" in octets) is said
    assert (b'"withheld":true' in octets) is not said


def test_marking_definitions_of_the_batch_count_wherever_they_stand(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions)
    statement = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2026-01-02T03:04:05.678Z",
        "definition_type": "statement",
        "definition": {"statement": "Copyright"},
    }
    _target(tools).deliver(Outgoing([indicator(object_marking_refs=[statement["id"]]), statement]))
    assert receiver.taken[0]["data"]["name"] == "Secret name 1"
    assert receiver.taken[0]["data"]["tlp"] == "TLP:AMBER"


def test_watched_values_come_from_a_file_too(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions)
    (tools.base / "watch.txt").write_text("# ours\n198.51.100.0/24\nbank[.]example # the bank\n\n" + "0" * 64 + "\n")
    target = _target(tools, networks=(), watch_file="watch.txt")
    target.deliver(
        Outgoing(
            [
                indicator(1, pattern="[url:value = 'https://login.bank.example/']"),
                indicator(2, pattern="[ipv4-addr:value = '198.51.100.9']"),
                indicator(3),
            ]
        )
    )
    assert receiver.ids == [indicator(1)["id"], indicator(2)["id"]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"networks": ()}, "asks for nothing"),
        ({"networks": ("x",)}, "entry 1 of networks"),
        ({"watch_file": "missing.txt"}, "cannot be read"),
        ({"secret_files": ("missing",)}, "cannot be read"),
    ],
)
def test_what_cannot_work_is_said_before_it_starts(tools: Tools, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _target(tools, **settings)


def test_a_text_from_a_peer_is_data_and_nothing_is_evaluated(tools: Tools, sessions: Sessions) -> None:
    receiver = Receiver(sessions)
    name = "{{7*7}} ${7*7} <%= 7*7 %> {0.__class__} \r\nX-Injected: 1 \u2028"
    _target(tools).deliver(Outgoing([indicator(name=name)]))
    assert receiver.taken[0]["data"]["name"] == name
    assert "X-Injected" not in receiver.asked[0].headers


def test_the_kind_has_one_direction(tmp_path: Path) -> None:
    assert (KIND.name, KIND.source) == ("webhook", None)
