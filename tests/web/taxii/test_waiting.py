"""``Prefer: wait=N``: who asks for what is not there yet is answered when it comes, and keeps no thread meanwhile."""

from __future__ import annotations

import base64
import io
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.domain import limits
from hub.domain.membership import Caller, Right, Role
from hub.services import access, credentials, members, peers
from hub.services import waiting as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.kept_requests import KeptRequests
from tests.web.taxii.world import IDS, START, TAXII, Client, World, password

SECONDS = 20.0
"""How long a test waits for what must come at once, before it says that it did not."""

OBJECTS = f"/alpha/collections/{IDS['indicators']}/objects/"
MANIFEST = f"/alpha/collections/{IDS['indicators']}/manifest/"
NOW = "2026-11-01T00:00:00.000000Z"


@dataclass
class Kept:
    """What granian's protocol object is to the hub: something that is answered once."""

    answered: threading.Event = field(default_factory=threading.Event)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        assert not self.answered.is_set(), "it was answered twice"
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers}
        self.answered.set()

    @property
    def types(self) -> list[str]:
        """The types of what came; fails when nothing does."""
        assert self.answered.wait(SECONDS), "it was never answered"
        assert self.status == 200, self.body
        return [one["type"] for one in json.loads(self.body).get("objects", [])]


@dataclass
class Server:
    """The app as `cybex serve` runs it."""

    world: World
    kept: KeptRequests

    def ask(self, path: str, prefer: str | None = "wait=40", *, handle: str = "bb", method: str = "GET") -> Kept:
        """Ask for a path, without waiting for the answer."""
        asked = Kept()
        target, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": target,
            "QUERY_STRING": query,
            "SERVER_NAME": "hub.test",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "hub.test",
            "HTTP_ACCEPT": TAXII,
            "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{handle}:{password(handle)}".encode()).decode(),
            "REMOTE_ADDR": "203.0.113.9",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(),
        }
        if prefer is not None:
            scope["HTTP_PREFER"] = prefer
        self.kept(asked, scope)
        return asked


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    kept = KeptRequests(world.app, world.hub, io.StringIO())
    yield Server(world, kept)
    kept.close()


def indicator(author: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created_by_ref": author,
        "created": "2026-10-01T00:00:00.000Z",
        "modified": "2026-10-01T00:00:00.000Z",
        "pattern": "[url:value = 'http://example.com/']",
        "pattern_type": "stix",
        "valid_from": "2026-10-01T00:00:00Z",
        **more,
    }


def post(world: World, handle: str = "aa") -> None:
    world.clock.advance(1)
    world.client(handle).add(IDS["indicators"], indicator(world.peers[handle].identity))


def test_a_reader_hears_of_what_is_added(server: Server) -> None:
    asked = server.ask(OBJECTS)
    assert not asked.answered.is_set()
    post(server.world)
    assert asked.types == ["indicator"]
    assert asked.headers["preference-applied"] == "wait=40"
    assert asked.headers["x-taxii-date-added-last"] == "2026-11-01T00:00:01.000000Z"


def test_the_manifest_waits_too(server: Server) -> None:
    asked = server.ask(MANIFEST)
    post(server.world)
    assert asked.answered.wait(SECONDS)
    assert len(json.loads(asked.body)["objects"]) == 1


def test_every_waiting_reader_hears_and_none_keeps_a_thread(server: Server) -> None:
    before = threading.active_count()
    asked = [server.ask(OBJECTS, handle=handle) for handle in ("aa", "bb") for _ in range(limits.WAITS_PER_PEER)]
    assert threading.active_count() <= before + 1  # the one that hears of commits
    post(server.world)
    assert [one.types for one in asked] == [["indicator"]] * len(asked)
    assert len(server.world.hub.waiting) == 0


def test_what_is_there_already_is_answered_at_once(server: Server) -> None:
    post(server.world)
    asked = server.ask(OBJECTS)
    assert asked.answered.is_set()
    assert asked.headers["preference-applied"] == "wait=40"


@pytest.mark.parametrize("prefer", [None, "wait=0", "wait=soon", "return=minimal"])
def test_without_a_time_to_wait_the_empty_page_is_answered_at_once(server: Server, prefer: str | None) -> None:
    asked = server.ask(OBJECTS, prefer)
    assert asked.answered.is_set()
    assert asked.types == []


def test_a_head_does_not_wait(server: Server) -> None:
    assert server.ask(OBJECTS, method="HEAD").answered.is_set()


def test_when_the_time_is_over_the_empty_page_is_the_answer(server: Server) -> None:
    asked = server.ask(f"{OBJECTS}?added_after={NOW}", "wait=1")
    assert asked.types == []
    assert asked.headers["preference-applied"] == "wait=1"
    assert asked.headers["x-taxii-date-added-last"] == NOW


def test_nobody_waits_longer_than_the_bound(server: Server) -> None:
    asked = server.ask(OBJECTS, "wait=100000")
    post(server.world)
    assert asked.types
    assert asked.headers["preference-applied"] == f"wait={limits.WAIT_SECONDS}"


