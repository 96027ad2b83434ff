"""The unmodified OASIS client, taxii2-client 2.3.0, against a real hub over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.auth import AuthBase
from requests.models import PreparedRequest
from taxii2client.exceptions import AccessError
from taxii2client.v21 import ApiRoot, Collection, Server, Status, as_pages

from tests.acceptance.open_group import OpenGroup, serving_open_group

TAXII = "application/taxii+json;version=2.1"
SYNC_OCTETS = 4096  # a larger envelope is answered `pending` and processed by the worker


class Bearer(AuthBase):
    """What requests users write for RFC 6750."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenGroup]:
    folder = tmp_path_factory.mktemp("taxii2-client")
    with serving_open_group(folder, CYBEX_SYNC_CONTENT_LENGTH=str(SYNC_OCTETS)) as running:
        yield running


@pytest.fixture(params=["basic", "bearer", "token-as-password"])
def credential(request: pytest.FixtureRequest, hub: OpenGroup) -> dict[str, Any]:
    """What is handed to the client's constructors."""
    ways: dict[str, dict[str, Any]] = {
        "basic": {"user": hub.username, "password": hub.password},
        "bearer": {"auth": Bearer(hub.token)},
        "token-as-password": {"user": "token", "password": hub.token},
    }
    return ways[request.param]


@pytest.fixture
def collection(hub: OpenGroup, credential: dict[str, Any]) -> Collection:
    return Collection(hub.collection_url, **credential)


def indicator(**changes: Any) -> dict[str, Any]:
    """Return an indicator nobody has posted before; no author, so its first sender owns it."""
    made: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": "2026-03-01T10:00:00.000Z",
        "modified": "2026-03-01T10:00:00.000Z",
        "name": "beacon",
        "indicator_types": ["malicious-activity"],
        "pattern": "[domain-name:value = 'update.example.com']",
        "pattern_type": "stix",
        "valid_from": "2026-03-01T10:00:00Z",
    }
    return {**made, **changes}


def ids_of(page: dict[str, Any]) -> list[str]:
    return [stix_object["id"] for stix_object in page.get("objects", [])]


def test_discovery_leads_to_the_api_root_and_its_collections(hub: OpenGroup, credential: dict[str, Any]) -> None:
    server = Server(hub.base_url + "taxii2/", **credential)
    assert [root.url for root in server.api_roots] == [hub.api_root]
    assert server.default is not None
    assert server.default.url == hub.api_root
    root = server.api_roots[0]
    assert root.title == "Bravo"
    assert TAXII in root.versions
    assert root.max_content_length > 0
    assert {hub.collection, hub.unreadable, hub.unwritable} < {found.id for found in root.collections}


def test_rights_are_those_of_the_caller(hub: OpenGroup, credential: dict[str, Any]) -> None:
    rights = {found.id: (found.can_read, found.can_write) for found in ApiRoot(hub.api_root, **credential).collections}
    assert rights[hub.collection] == (True, True)
    assert rights[hub.unreadable] == (False, True)
    assert rights[hub.unwritable] == (True, False)


def test_what_is_added_is_read_back_unchanged(collection: Collection) -> None:
    sent = indicator(x_internal_case="case 7", labels=["b", "a"])
    status = collection.add_objects({"objects": [sent]})
    assert (status.status, status.total_count, status.success_count) == ("complete", 1, 1)
    assert status.successes == [{"id": sent["id"], "version": sent["modified"]}]
    assert collection.get_object(sent["id"])["objects"] == [sent]
    assert collection.get_objects(id=sent["id"])["objects"] == [sent]
    assert collection.get_objects(id=sent["id"], type="malware").get("objects", []) == []
    assert collection.object_versions(sent["id"])["versions"] == [sent["modified"]]


def test_versions_are_kept_and_the_last_is_the_default(collection: Collection) -> None:
    old = indicator()
    new = {**old, "modified": "2026-04-01T10:00:00.000Z", "name": "beacon, second look"}
    assert collection.add_objects({"objects": [new, old]}).success_count == 2
    assert collection.get_object(old["id"])["objects"] == [new]
    assert collection.get_object(old["id"], version="first")["objects"] == [old]
    assert collection.get_object(old["id"], version=old["modified"])["objects"] == [old]
    versions = collection.object_versions(old["id"])["versions"]
    assert sorted(versions) == [old["modified"], new["modified"]]


