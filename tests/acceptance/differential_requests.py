"""The requests both servers are sent, in this order: each step may rely on what the steps before it have stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TAXII = "application/taxii+json;version=2.1"
UNKNOWN_UUID = "00000000-0000-4000-8000-00000000ffff"
UNKNOWN_ID = "indicator--00000000-0000-4000-8000-00000000ffff"
ONE = "indicator--11111111-1111-4111-8111-111111111111"
TWO = "indicator--22222222-2222-4222-8222-222222222222"
THREE = "indicator--33333333-3333-4333-8333-333333333333"
MALWARE = "malware--44444444-4444-4444-8444-444444444444"
ADDRESS = "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd"  # the deterministic id of 198.51.100.3

FIRST, SECOND, THIRD = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Step:
    """One request.

    :param path: below the collection when it does not start with a slash; ``{root}``, ``{uuid}`` and ``{alias}`` are
        the API root and the collection, ``{unreadable}`` and ``{unwritable}`` two others, ``{status}`` the id of the
        status that step ``after`` was answered.
    :param query: raw, without ``?``; ``{next}`` is the ``next`` of step ``after``.
    :param headers: None takes a header away that is sent otherwise.
    """

    name: str
    path: str = "objects/"
    query: str = ""
    method: str = "GET"
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    chunked: bool = False
    after: str | None = None


def indicator(stix_id: str, modified: str = FIRST, **changes: Any) -> dict[str, Any]:
    """Return an indicator that both servers take; without ``created_by_ref`` its first sender owns it."""
    made: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id,
        "created": FIRST,
        "modified": modified,
        "name": "beacon",
        "indicator_types": ["malicious-activity"],
        "pattern": "[ipv4-addr:value = '198.51.100.3']",
        "pattern_type": "stix",
        "valid_from": FIRST,
    }
    return {**made, **changes}


def post(name: str, content: object, **more: Any) -> Step:
    """Return the step that posts ``content`` as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Step(name, method="POST", body=body, **more)


def accept(name: str, value: str | None) -> Step:
    """Return a discovery request with this Accept header."""
    return Step(name, "/taxii2/", headers={"Accept": value})


_MALWARE = {
    "type": "malware",
    "spec_version": "2.1",
    "id": MALWARE,
    "created": FIRST,
    "modified": FIRST,
    "name": "loader",
    "is_family": True,
}
_ADDRESS = {"type": "ipv4-addr", "spec_version": "2.1", "id": ADDRESS, "value": "198.51.100.3"}


def _negotiation() -> Iterable[Step]:
    yield Step("discovery", "/taxii2/")
    yield Step("discovery without credentials", "/taxii2/", headers={"Authorization": None})
    yield Step("discovery with a wrong password", "/taxii2/", headers={"Authorization": "Basic YTpi"})
    yield Step("discovery without a trailing slash", "/taxii2")
    yield Step("HEAD of discovery", "/taxii2/", method="HEAD")
    yield accept("Accept without version", "application/taxii+json")
    yield accept("Accept with a space", "application/taxii+json; version=2.1")
    yield accept("Accept of 2.0", "application/taxii+json;version=2.0")
    yield accept("Accept of anything", "*/*")
    yield accept("Accept of HTML", "text/html")
    yield accept("Accept with a weight", "application/taxii+json;version=2.1;q=0.9")
    yield accept("Accept of 2.0 and 2.1", "application/taxii+json;version=2.0, application/taxii+json;version=2.1")
    yield accept("Accept in upper case", "Application/TAXII+json;Version=2.1")
    yield accept("no Accept", None)


def _places() -> Iterable[Step]:
    yield Step("API root", "/{root}/")
    yield Step("API root that does not exist", "/no-such-root/")
    yield Step("collections of a root that does not exist", "/no-such-root/collections/")
    yield Step("status that does not exist", f"/{{root}}/status/{UNKNOWN_UUID}/")
    yield Step("status id that is no UUID", "/{root}/status/nonsense/")
    yield Step("path that does not exist", "/{root}/nothing/of/the/kind/")
    yield Step("PUT to objects", method="PUT", body=b"{}", headers={"Content-Type": TAXII})
    yield Step("collections", "/{root}/collections/")
    yield Step("collection", "/{root}/collections/{uuid}/")
    yield Step("collection without a trailing slash", "/{root}/collections/{uuid}")
    yield Step("collection by alias", "/{root}/collections/{alias}/")
    yield Step("collection that does not exist", f"/{{root}}/collections/{UNKNOWN_UUID}/")
    yield Step("objects of a collection that does not exist", f"/{{root}}/collections/{UNKNOWN_UUID}/objects/")
    yield Step("objects without credentials", headers={"Authorization": None})
    yield Step("objects of an empty collection")
    yield Step("manifest of an empty collection", "manifest/")
    yield Step("HEAD of objects", method="HEAD")


