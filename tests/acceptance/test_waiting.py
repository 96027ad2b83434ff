"""A real `cybex serve`: readers that wait, more of them than it has threads, hear of news and hold up nobody."""

from __future__ import annotations

import json
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import requests

from hub.domain import limits
from tests.acceptance.open_group import SLUG, OpenGroup, _make
from tests.acceptance.processes import BIN, Probe, RunningHub, clean_environment, free_port, running_hub, start

TAXII = "application/taxii+json;version=2.1"
READERS = 12
"""Of one peer, whose bound is 16; the server has two threads for whoever comes."""


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RunningHub, OpenGroup]]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with running_hub(tmp_path, url, CYBEX_THREADS="2") as running:
        yield running, _make(running)


def ask(group: OpenGroup, wait: int | None = 40, *, after: str | None = None) -> requests.Response:
    headers = {"Accept": TAXII, "Authorization": f"Bearer {group.token}"}
    if wait is not None:
        headers["Prefer"] = f"wait={wait}"
    params = {} if after is None else {"added_after": after}
    return requests.get(f"{group.collection_url}objects/", params=params, headers=headers, timeout=60)


def post(group: OpenGroup) -> str:
    stix_id = f"indicator--{uuid.uuid4()}"
    indicator = {
        "type": "indicator", "spec_version": "2.1", "id": stix_id, "created": "2026-10-01T00:00:00.000Z",
        "modified": "2026-10-01T00:00:00.000Z", "pattern": "[url:value = 'http://example.com/']",
        "pattern_type": "stix", "valid_from": "2026-10-01T00:00:00Z", "created_by_ref": f"identity--{uuid.uuid4()}",
    }  # fmt: skip
    body = json.dumps({"objects": [indicator]})
    headers = {"Accept": TAXII, "Content-Type": TAXII, "Authorization": f"Bearer {group.token}"}
    answer = requests.post(f"{group.collection_url}objects/", data=body, headers=headers, timeout=60)
    assert answer.status_code == 202, answer.text
    assert answer.json()["failure_count"] == 0, answer.text
    return stix_id


def waiting(running: RunningHub) -> int:
    lines = requests.get(f"{running.base_url}metrics", timeout=30).text.splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("cybex_waiting_readers")))


def until_they_wait(running: RunningHub, readers: int) -> None:
    """Return once so many wait, as the metrics say."""
    turn = threading.Event()
    for _ in range(600):
        if waiting(running) == readers:
            return
        turn.wait(0.05)
    raise AssertionError(f"{waiting(running)} wait")


def test_more_readers_than_threads_wait_and_all_hear(served: tuple[RunningHub, OpenGroup]) -> None:
    running, group = served
    with ThreadPoolExecutor(READERS) as pool:
        asked: list[Future[requests.Response]] = [pool.submit(ask, group) for _ in range(READERS)]
        until_they_wait(running, READERS)
        assert ask(group, None).json() == {"more": False}  # nobody else waits behind them
        stix_id = post(group)
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert {obj["id"] for answer in answers for obj in answer.json()["objects"]} == {stix_id}
    assert {answer.headers["Preference-Applied"] for answer in answers} == {"wait=40"}
    assert waiting(running) == 0


def test_a_server_that_is_told_to_stop_answers_those_who_wait(served: tuple[RunningHub, OpenGroup]) -> None:
    running, group = served
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, group) for _ in range(3)]
        until_they_wait(running, 3)
        assert running.running.stop(signal.SIGTERM) == 0
        assert [one.result().json() for one in asked] == [{"more": False}] * 3


def test_a_peer_that_is_suspended_by_another_process_waits_no_longer(served: tuple[RunningHub, OpenGroup]) -> None:
    running, group = served
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, group)
        until_they_wait(running, 1)
        running.cybex("peer", "suspend", "bb")
        assert asked.result().status_code == 401


def test_readers_that_hang_up_do_not_lock_their_peer_out(served: tuple[RunningHub, OpenGroup]) -> None:
    """Their places are held until their time is over; reading without waiting goes on, and the bound says so."""
    running, group = served
    host, port = running.base_url.removeprefix("http://").rstrip("/").split(":")
    head = (
        f"GET /{SLUG}/collections/{group.collection}/objects/ HTTP/1.1\r\nHost: {host}\r\nAccept: {TAXII}\r\n"
        f"Authorization: Bearer {group.token}\r\nPrefer: wait=40\r\n\r\n"
    )
    gone = [socket.create_connection((host, int(port))) for _ in range(limits.WAITS_PER_PEER)]
    for one in gone:
        one.sendall(head.encode("ascii"))
    until_they_wait(running, limits.WAITS_PER_PEER)
    for one in gone:
        one.close()
    refused = ask(group)
    assert refused.status_code in (200, 429)
    assert ask(group, None).status_code == 200


def test_a_proxy_in_front_passes_the_wait_on(served: tuple[RunningHub, OpenGroup]) -> None:
    running, group = served
    port = free_port()
    upstream = running.base_url.removeprefix("http://").rstrip("/")
    caddy = start(
        [BIN / "caddy", "reverse-proxy", "--from", f"http://127.0.0.1:{port}", "--to", upstream], clean_environment()
    )
    try:
        caddy.wait_until(Probe(f"http://127.0.0.1:{port}/healthz"))
        through = replace(group, base_url=f"http://127.0.0.1:{port}/")
        with ThreadPoolExecutor(READERS) as pool:
            asked = [pool.submit(ask, through) for _ in range(READERS)]
            until_they_wait(running, READERS)
            stix_id = post(group)
            answers = [one.result().json() for one in asked]
        assert [[obj["id"] for obj in answer["objects"]] for answer in answers] == [[stix_id]] * READERS
    finally:
        caddy.stop()


def test_who_follows_has_the_object_on_disk_without_asking_again(
    served: tuple[RunningHub, OpenGroup], tmp_path: Path
) -> None:
    running, group = served
    out, token = tmp_path / "inbox", tmp_path / "token"
    token.write_text(group.token)
    follow: list[str | Path] = [BIN / "cybex", "pull", "--follow", "--out", out, "--token-file", token]
    follow += ["--url", group.api_root, "--collection", group.collection]
    process = start(follow, clean_environment())
    try:
        until_they_wait(running, 1)
        stix_id = post(group)
        process.wait_until(partial(_holds, out, stix_id))
    finally:
        process.kill()


def _holds(out: Path, stix_id: str) -> bool:
    return any(stix_id in one.read_text() for one in out.glob("*.json"))