@pytest.mark.parametrize("per_request", [0, 2, 3], ids=["server's-page-size", "two", "three"])
def test_as_pages_yields_every_object_once(collection: Collection, per_request: int) -> None:
    sent = [indicator() for _ in range(3)]
    collection.add_objects({"objects": sent})
    wanted = [stix_object["id"] for stix_object in sent]
    found = [found for page in as_pages(collection.get_objects, per_request=per_request) for found in ids_of(page)]
    assert found[-3:] == wanted
    assert len(found) == len(set(found))
    records = [
        record["id"]
        for page in as_pages(collection.get_manifest, per_request=per_request)
        for record in page.get("objects", [])
    ]
    assert records == found


def test_as_pages_keeps_its_filters_on_every_page(collection: Collection) -> None:
    sent = [indicator() for _ in range(5)]
    collection.add_objects({"objects": [*sent, indicator()]})
    wanted = [stix_object["id"] for stix_object in sent]
    pages = list(as_pages(collection.get_objects, per_request=2, id=wanted, type="indicator"))
    assert [len(ids_of(page)) for page in pages] == [2, 2, 1]
    assert [found for page in pages for found in ids_of(page)] == wanted


def test_added_after_gives_only_what_came_later(collection: Collection) -> None:
    before, later = indicator(), indicator()
    collection.add_objects({"objects": [before]})
    last = collection.get_manifest(id=before["id"])["objects"][0]["date_added"]
    collection.add_objects({"objects": [later]})
    assert ids_of(collection.get_objects(added_after=last)) == [later["id"]]


def test_a_large_envelope_is_pending_and_the_client_waits_for_the_worker(collection: Collection) -> None:
    sent = [indicator(description="x" * 200) for _ in range(40)]
    status = collection.add_objects({"objects": sent}, wait_for_completion=True, poll_interval=0.1, timeout=60)
    assert (status.status, status.success_count, status.pending_count) == ("complete", 40, 0)
    assert [line["id"] for line in status.successes] == [stix_object["id"] for stix_object in sent]


def test_a_pending_status_lists_every_object_and_is_refreshed_to_its_end(collection: Collection) -> None:
    sent = [indicator(description="x" * 200) for _ in range(40)]
    status = collection.add_objects({"objects": sent}, wait_for_completion=False)
    assert isinstance(status, Status)
    assert status.total_count == 40
    status.wait_until_final(poll_interval=0.1, timeout=60)
    assert (status.status, status.success_count) == ("complete", 40)


def test_one_bad_object_is_one_failure_and_the_rest_is_stored(collection: Collection) -> None:
    good, bad = indicator(), indicator(pattern="[domain-name:value = ")
    status = collection.add_objects({"objects": [bad, good]})
    assert (status.total_count, status.success_count, status.failure_count) == (2, 1, 1)
    assert status.failures[0]["id"] == bad["id"]
    assert "pattern" in status.failures[0]["message"]
    assert ids_of(collection.get_objects(id=[good["id"], bad["id"]])) == [good["id"]]


def test_what_is_deleted_is_gone(collection: Collection) -> None:
    sent = indicator()
    collection.add_objects({"objects": [sent]})
    collection.delete_object(sent["id"])
    with pytest.raises(requests.HTTPError) as refusal:
        collection.get_object(sent["id"])
    assert refusal.value.response.status_code == 404
    assert collection.get_manifest(id=sent["id"]).get("objects", []) == []


def test_the_client_itself_respects_missing_rights(hub: OpenGroup, credential: dict[str, Any]) -> None:
    with pytest.raises(AccessError):
        Collection(f"{hub.api_root}collections/{hub.unreadable}/", **credential).get_objects()
    with pytest.raises(AccessError):
        Collection(f"{hub.api_root}collections/{hub.unwritable}/", **credential).add_objects({"objects": [indicator()]})


def test_a_wrong_password_is_401(hub: OpenGroup) -> None:
    with pytest.raises(requests.HTTPError) as refusal:
        Server(hub.base_url + "taxii2/", user=hub.username, password="wrong").refresh()
    assert refusal.value.response.status_code == 401