def _posts() -> Iterable[Step]:
    yield post("POST of three objects", {"objects": [indicator(ONE), indicator(TWO), _MALWARE]})
    yield Step("status of the POST", "/{root}/status/{status}/", after="POST of three objects")
    yield post("POST of a second version", {"objects": [indicator(ONE, SECOND)]})
    several = [indicator(THREE, FIRST), indicator(THREE, THIRD), indicator(THREE, SECOND)]
    yield post("POST of three versions at once", {"objects": several})
    yield post("POST of a cyber-observable object", {"objects": [_ADDRESS]})
    yield post("POST of what is there already", {"objects": [indicator(TWO)]})
    yield post("POST of other content under a known version", {"objects": [indicator(TWO, name="another name")]})
    yield post("POST with an unknown property in the envelope", {"x_sender_note": "hello", "objects": [indicator(TWO)]})
    yield post("POST of a bundle", {"type": "bundle", "id": f"bundle--{UNKNOWN_UUID}", "objects": [indicator(TWO)]})
    yield post("POST of a body in chunks", {"objects": [indicator(TWO)]}, chunked=True)
    yield post("POST without credentials", {"objects": [indicator(TWO)]}, headers={"Authorization": None})
    envelope = {"objects": [indicator(TWO)]}
    unknown = f"/{{root}}/collections/{UNKNOWN_UUID}/objects/"
    yield post("POST to a collection that does not exist", envelope, path=unknown)
    yield post("POST that accepts HTML only", envelope, headers={"Accept": "text/html"})
    for name, value in (
        ("POST with a Content-Type without version", "application/taxii+json"),
        ("POST with a space in Content-Type", "application/taxii+json; version=2.1"),
        ("POST with Content-Type of TAXII 2.0", "application/taxii+json;version=2.0"),
        ("POST with Content-Type of text", "text/plain"),
        ("POST without Content-Type", None),
    ):
        yield post(name, envelope, headers={"Content-Type": value})
    yield post("POST that is longer than allowed", b"", headers={"Content-Length": str(10**9)})
    yield post("POST of an empty object", {})
    yield post("POST of an empty list of objects", {"objects": []})
    yield post("POST of objects that are no list", {"objects": {}})
    yield post("POST of a list", [indicator(TWO)])
    yield post("POST of what is no JSON", b"{")
    yield post("POST of nothing", b"")


def _filters() -> Iterable[Step]:
    yield Step("objects")
    yield Step("objects, two", query="limit=2")
    yield Step("objects, two, page two", query="limit=2&next={next}", after="objects, two")
    yield Step("objects, one", query="limit=1")
    yield Step("next with another limit", query="limit=3&next={next}", after="objects, one")
    yield Step("objects, two again", query="limit=2")
    yield Step("next without limit", query="next={next}", after="objects, two again")
    yield Step("next of objects on the manifest", "manifest/", "limit=2&next={next}", after="objects, one")
    yield Step("next that no server gave", query="limit=2&next=nonsense")
    for value in ("0", "-1", "abc", "1.5", "1000000"):
        yield Step(f"limit {value}", query=f"limit={value}")
    yield Step("match id", query=f"match%5Bid%5D={ONE}")
    yield Step("match two ids", query=f"match%5Bid%5D={ONE}%2C{MALWARE}")
    yield Step("match unknown id", query=f"match%5Bid%5D={UNKNOWN_ID}")
    yield Step("match type", query="match[type]=malware")
    yield Step("match two types", query="match[type]=malware,ipv4-addr")
    yield Step("match unknown type", query="match[type]=x-unheard-of")
    yield Step("match id and type that exclude each other", query=f"match[id]={ONE}&match[type]=malware")
    for value in ("first", "last", "all", "first,last", SECOND, f"first,{THIRD}", "2026-02-01T00:00:00Z"):
        yield Step(f"match version {value}", query=f"match[version]={value}")
    yield Step("match version all,last", query="match[version]=all,last")
    yield Step("match version last,last", query="match[version]=last,last")
    yield Step("match version that is no version", query="match[version]=nonsense")
    yield Step("match spec version 2.1", query="match[spec_version]=2.1")
    yield Step("match spec version 2.0", query="match[spec_version]=2.0")
    yield Step("match unknown field", query="match[x_colour]=red")
    yield Step("unknown parameter", query="nonce=1")
    yield Step("match type twice", query="match[type]=malware&match[type]=indicator")
    for name, value in (
        ("long ago", "2020-01-01T00:00:00.000000Z"),
        ("in the future", "2099-01-01T00:00:00.000000Z"),
        ("without fraction", "2020-01-01T00:00:00Z"),
        ("with an offset", "2020-01-01T00:00:00.000000%2B00:00"),
        ("that is no time", "yesterday"),
    ):
        yield Step(f"added after, {name}", query=f"added_after={value}")
    twice = "added_after=2020-01-01T00:00:00.000000Z&added_after=2099-01-01T00:00:00.000000Z"
    yield Step("added after, twice", query=twice)


