"""A third party's connectors under a real `cybex serve`: in, out, killed after the post, failing, hanging."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.connector_world import indicator, install, make_group, proxy, table
from tests.acceptance.processes import BIN, clean_environment, free_port, init_hub, serve_hub

FAILING = {"failing", "paused"}
BROKEN = "toy-4"
"""Names decide the first second in which a connector is due: these are due early."""


def test_connectors_run_under_the_worker_and_none_stops_another(tmp_path: Path) -> None:
    environment = clean_environment(PYTHONPATH=str(install(tmp_path / "site")))
    data, port = tmp_path / "hub", free_port()
    base_url = f"http://127.0.0.1:{port}/"
    operator = init_hub(data, environment=environment)
    identities = make_group(data, tmp_path)
    things = [indicator(number, identities["aa"]) for number in range(5)]
    stranger = indicator(99, "identity--11111111-2222-4333-8444-555555555555")
    (tmp_path / "things.json").write_text(json.dumps([*things, stranger]))
    with (data / "hub.toml").open("a") as file:
        file.write(table("to-toy", base_url, "bb", tmp_path, path=str(tmp_path / "taken")))
        file.write(table("from-toy", base_url, "aa", tmp_path, path=str(tmp_path / "things.json")))
        file.write(table(BROKEN, base_url, "aa", tmp_path, path="x", mood="fails"))
        file.write(table("hanging", base_url, "aa", tmp_path, path="x", mood="hangs", max_seconds=1))
        file.write(table("ruined", base_url, "aa", tmp_path, path="x").replace('"toy"', '"ruin"'))
    running = serve_hub(data, port, environment)
    try:
        running.wait_until(lambda: _all_seen(base_url, operator.username, operator.password, tmp_path))
        rows = _rows(base_url, operator.username, operator.password)
        taken = _taken(tmp_path)
        assert {one["id"] for one in (*things, stranger)} == {one["id"] for one in taken if one["type"] == "indicator"}
        assert sum(one["type"] == "jss-signature" for one in taken) == 1  # beside the stranger's
        assert len(taken) == 7
        assert (rows["from-toy"]["peer"], rows["from-toy"]["state"], rows["from-toy"]["objects"]) == ("aa", "ok", 6)
        assert "mend it" in rows[BROKEN]["last_error"]
        assert "took longer than 1 s" in _status(data, "hanging", environment)["last_error"]
        assert any("connector.invalid" in line and "ruined" in line for line in running.lines)
        doctor = subprocess.run(
            [BIN / "cybex", "doctor", "--data", data], env=environment, capture_output=True, text=True, timeout=60
        ).stdout
        assert f"{BROKEN} has failed" in doctor
        assert "ruined" in doctor
        metrics = requests.get(f"{base_url}metrics", timeout=30).text
        assert f'cybex_connector_objects{{connector="{rows["from-toy"]["id"]}"}} 6.0' in metrics
    finally:
        assert running.stop() == 0, running.log


def test_a_connector_that_is_killed_after_the_post_brings_nothing_twice(tmp_path: Path) -> None:
    environment = clean_environment(PYTHONPATH=str(install(tmp_path / "site")))
    data, port = tmp_path / "hub", free_port()
    init_hub(data, environment=environment)
    identities = make_group(data, tmp_path)
    (tmp_path / "things.json").write_text(json.dumps([indicator(number, identities["aa"]) for number in range(3)]))
    config = tmp_path / "connectors.toml"
    running = serve_hub(data, port, environment)
    victims: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        if len(victims) <= 2:  # each of the two batches, once: the hub has it, and the connector does not know
            victims[-1].send_signal(signal.SIGKILL)
            victims[-1].wait()

    try:
        with proxy(f"http://127.0.0.1:{port}/", kill) as address:
            config.write_text(table("from-toy", address, "aa", tmp_path, path=str(tmp_path / "things.json")))
            command = [BIN / "cybex", "connector", "run", "from-toy", "--config", config, "--json"]
            codes = []
            for _ in range(3):
                victims.append(
                    subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                )
                output, errors = victims[-1].communicate(timeout=60)
                codes.append(victims[-1].returncode)
            assert codes == [-signal.SIGKILL] * 2 + [0], errors
            record = json.loads(output)
            assert (record["outcome"], record["complete"], record["refused"]) == ("ok", True, 0)
            again = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
            assert json.loads(again.stdout)["objects"] == 0
        pages = requests.get(
            f"http://127.0.0.1:{port}/alpha/collections/indicators/objects/?match[version]=all",
            headers={
                "Authorization": f"Bearer {(tmp_path / 'bb.token').read_text()}",
                "Accept": "application/taxii+json;version=2.1",
            },
            timeout=30,
        ).json()["objects"]
        assert len(pages) == 3
        refused = json.loads(
            subprocess.run(
                [BIN / "cybex", "refusals", "--json", "--data", data],
                env=environment,
                capture_output=True,
                check=True,
                timeout=60,
            ).stdout
        )
        assert refused == []
    finally:
        assert running.stop() == 0, running.log


def _all_seen(base_url: str, username: str, password: str, folder: Path) -> bool:
    rows = _rows(base_url, username, password)
    if not {"from-toy", "to-toy", BROKEN, "hanging"} <= rows.keys():
        return False
    return rows[BROKEN]["state"] in FAILING and rows["from-toy"]["state"] == "ok" and len(_taken(folder)) >= 7


def _rows(base_url: str, username: str, password: str) -> dict[str, dict[str, Any]]:
    answer = requests.get(f"{base_url}api/v1/connectors", auth=(username, password), timeout=30)
    return {row["name"]: row for row in answer.json()["items"]}


def _taken(folder: Path) -> list[dict[str, str]]:
    path = folder / "taken"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _status(data: Path, name: str, environment: dict[str, str]) -> dict[str, Any]:
    command = [BIN / "cybex", "connector", "status", name, "--data", data, "--json"]
    shown = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True, cwd=os.sep)
    row: dict[str, Any] = json.loads(shown.stdout)[0]
    return row
