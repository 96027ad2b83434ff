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

import psycopg
import pytest
import requests
from sqlalchemy.engine import make_url

from tests.acceptance.open_group import SLUG, OpenGroup, make_group
from tests.acceptance.processes import BIN, Probe, RunningHub, clean_environment, free_port, running_hub, start

TAXII = "application/taxii+json;version=2.1"
READERS = 12
"""Of one peer, whose bound is 16; the server has two threads for whoever comes."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningHub, OpenGroup]]:
    """One hub on each database for all tests here; the last one stops it."""
    folder = tmp_path_factory.mktemp("waiting")
    if request.param == "sqlite":
        with running_hub(folder, CYBEX_THREADS="2") as running:
            yield running, make_group(running)
        return
    server, name = request.getfixturevalue("postgres_url"), f"cybex_waiting_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        with running_hub(folder, url, CYBEX_THREADS="2") as running:
            yield running, make_group(running)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def ask(group: OpenGroup, wait: int | None = 40, *, after: str | None = None) -> requests.Response:
    """Ask for what came after a date, or for everything."""
    headers = {"Accept": TAXII, "Authorization": f"Bearer {group.token}"}
    if wait is not None:
        headers["Prefer"] = f"wait={wait}"
    params = {} if after is None else {"added_after": after}
    return requests.get(f"{group.collection_url}objects/", params=params, headers=headers, timeout=60)


def end_of(group: OpenGroup) -> str | None:
    """Return the date of the last object; None when there is none."""
    return ask(group, None).headers.get("X-TAXII-Date-Added-Last")


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
    after = end_of(group)
    with ThreadPoolExecutor(READERS) as pool:
        asked: list[Future[requests.Response]] = [pool.submit(ask, group, after=after) for _ in range(READERS)]
        until_they_wait(running, READERS)
        assert ask(group, None, after=after).json() == {"more": False}  # nobody else waits behind them
        stix_id = post(group)
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert {obj["id"] for answer in answers for obj in answer.json()["objects"]} == {stix_id}
    assert {answer.headers["Preference-Applied"] for answer in answers} == {"wait=40"}
    assert waiting(running) == 0


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
        after = end_of(through)
        with ThreadPoolExecutor(READERS) as pool:
            asked = [pool.submit(ask, through, after=after) for _ in range(READERS)]
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
        until_they_wait(running, 1)  # it waits again
    finally:
        process.kill()
    post(group)  # the wait of the one that was killed is over
    until_they_wait(running, 0)


def test_a_peer_that_is_suspended_by_another_process_waits_no_longer(served: tuple[RunningHub, OpenGroup]) -> None:
    running, group = served
    after = end_of(group)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, group, after=after)
        until_they_wait(running, 1)
        running.cybex("peer", "suspend", "bb")
        assert asked.result().status_code == 401
    running.cybex("peer", "restore", "bb")


def test_readers_that_hang_up_leave_the_hub_to_all_others_and_a_server_that_stops_answers_those_who_stay(
    served: tuple[RunningHub, OpenGroup],
) -> None:
    """The hub is not told of a client that hangs up: its place is held until its time is over, and not its thread."""
    running, group = served
    after = end_of(group)
    host, port = running.base_url.removeprefix("http://").rstrip("/").split(":")
    head = (
        f"GET /{SLUG}/collections/{group.collection}/objects/?added_after={after} HTTP/1.1\r\nHost: {host}\r\n"
        f"Accept: {TAXII}\r\nAuthorization: Bearer {group.token}\r\nPrefer: wait=40\r\n\r\n"
    )
    gone = [socket.create_connection((host, int(port))) for _ in range(READERS)]
    for one in gone:
        one.sendall(head.encode("ascii"))
    until_they_wait(running, READERS)
    for one in gone:
        one.close()
    assert ask(group, None, after=after).status_code == 200
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, group, after=after) for _ in range(3)]
        until_they_wait(running, READERS + 3)
        assert running.running.stop(signal.SIGTERM) == 0
        assert [one.result().json() for one in asked] == [{"more": False}] * 3


def _holds(out: Path, stix_id: str) -> bool:
    return any(stix_id in one.read_text() for one in out.glob("*.json"))
