"""What the fake world of the connectors' tests promises."""

from __future__ import annotations

import pytest
import requests

from connectors.sdk.exchange import Tools
from tests.connectors.conftest import START, Sessions


def test_a_session_is_answered_by_the_test_and_by_nobody_else(tools: Tools, sessions: Sessions) -> None:
    sessions.answer("https://misp.example/events", {"events": []}, headers={"ETag": '"1"'})
    session = tools.session("https://misp.example/")
    answer = session.get("https://misp.example/events?page=2", timeout=1)
    assert (answer.status_code, answer.json(), answer.headers["ETag"]) == (200, {"events": []}, '"1"')
    with pytest.raises(requests.ConnectionError):
        session.get("https://other.example/", timeout=1)
    assert sessions.bases == ["https://misp.example/"]


def test_the_folder_is_the_connectors_own(tools: Tools) -> None:
    assert tools.folder.stat().st_mode & 0o777 == 0o700
    assert tools.path("feed.csv").parent == tools.base
    assert tools.clock() == START
