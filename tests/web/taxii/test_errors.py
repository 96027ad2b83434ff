"""Every answer that is no success: a TAXII error message, with nothing in it that a stranger could use."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from hub.domain import limits
from hub.errors import Busy
from hub.services import read
from hub.web.app import create_app
from tests.web.taxii.test_authentication import ENDPOINTS
from tests.web.taxii.world import OBJECTS, TAXII, Client, World, indicator

ERROR_ID = re.compile(r"[0-9a-f]{24}")


def test_an_error_has_title_description_id_code_and_status_as_strings(caller: Client) -> None:
    error = caller.get(f"{OBJECTS}?limit=0").json
    assert error["title"] == "The request is malformed"
    assert error["description"] == "limit: it must be an integer greater than 0"
    assert error["http_status"] == "400"
    assert error["error_code"] == "invalid-request"
    assert error["details"] == {"field": "limit"}
    assert ERROR_ID.fullmatch(error["error_id"])


def test_each_error_has_an_id_of_its_own(caller: Client) -> None:
    assert len({caller.get("/nowhere/").json["error_id"] for _ in range(5)}) == 5


@pytest.mark.parametrize(
    "path", ["/", "/a/b/c/d/e/f/", "/alpha/collection/", "/alpha/objects/", "/taxii/", "/taxii2/x/y/z/"]
)
def test_a_path_without_a_route_is_a_taxii_404(caller: Client, path: str) -> None:
    answer = caller.get(path)
    assert (answer.status, answer.json["error_code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for p in dict.fromkeys(p for _, p in ENDPOINTS) for m in ("PUT", "PATCH")]
)
def test_a_method_that_is_not_there_is_405_with_allow(caller: Client, method: str, path: str) -> None:
    answer = caller.call(method, path, b"{}")
    assert answer.status == 405
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", sorted({p for m, p in ENDPOINTS if m == "GET"}))
def test_head_is_get_without_the_body(caller: Client, path: str) -> None:
    head, get = caller.call("HEAD", path), caller.get(path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Type"] == TAXII
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options_says_which_methods_there_are(idle: World) -> None:
    for client in (idle.stranger, idle.aa):
        answer = client.call("OPTIONS", OBJECTS)
        assert (answer.status, answer.headers["Allow"]) == (200, "GET, HEAD, OPTIONS, POST")
        answer = client.call("OPTIONS", f"{OBJECTS}{indicator(1)['id']}/")
        assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"


class SecretsInText(Exception):
    """An exception nobody expects, whose text must go nowhere."""


def broken(idle: World, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> Client:
    def fail(*args: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr(read, "objects", fail)
    return idle.aa


def plain_call(app: Flask, client: Client) -> tuple[int, bytes, dict[str, str]]:
    answered = app.test_client().get(OBJECTS, headers=dict(client.headers))
    return answered.status_code, answered.data, dict(answered.headers)


def test_an_unexpected_exception_is_a_500_without_its_text(
    idle: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = broken(idle, monkeypatch, SecretsInText("the password is hunter2"))
    status, body, headers = plain_call(idle.app, client)
    assert (status, headers["Content-Type"]) == (500, TAXII)
    assert b"hunter2" not in body
    assert b"Secrets" not in body
    printed = "".join(capsys.readouterr())
    assert "hunter2" not in printed
    error_id = re.search(rb'"error_id":"([0-9a-f]{24})"', body)
    assert error_id is not None
    assert error_id[1].decode() in printed


def test_a_busy_hub_is_503_with_retry_after(idle: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = broken(idle, monkeypatch, Busy("another writer holds the database"))
    status, _, headers = plain_call(idle.app, client)
    assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, TAXII, "2")


def test_a_target_that_is_too_long_is_414(idle: World) -> None:
    answer = idle.aa.get("/taxii2/?x=" + "x" * limits.MAX_URL_LENGTH)
    assert answer.status == 414
    assert idle.aa.get("/taxii2/?x=" + "x" * (limits.MAX_URL_LENGTH - 100)).status == 200


def test_hostile_input_is_never_a_500_and_never_echoed(caller: Client) -> None:
    marks = [
        "<script>zq</script>",
        "%00zq",
        "%ffzq",
        "zq' OR 1%3D1--",
        "zq%0d%0aX-Zq: 1",
        "../../zq",
        "{{zq}}",
        "%F0%9F%98%80zq",
    ]
    for mark in marks:
        quoted = mark.replace(" ", "%20")
        for path in (
            f"/{quoted}/",
            f"/alpha/collections/{quoted}/objects/",
            f"{OBJECTS}{quoted}/",
            f"/alpha/status/{quoted}/",
            f"{OBJECTS}?match[version]={quoted}",
            f"{OBJECTS}?next={quoted}",
            f"{OBJECTS}?added_after={quoted}",
            f"{OBJECTS}?match[{quoted}]=1&match[{quoted}]=2",
        ):
            answer = caller.get(path)
            assert answer.status in (400, 404)
            assert b"zq" not in answer.body
            assert "zq" not in str(answer.headers)


def test_errors_under_api_are_json_problems(idle: World) -> None:
    app = create_app(replace(idle.hub))
    answered = app.test_client().get("/api/v1/there-is-no-such-route")
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert answered.json is not None
    assert answered.json["status"] == answered.status_code
