"""`/healthz`, `/readyz`, `/metrics` and the line in the log."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from hub.services import connectors
from hub.services.actor import LOCAL_OPERATOR
from hub.store.database import Database
from hub.web.app import create_app
from hub.web.health import _endpoint_class
from tests.services.cast import make_cast, make_hub
from tests.services.test_connectors import SAID


def client(database: Database, **changes: object) -> FlaskClient:
    return create_app(dataclasses.replace(make_hub(database), **changes)).test_client()


def test_a_living_process_says_so_and_a_migrated_hub_is_ready(database: Database) -> None:
    for path, status in (("/healthz", "alive"), ("/readyz", "ready")):
        answer = client(database).get(path)
        assert (answer.status_code, answer.content_type, answer.json) == (200, "application/json", {"status": status})


def test_a_hub_that_is_not_migrated_lives_but_is_not_ready(empty_database: Database) -> None:
    asking = client(empty_database)
    assert asking.get("/healthz").status_code == 200
    answer = asking.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "cybex migrate" in answer.json["reason"]


def test_a_hub_without_its_database_is_not_ready_and_does_not_say_where_that_is() -> None:
    answer = client(Database.open("postgresql://cybex:hunter2@127.0.0.1:1/cybex")).get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "not-ready", "reason": "the database cannot be reached"}


def test_metrics_show_counts_and_no_names(database: Database) -> None:
    asking = client(database)
    asking.get("/taxii2/")
    text = asking.get("/metrics").text
    assert 'cybex_http_requests_total{endpoint="taxii2",method="GET",status="401"}' in text
    for name in (
        "cybex_entries",
        "cybex_pending_submissions 0.0",
        "cybex_database_bytes",
        "cybex_objects_stored_total",
        "cybex_log_leaves 0.0",
        "cybex_log_checkpoint_leaves 0.0",
        "cybex_log_checkpoint_age_seconds 0.0",
        "cybex_log_unsigned_seconds 0.0",
    ):
        assert name in text


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", ""])
def test_metrics_do_not_exist_for_others(sqlite_url: str, address: str) -> None:
    asking = client(Database.open(sqlite_url))
    answer = asking.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 404
    assert "cybex" not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_metrics_do_not_exist_through_a_proxy_on_the_same_machine(sqlite_url: str, header: str) -> None:
    answer = client(Database.open(sqlite_url)).get("/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 404


def test_metrics_are_for_those_the_operator_names(sqlite_url: str) -> None:
    asking = client(Database.open(sqlite_url), metrics_allow=("192.0.2.0/24",))
    assert asking.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    assert asking.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("/taxii2/", "taxii2"),
        ("/<slug>/", "api-root"),
        ("/<slug>/status/<uuid>/", "status"),
        ("/<slug>/collections/", "collections"),
        ("/<slug>/collections/<ref>/manifest/", "manifest"),
        ("/<slug>/collections/<ref>/objects/<oid>/", "objects"),
        ("/<slug>/collections/<ref>/objects/<oid>/versions/", "versions"),
        ("/api/v1/peers/<handle>", "api"),
        ("/tlog/tile/<path:path>", "tlog"),
        ("(none)", "none"),
    ],
)
def test_a_route_has_one_of_a_few_classes(rule: str, name: str) -> None:
    assert _endpoint_class(rule) == name


def test_a_request_is_one_line_without_what_was_asked_for(sqlite_url: str) -> None:
    asking = client(Database.open(sqlite_url))
    with capture_logs() as lines:
        asking.get(
            "/secret-group/?match[id]=indicator--secret", headers={"Authorization": "Basic c2VjcmV0OnNlY3JldA=="}
        )
    line = next(line for line in lines if line["event"] == "http.request")
    assert (line["method"], line["status"], line["route"]) == ("GET", 401, "/<slug>/")
    assert isinstance(line["ms"], float)
    assert line["error_id"]
    assert "secret" not in repr(lines)


def test_probes_leave_no_line_while_all_is_well(sqlite_url: str, tmp_path: Path) -> None:
    with capture_logs() as lines:
        client(Database.open(sqlite_url)).get("/readyz")
        client(Database.open(f"sqlite:///{tmp_path}/none.db")).get("/readyz")
    assert [(line["route"], line["status"]) for line in lines if line["event"] == "http.request"] == [("/readyz", 503)]


def test_metrics_show_how_connectors_are_and_name_neither_them_nor_their_peers(database: Database) -> None:
    made = make_cast(database)
    connectors.report(made.hub, made.caller("analyst"), "misp-in", SAID)
    text = create_app(made.hub).test_client().get("/metrics").text
    (row,) = connectors.listed(made.hub, LOCAL_OPERATOR)
    name = connectors.public_id(row)
    assert f'cybex_connector_state{{connector="{name}",state="ok"}} 1.0' in text
    assert f'cybex_connector_state{{connector="{name}",state="paused"}} 0.0' in text
    assert f'cybex_connector_last_success_age_seconds{{connector="{name}"}}' in text
    for measure in ("overdue", "failures", "lag_seconds", "objects", "withdrawn", "refused"):
        assert f'cybex_connector_{measure}{{connector="{name}"}} 0.0' in text
    assert "misp" not in text
