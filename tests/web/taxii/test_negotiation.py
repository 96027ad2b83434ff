"""One negotiation for all endpoints: generous about what is meant, exact in what is answered."""

from __future__ import annotations

import pytest

from tests.web.taxii.world import MANIFEST, OBJECTS, TAXII, Client, World, indicator

PATHS = [
    "/taxii2/",
    "/alpha/",
    "/alpha/collections/",
    "/alpha/collections/indicators/",
    MANIFEST,
    OBJECTS,
]
ACCEPTED = [
    None,
    "",
    "application/taxii+json",
    "application/taxii+json; version=2.1",
    'application/taxii+json;version="2.1"',
    "APPLICATION/TAXII+JSON;VERSION=2.1",
    "application/taxii+json;q=0.9",
    "application/taxii+json;version=2.1;charset=utf-8",
    "application/taxii+json;version=2.0,application/taxii+json;version=2.1",
    "application/taxii+json;version=2",
    "application/json, text/plain, */*",
    "*/*",
    "application/*;q=0.1",
    "application/vnd.oasis.taxii+json",
]
REFUSED = ["text/html", "application/taxii+json;version=2.0", "application/xml", "*/*;q=0", "nonsense"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ACCEPTED)
def test_whoever_can_mean_taxii_is_answered(caller: Client, path: str, accept: str | None) -> None:
    answer = caller.get(path, Accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/taxii+json;version=2.1"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", REFUSED)
def test_a_real_mismatch_is_406(caller: Client, path: str, accept: str) -> None:
    assert caller.get(path, Accept=accept).status == 406


def test_the_status_object_versions_and_delete_endpoints_negotiate_too(aa: Client) -> None:
    status = aa.add("indicators", indicator(1))
    single = OBJECTS + indicator(1)["id"] + "/"
    for path in (f"/alpha/status/{status['id']}/", single, single + "versions/"):
        assert aa.get(path, Accept="application/taxii+json").status == 200
        assert aa.get(path, Accept="text/html").status == 406
    assert aa.delete(single, Accept="text/html").status == 406
    assert aa.post(OBJECTS, {"objects": [indicator(2)]}, Accept="text/html").status == 406
    assert aa.get(OBJECTS).ids == [indicator(1)["id"]]


def test_the_manifest_takes_the_accept_of_its_own_table(caller: Client) -> None:
    accept = "application/taxii+json;version=2.1,application/stix+json;version=2.1"
    assert caller.get(MANIFEST, Accept=accept).status == 200
    assert caller.get(MANIFEST, Accept="application/stix+json;version=2.1").status == 200
    assert caller.get(OBJECTS, Accept="application/stix+json;version=2.1").status == 406


CONTENT_TYPES = [
    TAXII,
    "application/taxii+json",
    "application/taxii+json; version=2.1",
    'application/taxii+json; version="2.1"; charset=utf-8',
    "Application/Taxii+Json;Version=2.1",
    "application/vnd.oasis.taxii+json",
    "application/stix+json;version=2.1",
    "application/stix+json",
    "application/vnd.oasis.stix+json",
    "application/json",
]


@pytest.mark.parametrize("bundle", [False, True], ids=["envelope", "bundle"])
def test_an_envelope_or_bundle_is_taken_under_every_name_clients_give_it(aa: Client, bundle: bool) -> None:
    head = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001"} if bundle else {}
    for number, content_type in enumerate(CONTENT_TYPES):
        answer = aa.post(OBJECTS, {**head, "objects": [indicator(number)]}, Content_Type=content_type)
        assert (answer.status, content_type) == (202, content_type)
        assert answer.json["success_count"] == 1


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/taxii+json;version=2.0", "nonsense"],
)
def test_a_body_of_another_type_is_415(caller: Client, content_type: str | None) -> None:
    answer = caller.post(OBJECTS, {"objects": [indicator(1)]}, Content_Type=content_type)
    assert answer.status == 415
    assert answer.headers["Accept-Post"] == TAXII
    assert caller.get(OBJECTS).ids == []


def test_a_content_type_on_a_get_does_no_harm(caller: Client) -> None:
    assert caller.get("/taxii2/", Content_Type="text/plain").status == 200


def test_errors_have_the_taxii_media_type_whatever_was_accepted(idle: World) -> None:
    for client in (idle.stranger, idle.aa):
        for accept in ("text/html", None):
            answer = client.get("/nowhere/", Accept=accept)
            assert answer.headers["Content-Type"] == TAXII
