"""No endpoint tells anybody anything about an object he may not read: every case of the matrix, not a sample of it."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from hub.domain.membership import Right
from hub.services import peers
from hub.services.actor import LOCAL_OPERATOR
from hub.store.database import Database
from hub.web.app import create_app
from tests.leaks.matrix import GROUPS, PEERS, Case, Matrix, make_matrix, plan, readers_of
from tests.services.cast import DAY, clock_of

TAXII = "application/taxii+json;version=2.1"
_ERROR_ID = re.compile(rb'"error_id":"[^"]*"')


class Visitors:
    """Everybody who calls the hub, the anonymous and the suspended included."""

    def __init__(self, matrix: Matrix) -> None:
        self.client: FlaskClient = create_app(matrix.hub).test_client()
        self.matrix = matrix

    def call(self, handle: str | None, method: str, path: str, body: bytes | None = None) -> TestResponse:
        headers = {"Accept": "application/json" if path.startswith("/api/") else TAXII}
        if body is not None:
            headers["Content-Type"] = "application/json" if path.startswith("/api/") else TAXII
        if handle is not None:
            login = ":".join(self.matrix.logins[handle])
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        return self.client.open(path, method=method, headers=headers, data=body)

    def page(self, handle: str, path: str) -> tuple[int, list[dict[str, Any]], bytes]:
        """Return the status, all objects of all pages, and every byte of every answer with its headers."""
        objects: list[dict[str, Any]] = []
        seen, following = b"", ""
        while True:
            answer = self.call(handle, "GET", path + following)
            seen += answer.data + str(answer.headers).encode()
            if answer.status_code != 200:
                return answer.status_code, objects, seen
            body = json.loads(answer.data)
            objects += body.get("objects", [])
            if not body["more"]:
                return 200, objects, seen
            following = f"&next={body['next']}"


def what_it_says(answer: TestResponse) -> tuple[int, bytes, str | None]:
    """Return what a stranger can tell two answers apart by, the random error id left out."""
    return answer.status_code, _ERROR_ID.sub(b"", answer.data), answer.headers.get("Content-Type")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Twenty thousand request lines help nobody."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


def some_cases(matrix: Matrix) -> list[Case]:
    """Return all cases on SQLite, and every fifth on PostgreSQL, where each question costs three times as much.

    Pages and manifests are compared whole on both: that is where the databases could differ.
    """
    return matrix.cases if matrix.hub.db.dialect == "sqlite" else matrix.cases[::5]


def everybody() -> list[str]:
    return list(PEERS)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def matrix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('leaks') / 'hub.db'}"
        with contextlib.closing(Database.open(url)) as database:
            yield _filled(database)
        return
    server = request.getfixturevalue("postgres_url")
    name = f"cybex_leaks_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    with contextlib.closing(Database.open(url)) as database:
        yield _filled(database)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _filled(database: Database) -> Matrix:
    database.migrate()
    made = make_matrix(database)
    visitors = Visitors(made)
    for (group, alias), objects in plan(made).items():
        target = f"/{group}/collections/{made.refs[group, alias]}/objects/"
        answer = visitors.call("aa", "POST", target, json.dumps({"objects": made.signed(objects)}).encode())
        assert answer.status_code == 202, answer.data
        status = json.loads(answer.data)
        refused = {line["id"] for line in status.get("failures", [])}
        wrong = [
            one.name
            for one in made.cases
            if (one.group, one.alias) == (group, alias) and one.accepted == (one.stix_id in refused)
        ]
        assert not wrong, (wrong[:5], status.get("failures", [])[:5])
    peers.update(made.hub, LOCAL_OPERATOR, "ff", suspended=True)
    return made


def test_pages_and_manifests_show_each_reader_exactly_his_objects(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    for group, alias in matrix.refs:
        cases = [one for one in matrix.cases if (one.group, one.alias) == (group, alias)]
        markers = [one for one in matrix.markers if one[:2] == (group, alias)]
        for handle in everybody():
            expected = {one.stix_id for one in cases if handle in one.readers}
            expected_markers = {marker for _, _, marker, readers, _ in markers if handle in readers}
            hidden = [one for one in cases if handle not in one.readers]
            for endpoint in ("objects", "manifest"):
                path = f"/{group}/collections/{matrix.refs[group, alias]}/{endpoint}/?limit=37"
                status, found, seen = visitors.page(handle, path)
                ids = {one["id"] for one in found if one["id"].startswith("indicator")}
                assert ids == expected, (handle, path)
                shown = {one["id"] for one in found if one["id"].startswith("marking-definition")}
                assert shown == expected_markers, (handle, path)
                signatures = sum(one["id"].startswith("jss-signature") for one in found)
                assert signatures == len(expected_markers), (handle, path)  # a signature tells of its object
                leaked = [one.name for one in hidden if one.stix_id.encode() in seen or one.text.encode() in seen]
                assert not leaked, (handle, path, leaked[:5])
                assert (status == 200) == (handle in readers_of(group, alias)), (handle, path, status)


def test_an_object_that_may_not_be_read_is_like_one_that_does_not_exist_on_every_endpoint(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    compared = 0
    for group, alias in matrix.refs:
        base = f"/{group}/collections/{matrix.refs[group, alias]}/"
        cases = [one for one in some_cases(matrix) if (one.group, one.alias) == (group, alias)]
        for handle in [*everybody(), None]:
            nobody = f"indicator--{uuid.uuid4()}"
            calls = {
                "GET object": ("GET", lambda stix_id: f"objects/{stix_id}/?match[version]=all"),
                "GET versions": ("GET", lambda stix_id: f"objects/{stix_id}/versions/"),
                "GET objects by id": ("GET", lambda stix_id: f"objects/?match[id]={stix_id}"),
                "GET manifest by id": ("GET", lambda stix_id: f"manifest/?match[id]={stix_id}&match[version]=all"),
                "DELETE object": ("DELETE", lambda stix_id: f"objects/{stix_id}/"),
            }
            for name, (method, path_of) in calls.items():
                unknown = what_it_says(visitors.call(handle, method, base + path_of(nobody)))
                for one in cases:
                    if not _ask(one, handle, name):
                        continue
                    answer = visitors.call(handle, method, base + path_of(one.stix_id))
                    compared += 1
                    if handle in one.readers:
                        assert one.stix_id in answer.text or name in ("GET versions", "DELETE object"), (handle, one)
                        assert answer.status_code == (403 if method == "DELETE" else 200), (handle, name, one)
                    else:
                        assert what_it_says(answer) == unknown, (handle, name, one.name)
                        assert one.text not in answer.text
    assert compared > (10_000 if matrix.hub.db.dialect == "sqlite" else 2_000)


def _ask(one: Case, handle: str | None, name: str) -> bool:
    """Leave out what would really delete: by the author, an embargo or not, and by the moderator where he sees it."""
    if name != "DELETE object" or handle is None:
        return True
    if handle == "aa":
        return not one.accepted
    return handle not in one.readers or handle != "hh"


def test_a_group_that_is_not_the_callers_is_like_one_that_does_not_exist(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    paths = ["", "collections/", "status/{any}/", "collections/{any}/", "collections/{any}/objects/",
             "collections/{any}/manifest/", "collections/{any}/objects/{object}/"]  # fmt: skip
    for position, group in enumerate(GROUPS):
        ref = matrix.refs[group, "indicators"]
        for handle in everybody():
            if PEERS[handle][position] is not None and handle != "dd":
                continue
            for path in paths:
                known = path.format(any=ref, object=matrix.cases[0].stix_id)
                unknown = path.format(any=uuid.uuid4(), object=matrix.cases[0].stix_id)
                for method in ("GET", "POST", "DELETE"):
                    real = visitors.call(handle, method, f"/{group}/{known}", b"{}" if method == "POST" else None)
                    none = visitors.call(handle, method, f"/no-group/{unknown}", b"{}" if method == "POST" else None)
                    assert what_it_says(real) == what_it_says(none), (handle, method, path)
        discovery = json.loads(visitors.call("ii", "GET", "/taxii2/").data)
        assert "api_roots" not in discovery


def test_a_status_is_the_submitters_alone(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    target = f"/alpha/collections/{matrix.refs['alpha', 'indicators']}/objects/"
    posted = json.loads(visitors.call("aa", "POST", target, b'{"objects":[{"type":"x"}]}').data)["id"]
    assert visitors.call("aa", "GET", f"/alpha/status/{posted}/").status_code == 200
    for handle in [*everybody(), None]:
        if handle == "aa":
            continue
        mine = visitors.call(handle, "GET", f"/alpha/status/{posted}/")
        none = visitors.call(handle, "GET", f"/alpha/status/{uuid.uuid4()}/")
        assert what_it_says(mine) == what_it_says(none), handle
        assert mine.status_code in (401, 404)


def test_the_api_explains_nothing_about_what_may_not_be_read(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    nobody = f"indicator--{uuid.uuid4()}"
    for handle in everybody():
        unknown = what_it_says(visitors.call(handle, "GET", f"/api/v1/explain?object={nobody}&peer={handle}"))
        for one in some_cases(matrix):
            answer = visitors.call(handle, "GET", f"/api/v1/explain?object={one.stix_id}&peer={handle}")
            if handle in one.readers or (handle == "aa" and one.held and one.accepted):
                assert answer.status_code == 200, (handle, one.name)
            else:
                assert what_it_says(answer) == unknown, (handle, one.name)
        for path in ("/api/v1/refusals", "/api/v1/audit"):
            seen = visitors.call(handle, "GET", path).text
            leaked = [one.name for one in matrix.cases if one.stix_id in seen and handle != "aa"]
            assert not leaked, (handle, path, leaked[:3])


def test_a_refusal_says_nothing_about_a_hidden_object(matrix: Matrix) -> None:
    """BB posts, under the id of an object that it may not see, what it would post under any other id."""
    visitors = Visitors(matrix)
    target = f"/bravo/collections/{matrix.refs['bravo', 'indicators']}/objects/"
    hidden = [one for one in matrix.cases if one.group == "bravo" and one.accepted and "bb" not in one.readers]
    assert hidden
    said = set()
    for stix_id in [one.stix_id for one in hidden] + [f"indicator--{uuid.uuid4()}" for _ in range(3)]:
        forged = {
            "type": "indicator", "spec_version": "2.1", "id": stix_id,
            "created": "2026-11-20T00:00:00.000Z", "modified": "2026-11-20T00:00:00.000Z",
            "created_by_ref": matrix.identity["aa"], "pattern": "[domain-name:value = 'forged.example']",
            "pattern_type": "stix", "valid_from": "2026-11-20T00:00:00.000Z",
        }  # fmt: skip
        status = json.loads(visitors.call("bb", "POST", target, json.dumps({"objects": [forged]}).encode()).data)
        assert status["failure_count"] == 1
        said.add(status["failures"][0]["message"])
    assert len(said) == 1, said


def test_who_got_an_object_is_told_to_nobody_but_its_author(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    nobody = f"indicator--{uuid.uuid4()}"
    for handle in [*everybody(), None]:
        unknown = what_it_says(visitors.call(handle, "GET", f"/api/v1/objects/{nobody}/delivered"))
        for one in matrix.cases[:: 1 if handle == "aa" else 7]:
            answer = visitors.call(handle, "GET", f"/api/v1/objects/{one.stix_id}/delivered")
            if handle == "aa" and one.accepted and not one.held:
                assert answer.status_code == 200, one.name
                (version,) = answer.get_json()["versions"]
                permitted = {each["peer"] for each in version["peers"] if each["may_read"]}
                assert permitted == one.readers - {"aa"}, one.name
            else:
                assert what_it_says(answer) == unknown, (handle, one.name)


def test_a_preview_says_no_more_of_a_hidden_object_than_a_post(matrix: Matrix) -> None:
    """Every writer previews, under ids he may not see and ids that nobody has, what he would post under them."""
    visitors = Visitors(matrix)
    writers = [handle for handle, rights in PEERS.items() if rights[1] and Right.WRITE in rights[1] and handle != "aa"]
    for handle in writers:
        target = f"/bravo/collections/{matrix.refs['bravo', 'indicators']}/objects/"
        hidden = [one for one in matrix.cases if one.group == "bravo" and handle not in one.readers][::9]
        said: dict[bool, set[str]] = {True: set(), False: set()}
        for author in (True, False):  # in the name of the author of what is there, and in nobody's
            for stix_id in [one.stix_id for one in hidden] + [f"indicator--{uuid.uuid4()}"]:
                forged = {
                    "type": "indicator", "spec_version": "2.1", "id": stix_id,
                    "created": "2026-11-20T00:00:00.000Z", "modified": "2026-11-20T00:00:00.000Z",
                    "pattern": "[domain-name:value = 'forged.example']",
                    "pattern_type": "stix", "valid_from": "2026-11-20T00:00:00.000Z",
                }  # fmt: skip
                if author:
                    forged["created_by_ref"] = matrix.identity["aa"]
                asked = {"group": "bravo", "collection": "indicators", "objects": [forged]}
                answer = visitors.call(handle, "POST", "/api/v1/preview", json.dumps(asked).encode())
                if handle == "dd":  # suspended
                    assert answer.status_code == 404
                    continue
                (found,) = answer.get_json()["objects"]
                if found["outcome"] == "refused":  # what would be taken would change the matrix
                    posted = visitors.call(handle, "POST", target, json.dumps({"objects": [forged]}).encode())
                    (line,) = json.loads(posted.data)["failures"]
                    assert line["message"] == f"{found['rule']}: {found['reason']}"
                    assert (found["readers"], found["losing"], found["others_losing"]) == (None, [], 0)
                said[author].add(f"{found['outcome']} {found['rule']} {found['reason']}")
        assert len(said[True]) <= 1, (handle, said)


def test_an_expired_permission_ends_what_every_endpoint_shows(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    before = clock_of(matrix.hub).now
    ending = [one for one in matrix.cases if one.ends and one.accepted]
    assert ending
    clock_of(matrix.hub).now += 2 * DAY
    for group, alias in matrix.refs:
        for handle in readers_of(group, alias):
            base = f"/{group}/collections/{matrix.refs[group, alias]}/objects/"
            _, found, seen = visitors.page(handle, f"{base}?limit=500")
            for one in ending:
                if (one.group, one.alias) == (group, alias):
                    assert one.stix_id.encode() not in seen
                    assert visitors.call(handle, "GET", f"{base}{one.stix_id}/").status_code == 404
            assert found
    clock_of(matrix.hub).now = before
