"""Another hub has one door, the relay: a member with every right, it reads, posts and learns nothing anywhere else."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from hub.client import keyfile
from hub.domain.membership import PeerKind, Role
from hub.errors import NotFound
from hub.services import acknowledgements, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.web.api.document import operations
from hub.web.app import create_app
from hub.web.taxii import ROUTES
from tests.services.cast import ALL, Cast, new_key
from tests.services.desk import Desk, make_desk
from tests.services.test_acknowledgements import said
from tests.web.api.client import BASE
from tests.web.api.matrix import BODIES, path_values
from tests.web.api.test_authorisation import target

TAXII = "application/taxii+json;version=2.1"
OPEN = {
    "getOpenApiDocument",
    "getWhoAmI",
    "getLog",
    "getLogInclusion",
    "getLogConsistency",
    "getRelayLink",
    "getPeerQuota",  # its own; of another peer it is not found
    "postAcknowledgements",  # each is judged by itself; see below
}
"""Operations of the API that answer another hub: what everybody may know, itself, and the link to it."""


@dataclass
class Visit:
    """A hub that is a member of alpha with every right, and what it is told."""

    app: Flask
    desk: Desk

    def ask(self, part: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        login = base64.b64encode(":".join(self.desk.cast.logins[part]).encode()).decode()
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Basic {login}", **headers}
        answer = self.app.test_client().open(path, method=method, data=data, headers=sent)
        text = re.sub(rb'"error_id":"[^"]*"', b"", answer.data.replace(b": ", b":"))
        return answer.status_code, text


@pytest.fixture(params=[Role.FEED, Role.ANALYST, Role.ADMIN], ids=lambda role: role.value)
def visit(sqlite_copy: Cast, request: pytest.FixtureRequest) -> Visit:
    desk = make_desk(sqlite_copy)
    hub = desk.hub
    peers.add(hub, OPERATOR, handle="hub-b", name="Hub B", kind=PeerKind.HUB)
    keys.enrol(hub, OPERATOR, "hub-b", public_key=new_key().text)
    members.put(hub, OPERATOR, "alpha", "hub-b", set(ALL))
    sqlite_copy.issue("hub-b", "hub-b", request.param)
    desk.share("aa", desk.incident("aa", name="for the group alone"))
    return Visit(create_app(hub), desk)


def test_every_taxii_endpoint_answers_as_if_the_group_did_not_exist(visit: Visit) -> None:
    seen = visit.desk.seen("bb")[0]["id"]
    uuid = visit.desk.opened("bb").collection.uuid
    compared = 0
    for rule, views in ROUTES:
        if "<slug>" not in rule:
            continue
        for method in (*views, "HEAD"):
            for ref in (uuid, "incidents"):
                path = rule.replace("<ref>", ref).replace("<oid>", seen).replace("<uuid>", uuid)
                body = {"objects": [visit.desk.incident("aa")]} if method == "POST" else None
                headers = {"Accept": TAXII, "Content-Type": TAXII}
                real = visit.ask("hub-b", method, path.replace("<slug>", "alpha"), body, **headers)
                none = visit.ask("hub-b", method, path.replace("<slug>", "no-group"), body, **headers)
                assert real == none, (method, path)
                assert real[0] == 404, (method, path)
                compared += 1
    assert compared >= 16


def test_discovery_shows_no_api_root(visit: Visit) -> None:
    status, body = visit.ask("hub-b", "GET", "/taxii2/", Accept=TAXII)
    assert status == 200
    assert "api_roots" not in json.loads(body)


def test_no_export_is_made_for_it(visit: Visit) -> None:
    for path in ("/exports/groups/alpha/ip", "/exports/groups/alpha/stix"):
        assert visit.ask("hub-b", "GET", path)[0] in (403, 404), path


def test_the_api_answers_it_of_itself_and_of_nobody_else(visit: Visit) -> None:
    values = path_values(visit.desk.cast)
    for operation in operations():
        if "/connectors" in operation.rule:  # what a peer says of its own connectors, and reads again
            continue
        for handle in ("bb", "hub-b"):
            path = BASE + target(operation, values | {"handle": handle})
            headers = {"Content-Type": "application/json"} if operation.id in BODIES else {}
            status, body = visit.ask("hub-b", operation.method, path, BODIES.get(operation.id), **headers)
            if operation.id in OPEN:
                assert status < 300 or (status in (403, 404) and handle == "bb"), operation.id
            else:
                assert status in (400, 403, 404), (operation.id, status)
            assert b"CIRT" not in body or operation.id == "getOpenApiDocument", operation.id
            assert b'"alpha"' not in body or operation.id == "getOpenApiDocument", operation.id


def test_it_cannot_acknowledge_what_it_was_never_handed(visit: Visit) -> None:
    desk, key = visit.desk, keyfile.generate()
    keys.enrol(desk.hub, OPERATOR, "hub-b", public_key=key.public.text)
    desk.callers["hub-b"], desk.keys["hub-b"] = desk.cast.caller("hub-b"), key
    desk.identity["hub-b"] = peers.shown(desk.hub, OPERATOR, "hub-b").identity
    with pytest.raises(NotFound):
        acknowledgements.post(desk.hub, desk.callers["hub-b"], said(desk, "hub-b", desk.seen("bb")[0]))