def _records() -> Iterable[Step]:
    yield Step("manifest", "manifest/")
    yield Step("manifest, all versions", "manifest/", "match[version]=all")
    yield Step("manifest of a type", "manifest/", "match[type]=malware")
    yield Step("manifest, two", "manifest/", "limit=2")
    yield Step("manifest, two, page two", "manifest/", "limit=2&next={next}", after="manifest, two")
    both = f"{TAXII},application/stix+json;version=2.1"
    yield Step("manifest with the Accept of its table", "manifest/", headers={"Accept": both})
    yield Step("object", f"objects/{ONE}/")
    yield Step("object, all versions", f"objects/{ONE}/", "match[version]=all")
    yield Step("object, first version", f"objects/{ONE}/", "match[version]=first")
    yield Step("object, every version filtered out", f"objects/{ONE}/", f"match[version]={THIRD}")
    yield Step("object that does not exist", f"objects/{UNKNOWN_ID}/")
    yield Step("object id that is none", "objects/nonsense/")
    yield Step("versions", f"objects/{THREE}/versions/")
    yield Step("versions, one", f"objects/{THREE}/versions/", "limit=1")
    yield Step("versions of an object without modified", f"objects/{ADDRESS}/versions/")
    yield Step("versions of an object that does not exist", f"objects/{UNKNOWN_ID}/versions/")


def _rights() -> Iterable[Step]:
    drop, shelf = "/{root}/collections/{unreadable}/", "/{root}/collections/{unwritable}/"
    yield Step("collection that may not be read", drop)
    yield Step("objects that may not be read", drop + "objects/")
    yield Step("manifest that may not be read", drop + "manifest/")
    yield Step("object that may not be read", f"{drop}objects/{ONE}/")
    yield Step("versions that may not be read", f"{drop}objects/{ONE}/versions/")
    yield post("POST where only writing is allowed", {"objects": [indicator(ONE)]}, path=drop + "objects/")
    yield Step("DELETE where only writing is allowed", f"{drop}objects/{ONE}/", method="DELETE")
    yield Step("objects where only reading is allowed", shelf + "objects/")
    yield post("POST where only reading is allowed", {"objects": [indicator(ONE)]}, path=shelf + "objects/")
    yield Step("DELETE where only reading is allowed", f"{shelf}objects/{ONE}/", method="DELETE")


def _endings() -> Iterable[Step]:
    yield Step("DELETE of an object that does not exist", f"objects/{UNKNOWN_ID}/", method="DELETE")
    yield Step("DELETE of one version", f"objects/{THREE}/", f"match[version]={THIRD}", method="DELETE")
    yield Step("versions after the DELETE of one", f"objects/{THREE}/versions/")
    yield Step("DELETE of an object of one version", f"objects/{TWO}/", method="DELETE")
    yield Step("object after its DELETE", f"objects/{TWO}/")
    yield Step("second DELETE", f"objects/{TWO}/", method="DELETE")
    yield Step("DELETE of an object of two versions", f"objects/{ONE}/", method="DELETE")
    yield Step("object of two versions after its DELETE", f"objects/{ONE}/")
    yield Step("manifest after the DELETEs", "manifest/")
    yield post("POST of what is no STIX", {"objects": [{"id": "not-stix"}]})
    yield post("POST of STIX 2.0", {"objects": [_without(indicator(UNKNOWN_ID), "spec_version")]})
    yield post("POST of an object without id", {"objects": [_without(indicator(UNKNOWN_ID), "id")]})
    odd = indicator("indicator--55555555-5555-4555-8555-555555555555", "2026-01-01T00:00:00.123456789Z")
    yield post("POST of a time with nine digits", {"objects": [odd]})
    yield Step("objects after it", query="match[type]=indicator")


def _without(stix_object: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in stix_object.items() if key != name}


STEPS = (*_negotiation(), *_places(), *_posts(), *_filters(), *_records(), *_rights(), *_endings())
