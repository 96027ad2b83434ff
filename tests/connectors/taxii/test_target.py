"""A collection as a target, over HTTP: every object gets an answer of its own, however the server gives its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sdk.exchange import Delivered, Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from connectors.taxii.connector import TaxiiSettings, _target
from connectors.taxii.target import TaxiiTarget
from tests.client.scripted_server import Asked, Reply, ScriptedServer
from tests.connectors.taxii.conftest import COLLECTION, taxii_server
from tests.connectors.taxii.test_mapping import GOOD

Objects = list[dict[str, Any]]


def _objects(count: int) -> Objects:
    return [GOOD | {"id": f"indicator--00000000-0000-4000-8000-{place:012d}"} for place in range(count)]


def _status(status: str = "complete", failures: Objects | None = None, **fields: Any) -> Reply:
    failed = failures or []
    body = {"id": "5b9ea7f2-9d4e-4d35-b0b8-1c8e8e8a3d6b", "status": status, "total_count": 9, "success_count": 9}
    body |= {"failure_count": len(failed), "pending_count": 0} | ({"failures": failed} if failed else {}) | fields
    return Reply(202, json.dumps(body).encode())


def _deliver(server: ScriptedServer, tools: Tools, outgoing: Outgoing, **settings: Any) -> Delivered:
    given: dict[str, Any] = {"api_root": f"{server.url}root/", "collection": COLLECTION, **settings}
    target = _target(TaxiiSettings(**given), tools)
    assert isinstance(target, TaxiiTarget)
    target._sleep = lambda _: None
    return target.deliver(outgoing)


def _posted(server: ScriptedServer) -> list[Objects]:
    return [json.loads(asked.body)["objects"] for asked in server.asked if asked.method == "POST"]


def _posting(answer: Callable[[Objects], Reply], held: Objects | None = None) -> Callable[[Asked], Reply]:
    """Answer posts by what is in them; what is asked for is ``held``."""

    def script(asked: Asked) -> Reply:
        if asked.method == "POST":
            return answer(json.loads(asked.body)["objects"])
        if asked.method == "GET" and "/objects/" in asked.target:
            return Reply(200, json.dumps({"objects": held} if held else {}).encode())
        return Reply(405)

    return taxii_server(script)


def test_a_batch_is_cut_by_number_and_by_what_the_server_takes(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = _posting(lambda _: _status())
    objects = _objects(7)
    big = GOOD | {"id": "indicator--00000000-0000-4000-8000-00000000aaaa", "x": "x" * 9_300}
    huge = GOOD | {"id": "indicator--00000000-0000-4000-8000-00000000bbbb", "x": "x" * 10_000}
    delivered = _deliver(server, taxii_tools, Outgoing([*objects, big, huge, objects[0]]), batch=3)
    assert [len(some) for some in _posted(server)] == [3, 3, 1 + 1, 1]
    assert all(len(asked.body) <= 10_000 for asked in server.asked)
    assert (delivered.taken, [one.stix_id for one in delivered.refused]) == (9, [huge["id"]])


def test_objects_are_posted_as_they_are(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = _posting(lambda _: _status())
    _deliver(server, taxii_tools, Outgoing([GOOD]))
    assert _posted(server) == [[GOOD]]


def test_a_pending_status_is_asked_for_until_it_is_decided(server: ScriptedServer, taxii_tools: Tools) -> None:
    states = ["pending", "pending", "complete"]

    def script(asked: Asked) -> Reply:
        return _status(states.pop(0))

    server.script = taxii_server(script)
    assert _deliver(server, taxii_tools, Outgoing([GOOD])).taken == 1
    assert [asked.target for asked in server.asked][-2:] == ["/root/status/5b9ea7f2-9d4e-4d35-b0b8-1c8e8e8a3d6b/"] * 2


def test_a_status_that_stays_pending_leaves_the_batch_for_the_next_run(
    server: ScriptedServer, taxii_tools: Tools
) -> None:
    server.script = taxii_server(lambda _: _status("pending"))
    with pytest.raises(ConnectorError, match="handed over again"):
        _deliver(server, taxii_tools, Outgoing([GOOD]), wait=3)


@pytest.mark.parametrize(
    ("held", "taken", "reason"),
    [
        ([GOOD], 1, None),
        ([GOOD | {"spec_version": "indicator"}], 1, None),
        ([GOOD | {"x_text": "other"}], 0, "another content"),
        ([GOOD | {"modified": "2026-01-01T00:00:00.000Z"}], 0, "reports a failure"),
        ([], 0, "reports a failure"),
    ],
    ids=["the-same", "as-opentaxii-gives-it", "other-content", "other-version", "nothing"],
)
def test_what_is_reported_as_failed_is_taken_when_the_server_has_it(
    server: ScriptedServer, taxii_tools: Tools, held: Objects, taken: int, reason: str | None
) -> None:
    failure = {"id": GOOD["id"], "version": "2026-01-02T00:00:00.12Z", "message": "Unable to process object"}
    server.script = _posting(lambda _: _status(failures=[failure]), held)
    delivered = _deliver(server, taxii_tools, Outgoing([GOOD]))
    assert delivered.taken == taken
    assert [reason in one.reason for one in delivered.refused if reason] == [True] * (1 - taken)
    assert all("Unable" not in one.reason for one in delivered.refused)


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_the_object_that_an_envelope_is_refused_for_is_found(
    server: ScriptedServer, taxii_tools: Tools, status: int
) -> None:
    objects = _objects(9)
    bad = objects[4]["id"]
    server.script = _posting(lambda some: Reply(status) if any(one["id"] == bad for one in some) else _status())
    delivered = _deliver(server, taxii_tools, Outgoing(objects))
    assert (delivered.taken, [one.stix_id for one in delivered.refused]) == (8, [bad])


def test_failures_without_a_list_are_found_one_by_one(server: ScriptedServer, taxii_tools: Tools) -> None:
    objects = _objects(4)
    bad = objects[2]["id"]
    server.script = _posting(lambda some: _status(failure_count=int(any(one["id"] == bad for one in some))))
    delivered = _deliver(server, taxii_tools, Outgoing(objects))
    assert (delivered.taken, [one.stix_id for one in delivered.refused]) == (3, [bad])


def test_a_server_that_fails_on_everything_keeps_the_batch_waiting(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = _posting(lambda _: Reply(500))
    with pytest.raises(ConnectorError, match="fails on everything"):
        _deliver(server, taxii_tools, Outgoing(_objects(3)))


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_what_is_not_about_the_objects_is_an_error_and_refuses_none(
    server: ScriptedServer, taxii_tools: Tools, status: int
) -> None:
    server.script = _posting(lambda _: Reply(status))
    with pytest.raises(ConnectorError, match=str(status)):
        _deliver(server, taxii_tools, Outgoing(_objects(3)))
    assert len(_posted(server)) == 1


def test_a_collection_that_may_not_be_written_is_an_error(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = taxii_server(lambda _: _status(), can_write=False)
    with pytest.raises(ConnectorError, match="may not write"):
        _deliver(server, taxii_tools, Outgoing([GOOD]))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"status": "maybe"}', b"<html>"])
def test_an_answer_that_is_no_status_is_an_error(server: ScriptedServer, taxii_tools: Tools, body: bytes) -> None:
    server.script = taxii_server(lambda _: Reply(202, body))
    with pytest.raises(ConnectorError):
        _deliver(server, taxii_tools, Outgoing([GOOD]))


def _deleting(deleted: int, after: Reply, log: list[str]) -> Callable[[Asked], Reply]:
    def script(asked: Asked) -> Reply:
        if asked.method == "DELETE":
            log.append(asked.target)
            return Reply(deleted)
        return _status() if asked.method == "POST" else after

    return taxii_server(script)


@pytest.mark.parametrize(
    ("deleted", "after", "fate", "refused"),
    [
        (200, Reply(404), "kept", 0),
        (200, Reply(200, b"{}"), "kept", 0),
        (200, Reply(200, b'{"objects": [{}]}'), "dropped", 1),
        (404, Reply(404), "merged", 0),
        (403, Reply(404), "dropped", 0),
        (405, Reply(404), "dropped", 0),
    ],
    ids=["gone", "gone-and-empty", "still-there", "not-there", "forbidden", "not-offered"],
)
def test_what_was_withdrawn_is_deleted_in_all_versions_and_looked_for(
    server: ScriptedServer, taxii_tools: Tools, deleted: int, after: Reply, fate: str, refused: int
) -> None:
    log: list[str] = []
    server.script = _deleting(deleted, after, log)
    delivered = _deliver(server, taxii_tools, Outgoing([], withdrawn=[GOOD["id"]]), delete=True)
    assert log == [f"/root/collections/{COLLECTION}/objects/{GOOD['id']}/?match%5Bversion%5D=all"]
    assert delivered.report.to_json()[fate] == 1
    assert len(delivered.refused) == refused


def test_nothing_is_deleted_unless_the_configuration_says_so(server: ScriptedServer, taxii_tools: Tools) -> None:
    log: list[str] = []
    server.script = _deleting(200, Reply(404), log)
    delivered = _deliver(server, taxii_tools, Outgoing([], withdrawn=[GOOD["id"]]))
    assert (log, delivered.report.to_json()["dropped"]) == ([], 1)


def test_a_revoked_version_is_handed_over_in_place_of_a_deletion(server: ScriptedServer, taxii_tools: Tools) -> None:
    log: list[str] = []
    server.script = _deleting(200, Reply(404), log)
    revoked = GOOD | {"revoked": True}
    delivered = _deliver(server, taxii_tools, Outgoing([revoked], withdrawn=[GOOD["id"]]), delete=True)
    assert (delivered.taken, log) == (1, [])


def test_what_is_withdrawn_in_the_same_batch_is_not_handed_over(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = _deleting(200, Reply(404), [])
    delivered = _deliver(server, taxii_tools, Outgoing([GOOD], withdrawn=[GOOD["id"]]), delete=True)
    assert (delivered.taken, _posted(server)) == (0, [])
