"""A real `cybex serve`: it refuses what is unsafe, stops well, starts its worker again, and leaves no stray behind."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.acceptance.processes import (
    BIN,
    RunningHub,
    clean_environment,
    free_port,
    init_hub,
    run_cybex,
    running_hub,
    serve_hub,
    start,
)

SECONDS = 30.0


def until(condition: Callable[[], bool]) -> bool:
    """Poll until it holds or the time is over; say which."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def children(pid: int) -> dict[int, str]:
    """Return the processes that a process has started, and theirs, with their command lines."""
    found: dict[int, str] = {}
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            parent = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
            command = (directory / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
        if parent == pid:
            found[int(directory.name)] = command
            found.update(children(int(directory.name)))
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_answers_stops_on_sigterm_and_leaves_nothing_running(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        operator = (hub.operator.username, hub.operator.password)
        assert requests.get(f"{hub.base_url}taxii2/", auth=operator, timeout=30).status_code == 200
        started = children(hub.process.pid)
        assert len(started) >= 2  # one that answers, one that works
        assert hub.running.stop(signal.SIGTERM) == 0
        assert until(lambda: not any(alive(pid) for pid in started))
    events = [json.loads(line)["event"] for line in hub.running.lines]
    assert {"serve.started", "worker.started", "http.request", "worker.stopped", "serve.stopped"} <= set(events)


def test_it_stops_on_sigint(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        assert hub.running.stop(signal.SIGINT) == 0


def test_every_line_it_writes_is_json_without_secrets(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        operator = (hub.operator.username, hub.operator.password)
        requests.get(f"{hub.base_url}alpha/?match[id]=indicator--secret", auth=operator, timeout=30)
        requests.get(f"{hub.base_url}taxii2/", auth=("operator", "wrong-secret"), timeout=30)
    lines = [json.loads(line) for line in hub.running.lines]
    assert len(lines) > 4
    assert hub.operator.password not in hub.running.log
    assert "secret" not in hub.running.log
    assert [line["peer"] for line in lines if line.get("peer")] == ["hub"]


def test_when_it_is_killed_nothing_of_it_lives_on_and_it_starts_again_at_once(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        started = children(hub.process.pid)
        os.kill(hub.process.pid, signal.SIGKILL)  # itself only, as the kernel does when memory runs out
        hub.process.wait()
        assert until(lambda: not any(alive(pid) for pid in started))
        port = int(hub.base_url.rsplit(":", 1)[1].rstrip("/"))
        again = serve_hub(hub.data_dir, port, hub.environment)
        assert again.stop() == 0


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        assert until(lambda: "worker.started" in hub.running.log)
        started = [json.loads(line) for line in hub.running.lines if "worker.started" in line]
        os.kill(started[0]["pid"], signal.SIGKILL)
        assert until(lambda: hub.running.log.count("worker.started") == 2), hub.running.log
        assert "worker.died" in hub.running.log
        assert requests.get(f"{hub.base_url}readyz", timeout=30).status_code == 200


def test_several_processes_count_together(tmp_path: Path) -> None:
    with running_hub(tmp_path, None, CYBEX_WORKERS="2") as hub:
        for _ in range(40):
            requests.get(f"{hub.base_url}taxii2/", timeout=30)  # a new connection each, so that both get some
        text = requests.get(f"{hub.base_url}metrics", timeout=30).text
        assert 'cybex_http_requests_total{endpoint="taxii2",method="GET",status="401"} 40.0' in text


def test_the_environment_of_the_process_is_no_header(tmp_path: Path) -> None:
    """granian copies the environment into every WSGI environ; there HTTP_AUTHORIZATION would log everybody in."""
    with running_hub(tmp_path) as hub:
        basic = base64.b64encode(f"{hub.operator.username}:{hub.operator.password}".encode()).decode()
        assert hub.running.stop() == 0
        port = int(hub.base_url.rsplit(":", 1)[1].rstrip("/"))
        poisoned = {**hub.environment, "HTTP_AUTHORIZATION": f"Basic {basic}"}
        again = serve_hub(hub.data_dir, port, poisoned)
        assert requests.get(f"{hub.base_url}taxii2/", timeout=30).status_code == 401
        operator = (hub.operator.username, hub.operator.password)
        assert requests.get(f"{hub.base_url}taxii2/", auth=operator, timeout=30).status_code == 200
        assert again.stop() == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("serve") / "hub"
    init_hub(data)
    return data


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CYBEX_HOST": "0.0.0.0"}, "behind_proxy"),  # noqa: S104 - that is what must be refused
        ({"CYBEX_HOST": "::"}, "behind_proxy"),
        ({"CYBEX_TLS_CERTIFICATE": "none.pem", "CYBEX_TLS_KEY": "none.key"}, "cannot be read"),
        ({"CYBEX_DATABASE_URL": "sqlite:////nonexistent/hub.db"}, "cybex init"),
        ({"CYBEX_NONSENSE": "1"}, "CYBEX_NONSENSE"),
    ],
    ids=["open-door", "open-door-6", "no-certificate", "no-database", "unknown-setting"],
)
def test_it_refuses_to_start_and_says_what_to_do(made: Path, settings: dict[str, str], says: str) -> None:
    refused = run_cybex("serve", data=made, environment=clean_environment(None, **settings))
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_refuses_a_database_of_another_version(tmp_path: Path) -> None:
    init_hub(tmp_path)
    with sqlite3.connect(tmp_path / "hub.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
    for command in ("serve", "worker"):
        refused = run_cybex(command, data=tmp_path)
        assert refused.returncode == 1
        assert "cybex migrate" in refused.stderr


def test_it_refuses_a_port_that_is_taken(made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run_cybex("serve", "--port", port, data=made)
    assert refused.returncode == 1
    assert "cannot listen" in refused.stderr


def test_a_worker_alone_stops_at_once(made: Path) -> None:
    worker = start([BIN / "cybex", "worker", "--data", made], clean_environment())
    assert until(lambda: "worker.started" in worker.log), worker.log
    assert worker.stop() == 0
    assert '"finished":true' in worker.log


def test_hub_and_worker_run_apart_on_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    environment = clean_environment(postgresql_url)
    operator = init_hub(tmp_path, environment=environment)
    port = free_port()
    web = serve_hub(tmp_path, port, environment)
    worker = start([BIN / "cybex", "worker", "--data", tmp_path], environment)
    hub = RunningHub(f"http://127.0.0.1:{port}/", tmp_path, operator, web, environment)
    try:
        auth = (operator.username, operator.password)
        assert requests.get(f"{hub.base_url}taxii2/", auth=auth, timeout=30).status_code == 200
        assert until(lambda: "worker.started" in worker.log), worker.log
        assert "worker.started" not in web.log
        assert '"worker", "level": "ok"' in hub.cybex("doctor", "--json")
    finally:
        assert worker.stop() == 0
        assert web.stop() == 0