def test_what_the_filter_leaves_out_is_no_news(server: Server) -> None:
    other = server.ask(f"{OBJECTS}?match[type]=malware")
    asked = server.ask(OBJECTS)
    post(server.world)
    assert asked.types == ["indicator"]
    assert not other.answered.is_set()


def test_another_collection_is_no_news(server: Server) -> None:
    other = server.ask(f"/alpha/collections/{IDS['incidents']}/objects/")
    asked = server.ask(OBJECTS)
    post(server.world)
    assert asked.types == ["indicator"]
    assert not other.answered.is_set()


def test_what_came_between_the_look_and_the_wait_is_not_missed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    add = server.world.hub.waiting.add

    def late(*arguments: Any) -> None:
        monkeypatch.undo()
        post(server.world)
        add(*arguments)

    monkeypatch.setattr(server.world.hub.waiting, "add", late)
    assert server.ask(OBJECTS).types == ["indicator"]


def test_the_wait_of_a_suspended_peer_ends_with_its_access(server: Server) -> None:
    asked, other = server.ask(OBJECTS), server.ask(OBJECTS, handle="aa")
    peers.update(server.world.hub, LOCAL_OPERATOR, "bb", suspended=True)
    assert asked.answered.wait(SECONDS)
    assert asked.status == 401
    assert not other.answered.is_set()


def test_the_wait_of_a_member_who_loses_the_right_to_read_ends(server: Server) -> None:
    asked = server.ask(OBJECTS)
    members.put(server.world.hub, LOCAL_OPERATOR, "alpha", "bb", {Right.WRITE})
    assert asked.answered.wait(SECONDS)
    assert asked.status == 403


def test_a_revoked_credential_ends_its_wait(server: Server) -> None:
    asked = server.ask(OBJECTS)
    for one in credentials.listed(server.world.hub, LOCAL_OPERATOR, "bb")[1]:
        credentials.revoke(server.world.hub, LOCAL_OPERATOR, "bb", one.id)
    assert asked.answered.wait(SECONDS)
    assert asked.status == 401


@pytest.mark.parametrize(
    ("path", "handle", "status"),
    [
        (OBJECTS, "cc", 404),
        (f"/alpha/collections/{IDS['write-only']}/objects/", "aa", 403),
        (f"{OBJECTS}?limit=x", "bb", 400),
    ],
    ids=["not his to know of", "not his to read", "not well asked"],
)
def test_who_may_not_read_does_not_wait(server: Server, path: str, handle: str, status: int) -> None:
    asked = server.ask(path, handle=handle)
    assert asked.answered.is_set()
    assert asked.status == status
    assert "preference-applied" not in asked.headers


def test_too_many_waits_of_one_peer_are_refused_and_others_wait(server: Server) -> None:
    for _ in range(limits.WAITS_PER_PEER):
        server.ask(OBJECTS)
    refused = server.ask(OBJECTS)
    assert refused.answered.is_set()
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert not server.ask(OBJECTS, handle="aa").answered.is_set()
    assert server.ask(OBJECTS, None).status == 200


def test_a_client_that_comes_back_takes_the_place_it_left(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is not told when a waiting client hangs up; the same request again shows it."""
    monkeypatch.setattr(limits, "WAIT_REPLACED_SECONDS", 0.0)
    asked = [server.ask(OBJECTS) for _ in range(limits.WAITS_PER_PEER)]
    again = server.ask(OBJECTS)
    assert asked[0].types == []
    assert not again.answered.is_set()
    assert sum(one.answered.is_set() for one in asked) == 1


def test_a_server_that_stops_answers_everybody_and_lets_nobody_wait(server: Server) -> None:
    asked = [server.ask(OBJECTS) for _ in range(3)]
    server.kept.close()
    assert [one.types for one in asked] == [[], [], []]
    assert server.ask(OBJECTS).answered.is_set()


def test_a_server_that_cannot_keep_a_request_answers_at_once_and_does_not_claim_to_have_waited(bb: Client) -> None:
    answer = bb.get(OBJECTS, Prefer="wait=40")
    assert answer.status == 200
    assert "Preference-Applied" not in answer.headers


def test_the_service_waits_in_the_thread_of_its_caller(world: World) -> None:
    before, heard = START, list[bool]()
    collection_id = _collection_id(world)
    waiter = threading.Thread(
        target=lambda: heard.append(service.wait_for_news(world.hub, [collection_id], before, SECONDS))
    )
    waiter.start()
    post(world)
    waiter.join(SECONDS)
    assert heard == [True]
    assert service.wait_for_news(world.hub, [collection_id], before, 0.0)
    assert not service.wait_for_news(world.hub, [collection_id], before + 10_000_000, 0.1)
    world.hub.waiting.close()


def _collection_id(world: World) -> int:
    with world.hub.db.read() as tx:
        return access.collection(tx, Caller(world.peers["aa"], 1, Role.FEED), "alpha", "indicators").collection.id
