"""GET status: what became of a submission, for the peer that made it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hub.domain import limits
from hub.domain.taxii_resources import status as status_resource
from hub.services import work
from tests.web.taxii.world import OBJECTS, START, UNKNOWN_UUID, Client, World, indicator, indicators

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_status_is_the_resource_that_the_post_returned(aa: Client) -> None:
    posted = aa.post(OBJECTS, {"objects": [indicator(1), {"id": "bad"}]}).json
    answer = aa.get(f"/alpha/status/{posted['id']}/")
    assert (answer.status, answer.json) == (200, posted)
    assert UUID4.fullmatch(posted["id"])
    assert TIMESTAMP.fullmatch(posted["request_timestamp"])


def test_counts_add_up_and_lists_are_whole_or_absent(aa: Client) -> None:
    posted = aa.post(OBJECTS, {"objects": [*indicators(30), *[{"id": "bad"}] * 5]}).json
    status = aa.get(f"/alpha/status/{posted['id']}/").json
    counts = [status[f"{name}_count"] for name in ("success", "failure", "pending")]
    assert sum(counts) == status["total_count"] == 35
    assert [len(status.get(name, [])) for name in ("successes", "failures", "pendings")] == counts
    for each in status["successes"]:
        assert set(each) == {"id", "version"}


def test_a_partly_processed_envelope_shows_all_three_lists() -> None:
    line = {"id": indicator(1)["id"], "version": indicator(1)["modified"]}
    value = status_resource(
        UNKNOWN_UUID,
        complete=False,
        received_at=START,
        total=3,
        successes=[{**line, "message": "already stored"}],
        failures=[{**line, "message": "no"}],
        pendings=[line],
        hub={},
    )
    assert value["status"] == "pending"
    assert [value[f"{name}_count"] for name in ("total", "success", "failure", "pending")] == [3, 1, 1, 1]
    assert all(len(value[name]) == 1 for name in ("successes", "failures", "pendings"))


def test_a_large_envelope_shows_its_progress_chunk_by_chunk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMIT_CHUNK_OBJECTS", 2)
    world = world.with_bounds(sync_content_length=100)
    posted = world.aa.post(OBJECTS, {"objects": [{"id": "bad"}, *indicators(4)]}).json
    seen = [posted]
    while seen[-1]["status"] == "pending":
        assert work.run_once(world.hub)
        assert len(seen) < 10
        seen.append(world.aa.get(f"/alpha/status/{posted['id']}/").json)
    for status in seen:
        total = status["success_count"] + status["failure_count"] + status["pending_count"]
        assert total == status["total_count"] == 5
        assert len(status.get("pendings", [])) == status["pending_count"]
    assert (seen[-1]["success_count"], seen[-1]["failure_count"]) == (4, 1)


def test_a_status_is_the_submitters_alone(world: World) -> None:
    uuid = world.aa.add("indicators", indicator(1))["id"]
    bodies = []
    for client, slug in (
        (world.bb, "alpha"),
        (world.client("mm"), "alpha"),
        (world.client("cc"), "alpha"),
        (world.aa, "empty"),
    ):
        answer = client.get(f"/{slug}/status/{uuid}/")
        assert answer.status == 404
    unknown = world.bb.get(f"/alpha/status/{UNKNOWN_UUID}/").json
    hidden = world.bb.get(f"/alpha/status/{uuid}/").json
    for body in (unknown, hidden):
        del body["error_id"]
        bodies.append(body)
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("uuid", [UNKNOWN_UUID, "work_1", "%00", "..", "x" * 1000, UNKNOWN_UUID.replace("9", "A")])
def test_a_status_that_does_not_exist_is_404(caller: Client, uuid: str) -> None:
    assert caller.get(f"/alpha/status/{uuid}/").status == 404


def test_a_status_is_kept_for_a_day_at_least(world: World) -> None:
    uuid = world.aa.add("indicators", indicator(1))["id"]
    world.clock.advance(24 * 3600 + 1)
    while work.run_once(world.hub):
        pass
    assert world.aa.get(f"/alpha/status/{uuid}/").status == 200
    assert limits.STATUS_RETENTION_SECONDS >= 24 * 3600


def test_status_paths_hang_below_the_root_where_clients_look(world: World) -> None:
    status = world.aa.add("indicators", indicator(1))
    again = replace(world).aa.get(f"/alpha/collections/../status/{status['id']}/")
    assert again.status == 404  # the client resolves the dots; the hub never does
    assert world.aa.get(f"/alpha/status/{status['id']}").status == 200
