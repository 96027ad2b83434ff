"""Bad requests: refused with a status and the name of the field, and without a word of what was sent."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain import limits
from hub.web.api.document import operations
from tests.services.cast import Cast
from tests.web.api.client import BASE
from tests.web.api.conftest import As
from tests.web.api.matrix import BODIES, path_values

SECRET = "hunter2-content-that-must-not-come-back"
PEER = {"handle": "zz", "name": "ZZ", "kind": "national"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({**PEER, "id": 1}, "id", id="an id"),
        pytest.param({**PEER, "suspended": False}, "suspended", id="another resource's property"),
        pytest.param({**PEER, SECRET: 1}, None, id="content as a name"),
        pytest.param({**PEER, "role_id": SECRET}, "role_id", id="content as a value"),
        pytest.param({"name": "ZZ", "kind": "national"}, "handle", id="missing"),
        pytest.param({**PEER, "handle": 5}, "handle", id="number for text"),
        pytest.param({**PEER, "handle": SECRET.upper()}, "handle", id="capitals"),
        pytest.param({**PEER, "handle": "zz\n"}, "handle", id="line break"),
        pytest.param({**PEER, "handle": "token-zz"}, "handle", id="reserved"),
        pytest.param({**PEER, "kind": SECRET}, "kind", id="not in the list"),
        pytest.param({**PEER, "name": SECRET * 50}, "name", id="too long"),
        pytest.param({**PEER, "name": " "}, "name", id="blank"),
        pytest.param({**PEER, "name": "a\u202eb"}, "name", id="right-to-left override"),
        pytest.param({**PEER, "name": "a\u0000b"}, "name", id="NUL"),
        pytest.param({**PEER, "country": "fi"}, "country", id="country"),
        pytest.param({**PEER, "identity": "identity--1"}, "identity", id="identity"),
        pytest.param([PEER], None, id="a list"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_body_that_is_not_what_the_document_says_is_refused(body: Any, field: str | None, sqlite_who: As) -> None:
    operator = sqlite_who("operator")
    answer = (
        operator.call("POST", "/peers", raw=None, body=body)
        if body is not None
        else operator.call("POST", "/peers", raw=b"null")
    )
    assert answer.status == 400
    assert answer.json.get("field") == field
    assert SECRET.encode() not in answer.body
    assert operator.get("/peers/zz").status == 404


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"{", 400, id="cut off"),
        pytest.param(b'{"handle": "zz", "handle": "yy", "name": "x", "kind": "national"}', 400, id="a name twice"),
        pytest.param(b'{"handle": NaN}', 400, id="NaN"),
        pytest.param(b"[" * 5000 + b"]" * 5000, 400, id="deep"),
        pytest.param(b'{"handle": "\\ud800"}', 400, id="surrogate"),
        pytest.param(b"\xff\xfe", 400, id="not UTF-8"),
        pytest.param(b" " * (limits.API_BODY_BYTES + 1), 413, id="too large"),
    ],
)
def test_a_body_that_is_no_json_is_refused(raw: bytes, status: int, sqlite_who: As) -> None:
    assert sqlite_who("operator").call("POST", "/peers", raw=raw).status == status


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
def test_a_body_of_another_media_type_is_refused(media: str, sqlite_who: As) -> None:
    answer = sqlite_who("operator").call("POST", "/peers", PEER, Content_Type=media)
    assert (answer.status, answer.json["field"]) == (415, "Content-Type")


def test_a_client_that_wants_html_gets_406_and_one_that_wants_anything_gets_json(sqlite_who: As) -> None:
    operator = sqlite_who("operator")
    assert operator.get("/peers", Accept="text/html").status == 406
    for accept in ("*/*", "application/json", "text/html, application/*;q=0.1", ""):
        assert operator.get("/peers", Accept=accept).status == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=100000", "limit"),
        ("limit=9" + "9" * 5000, "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("after=%00", "after"),
        ("after=" + "a" * 300, "after"),
        ("role=operator", "role"),
        ("%3Cscript%3E=1", "query"),
    ],
)
def test_a_query_that_is_not_what_the_document_says_is_refused(query: str, field: str, sqlite_who: As) -> None:
    answer = sqlite_who("operator").get(f"/peers?{query}")
    assert (answer.status, answer.json["field"]) == (400, field)


@pytest.mark.parametrize(
    "path", ["/peers/%00", "/peers/AA", "/peers/a%2Fb", "/peers/' OR 1=1--", "/peers/" + "a" * 999]
)
def test_a_name_that_nothing_can_have_is_not_found(path: str, sqlite_who: As) -> None:
    assert sqlite_who("operator").get(path).status == 404


def test_every_body_refuses_every_property_that_is_not_its_own(sqlite_copy: Cast, sqlite_who: As) -> None:
    """Mass assignment: what the database has beside what the operation sets."""
    operator = sqlite_who("operator")
    names = {"id", "peer_id", "group_id", "role_id", "revoked_at", "secret_hash", "salt", "created_at", "author", "kid"}
    asked = 0
    for operation in operations():
        if operation.body is None:
            continue
        path = operation.rule.removeprefix(BASE)
        for name, value in path_values(sqlite_copy).items():
            path = path.replace(f"<{name}>", value)
        for name in sorted(names):
            answer = operator.call(operation.method, path, BODIES[operation.id] | {name: 1})
            assert (answer.status, answer.json["field"]) == (400, name), operation.id
            asked += 1
    assert asked >= 100


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/peers"), ("DELETE", "/groups"), ("POST", "/whoami"), ("PATCH", "/audit")]
)
def test_another_method_is_405_with_what_is_allowed(method: str, path: str, sqlite_who: As) -> None:
    answer = sqlite_who("operator").call(method, path)
    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]


def test_an_unknown_path_is_a_problem_and_no_page(sqlite_who: As) -> None:
    for path in ("", "/nothing", "/peers/aa/nothing", "/v2"):
        assert sqlite_who("operator").get(path).status == 404
