"""The delivery ledger of a real `cybex serve`: written behind the answers, and before the process ends."""

from __future__ import annotations

import signal
import sqlite3
import time
import uuid
from pathlib import Path

import requests

from hub.bootstrap import open_hub_at
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import credentials, groups, members, peers
from hub.services.actor import LOCAL_OPERATOR
from tests.acceptance.processes import RunningHub, running_hub

TAXII = "application/taxii+json;version=2.1"
READERS = ("bb", "cc", "dd", "ee")
SECONDS = 30.0


def furnish(hub: RunningHub) -> dict[str, tuple[str, str]]:
    """Make a group of readers, and return their logins."""
    opened = open_hub_at(hub.data_dir)
    groups.add(opened, LOCAL_OPERATOR, slug="bravo", title="Bravo", signature_required=False)
    logins = {}
    for handle in READERS:
        peers.add(opened, LOCAL_OPERATOR, handle=handle, name=handle.upper(), kind=PeerKind.NATIONAL)
        members.put(opened, LOCAL_OPERATOR, "bravo", handle, {Right.READ, Right.WRITE})
        issued = credentials.add(
            opened,
            LOCAL_OPERATOR,
            handle,
            kind=CredentialKind.BASIC,
            role=Role.ANALYST,
            label="test",
            username=f"{handle}.analyst",
        )
        assert issued.secret is not None
        logins[handle] = (f"{handle}.analyst", issued.secret)
    opened.db.close()
    return logins


def noted(hub: RunningHub) -> set[str]:
    """Return the handles of those of whom something is noted."""
    with sqlite3.connect(hub.data_dir / "hub.sqlite3") as database:
        return {
            handle
            for (handle,) in database.execute(
                "SELECT p.handle FROM served_range AS s JOIN peer AS p ON p.id = s.peer_id"
            )
        }


def test_what_several_processes_answer_is_noted_within_seconds_and_when_they_stop(tmp_path: Path) -> None:
    with running_hub(tmp_path, None, CYBEX_WORKERS="2") as hub:
        logins = furnish(hub)
        url = f"{hub.base_url}bravo/collections/indicators/objects/"
        tool = {
            "type": "tool",
            "spec_version": "2.1",
            "id": f"tool--{uuid.uuid4()}",
            "created": "2026-11-22T12:00:00.000Z",
            "modified": "2026-11-22T12:00:00.000Z",
            "name": "nmap",
        }
        headers = {"Content-Type": TAXII, "Accept": TAXII}
        posted = requests.post(url, json={"objects": [tool]}, headers=headers, auth=logins["bb"], timeout=30)
        assert posted.json()["success_count"] == 1, posted.text
        for handle in READERS[:2]:
            assert requests.get(url, headers=headers, auth=logins[handle], timeout=30).json()["objects"]
        deadline = time.monotonic() + SECONDS
        while noted(hub) != set(READERS[:2]):
            assert time.monotonic() < deadline, hub.running.log
            time.sleep(0.05)
        for _ in range(3):  # a new connection each, so that both processes get some
            for handle in READERS:
                requests.get(url, headers=headers, auth=logins[handle], timeout=30)
        assert hub.running.stop(signal.SIGTERM) == 0
        assert noted(hub) == set(READERS)
        assert "deliveries.failed" not in hub.running.log
