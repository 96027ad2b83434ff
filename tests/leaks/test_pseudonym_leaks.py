"""Nothing a member can ask for connects a pseudonym with its peer: every answer of every operation is searched."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

import pytest
import structlog

from hub.services.context import Hub
from hub.web.api.document import Operation, operations
from hub.web.app import create_app
from tests.services.conftest import cast, desk, postgresql_cast, postgresql_copy, sqlite_cast, sqlite_copy
from tests.services.desk import Desk, marked
from tests.services.test_pseudonyms import adopt, signed

__all__ = ["cast", "desk", "postgresql_cast", "postgresql_copy", "sqlite_cast", "sqlite_copy"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture
def hub(desk: Desk) -> Hub:
    """The hub of the desk."""
    return desk.hub


class Observer:
    """A member who asks for everything there is to ask for, and keeps every byte of the answers."""

    def __init__(self, desk: Desk, part: str) -> None:
        self.client = create_app(desk.hub).test_client()
        login = ":".join(desk.cast.logins[part])
        self.headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
        self.seen: dict[str, str] = {}

    def get(self, path: str) -> str:
        accept = "application/json" if path.startswith("/api/") else "application/taxii+json;version=2.1"
        answer = self.client.get(path, headers=self.headers | {"Accept": accept})
        self.seen[path] = answer.text
        return answer.text


def spelled(operation: Operation, names: dict[str, list[str]]) -> list[str]:
    """Return every URL of an operation with these names, without a query and with each parameter of it."""
    paths = [operation.rule]
    for parameter in operation.path:
        values = names.get(parameter.name, ["1"])
        paths = [path.replace(f"<{parameter.name}>", value) for path in paths for value in values]
    queries = [f"?{each.name}={value}" for each in operation.query for value in names.get(each.name, [])]
    if {"object", "peer"} <= {each.name for each in operation.query}:
        queries += [f"?object={stix_id}&peer={handle}" for stix_id in names["object"] for handle in names["handle"]]
    return [path + query for path in paths for query in ("", *queries)]


def asked(observer: Observer, desk: Desk, names: dict[str, list[str]]) -> None:
    """Ask every reading operation of the API with every name, and every TAXII resource."""
    for operation in operations():
        if operation.method == "GET":
            for path in spelled(operation, names):
                observer.get(path)
    for alias in ("incidents", "indicators"):
        base = f"/alpha/collections/{desk.opened('bb', alias).collection.uuid}/"
        for path in ("", "objects/", "manifest/", "objects/?match[version]=all"):
            observer.get(base + path)
        for stix_id in names["object"]:
            observer.get(f"{base}objects/{stix_id}/")
            observer.get(f"{base}objects/{stix_id}/versions/")


def test_no_answer_that_names_the_pseudonym_names_its_peer(desk: Desk) -> None:
    owned = adopt(desk, "ee")
    marking = desk.releasability("ee", recipient_refs=[desk.identity["bb"]]) | {"created_by_ref": desk.identity["nym"]}
    open_, named = desk.incident("nym"), marked(desk.incident("nym"), marking)
    gone = desk.incident("nym")
    status = desk.post("ee", *signed(desk, "nym", marking, open_, named, gone))
    assert not status.failures, status.failures
    to_nym = desk.releasability("bb", recipient_refs=[desk.identity["nym"]])
    addressed = marked(desk.incident("bb"), to_nym)
    desk.share("bb", to_nym, addressed)
    assert addressed["id"] in desk.ids("ee")
    desk.withdraw("ee", gone["id"])
    ids = [one["id"] for one in (open_, named, gone, addressed, marking)]
    names = {
        "slug": ["alpha", "bravo"],
        "handle": ["aa", "bb", "ee"],
        "peer": ["ee"],
        "object": [*ids, desk.identity["nym"]],
        "stix_id": [*ids, desk.identity["nym"]],
        "kid": [key.kid for key in owned.keys],
        "ref": ["incidents"],
        "submission": [status.uuid],
        "id": ["1"],
    }
    for part in ("analyst", "admin", "moderating-analyst", "moderator"):
        observer = Observer(desk, part)
        asked(observer, desk, names)
        mine = re.compile("|".join([desk.identity["ee"], r'"ee"', "CIRT EE", desk.keys["ee"].public.kid]))
        its = re.compile("|".join([desk.identity["nym"], *(key.kid for key in owned.keys)]))
        both = [
            path
            for path, said in observer.seen.items()
            if mine.search(said) and (its.search(said) or any(one in said for one in ids))
        ]
        # The members of the group and the directory of its keys name everybody: there each stands for himself.
        both = [path for path in both if not re.search(r"/groups/alpha/(keys|jwks|members)|^/api/v1/explain\?", path)]
        assert both == []
        entries = json.loads(observer.seen["/api/v1/groups/alpha/keys"])["keys"]
        its_own = [one for one in entries if one["identity"] == desk.identity["nym"]]
        assert its_own
        assert not [one for one in its_own if "ee" in one.values()]
        for stix_id in ids:
            told = {
                handle: observer.seen[f"/api/v1/explain?object={stix_id}&peer={handle}"].replace(handle, "-")
                for handle in ("ee", "aa" if "moder" not in part else "bb")
            }
            assert len({re.sub(r"\"error_id\":\"[^\"]*\"", "", said) for said in told.values()}) == 1, stix_id
