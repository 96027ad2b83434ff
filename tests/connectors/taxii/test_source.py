"""A collection as a source, over HTTP: what is asked, what of the answer arrives, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sdk.exchange import Incoming, Tools
from connectors.sdk.kind import ConnectorError
from connectors.taxii.connector import KIND, TaxiiSettings
from hub.errors import ConfigError
from tests.client.scripted_server import TAXII, Asked, Reply, ScriptedServer, envelope, scripted_server
from tests.connectors.taxii.conftest import COLLECTION, taxii_server
from tests.connectors.taxii.test_mapping import GOOD, TEXT

FIRST, LAST = "2026-11-20T00:00:00.000001Z", "2026-11-20T00:00:00.000002Z"


def _batches(server: ScriptedServer, tools: Tools, bookmark: str | None = None, **settings: Any) -> list[Incoming]:
    given: dict[str, Any] = {"api_root": f"{server.url}root/", "collection": COLLECTION, **settings}
    assert KIND.source is not None
    return list(KIND.source(TaxiiSettings(**given), tools).batches(bookmark))


def _queries(server: ScriptedServer) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(asked.target).query) for asked in server.asked if "/objects/" in asked.target]


def test_a_page_arrives_with_its_bookmark_one_overlap_before_its_last_date(
    server: ScriptedServer, taxii_tools: Tools
) -> None:
    server.script = taxii_server(lambda _: envelope(GOOD, dates=(FIRST, LAST)))
    (batch,) = _batches(server, taxii_tools, page=7, overlap=2)
    assert [dict(obj) for obj in batch.objects] == [GOOD]
    assert batch.bookmark == "2026-11-19T23:59:58.000002Z"
    assert _queries(server) == [{"limit": ["7"]}]
    assert {asked.headers["accept"] for asked in server.asked} == {TAXII}


def test_it_asks_from_the_bookmark_with_its_filters_on_every_page(server: ScriptedServer, taxii_tools: Tools) -> None:
    replies = [envelope(GOOD, dates=(FIRST, FIRST), more=True, next="n"), envelope(GOOD | {"x": 1}, dates=(LAST, LAST))]
    server.script = taxii_server(lambda _: replies.pop(0))
    batches = _batches(
        server, taxii_tools, "2026-11-19T00:00:00.000000Z", types=("indicator", "url"), versions="all", page=1
    )
    assert sum(len(batch.objects) for batch in batches) == 2
    asked = {
        "added_after": ["2026-11-19T00:00:00.000000Z"],
        "limit": ["1"],
        "match[type]": ["indicator,url"],
        "match[version]": ["all"],
    }
    assert _queries(server) == [asked, asked | {"next": ["n"]}]


def test_without_a_bookmark_it_begins_where_the_settings_say(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = taxii_server(lambda _: Reply(200, b"{}", {"Content-Type": TAXII}))
    assert _batches(server, taxii_tools, since="2026-01-01T00:00:00+02:00") != []
    assert _queries(server)[0]["added_after"] == ["2025-12-31T22:00:00.000000Z"]


@pytest.mark.parametrize("body", [b"{}", b"", b'{"more": false}', b'{"objects": null}'])
def test_an_envelope_without_objects_is_nothing_new(server: ScriptedServer, taxii_tools: Tools, body: bytes) -> None:
    server.script = taxii_server(lambda _: Reply(200, body))
    assert _batches(server, taxii_tools, LAST) == []


def test_what_cannot_be_read_is_counted_and_stops_nothing(server: ScriptedServer, taxii_tools: Tools) -> None:
    page = ('{"objects": [{"id": 1, "id": 2}, 5, ' + TEXT + "]}").encode()
    server.script = taxii_server(lambda _: Reply(200, page, {"X-TAXII-Date-Added-Last": LAST}))
    (batch,) = _batches(server, taxii_tools)
    assert [dict(obj) for obj in batch.objects] == [GOOD]
    assert batch.report.to_json()["dropped"] == 2
    assert batch.bookmark.startswith("2026-11-19T23:59:55")


def test_a_server_without_dates_is_asked_for_its_manifest(server: ScriptedServer, taxii_tools: Tools) -> None:
    def objects(asked: Asked) -> Reply:
        if "/manifest/" in asked.target:
            assert parse_qs(urlsplit(asked.target).query) == {"match[id]": [GOOD["id"]]}
            return Reply(200, json.dumps({"objects": [{"id": GOOD["id"], "date_added": LAST}]}).encode())
        return envelope(GOOD)

    server.script = taxii_server(objects)
    (batch,) = _batches(server, taxii_tools, overlap=0)
    assert batch.bookmark == FIRST


def test_a_collection_is_found_by_its_alias_below_the_default_root_of_the_discovery(
    server: ScriptedServer, taxii_tools: Tools
) -> None:
    server.script = taxii_server(lambda _: envelope(GOOD, dates=(FIRST, LAST)))
    batches = _batches(server, taxii_tools, api_root=None, discovery=f"{server.url}taxii2/", collection="feed")
    assert len(batches) == 1
    targets = [asked.target.partition("?")[0] for asked in server.asked]
    assert targets == ["/taxii2/", "/root/collections/", f"/root/collections/{COLLECTION}/objects/"]


def test_a_collection_that_is_not_shown_is_said(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = taxii_server(lambda _: Reply(404))
    with pytest.raises(ConnectorError, match="check id or alias"):
        _batches(server, taxii_tools, collection="nowhere")


def test_an_api_root_on_another_host_gets_no_credential(server: ScriptedServer, taxii_tools: Tools) -> None:
    (taxii_tools.base / "key").write_text("s3cret")
    with scripted_server() as other:
        server.script = lambda _: Reply(200, json.dumps({"default": f"{other.url}root/"}).encode())
        with pytest.raises(ConnectorError, match="another host"):
            _batches(server, taxii_tools, api_root=None, discovery=f"{server.url}taxii2/", token_file="key")
        assert other.asked == []


@pytest.mark.parametrize(
    ("discovery", "said"),
    [
        ({"title": "x"}, "names no API root"),
        ({"title": "x", "api_roots": ["/a/", "/b/"]}, "several API roots"),
        ([], "names no API root"),
    ],
)
def test_a_discovery_that_leaves_the_choice_open_is_said(
    server: ScriptedServer, taxii_tools: Tools, discovery: object, said: str
) -> None:
    server.script = lambda _: Reply(200, json.dumps(discovery).encode())
    with pytest.raises(ConnectorError, match=said):
        _batches(server, taxii_tools, api_root=None, discovery=f"{server.url}taxii2/")


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"token_file": "secret"}, "authorization", "Bearer s3cret"),
        ({"username": "aa", "password_file": "secret"}, "authorization", "Basic YWE6czNjcmV0"),
        ({"api_key_header": "X-Key", "api_key_file": "secret"}, "x-key", "s3cret"),
    ],
    ids=["bearer", "basic", "api-key"],
)
def test_each_way_to_log_in_is_sent(
    server: ScriptedServer, taxii_tools: Tools, settings: dict[str, str], header: str, value: str
) -> None:
    (taxii_tools.base / "secret").write_text("s3cret\n")
    server.script = taxii_server(lambda _: Reply(200, b"{}"))
    _batches(server, taxii_tools, **settings)
    assert {asked.headers[header] for asked in server.asked} == {value}


@pytest.mark.parametrize("status", [401, 403, 404, 406, 500])
def test_a_refusal_is_an_error_with_what_to_do(server: ScriptedServer, taxii_tools: Tools, status: int) -> None:
    server.script = lambda _: Reply(status)
    with pytest.raises(ConnectorError, match=str(status)):
        _batches(server, taxii_tools)


def test_a_collection_that_may_not_be_read_is_an_error(server: ScriptedServer, taxii_tools: Tools) -> None:
    server.script = taxii_server(lambda _: Reply(200, b"{}"), can_read=False)
    with pytest.raises(ConnectorError, match="does not let this collection be read"):
        _batches(server, taxii_tools)


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"more": ', b"7"])
def test_what_is_no_envelope_is_an_error(server: ScriptedServer, taxii_tools: Tools, body: bytes) -> None:
    server.script = taxii_server(lambda _: Reply(200, body))
    with pytest.raises(ConnectorError):
        _batches(server, taxii_tools)


@pytest.mark.parametrize("text", [None, ""])
def test_a_secret_that_is_missing_or_empty_is_said(
    server: ScriptedServer, taxii_tools: Tools, text: str | None
) -> None:
    if text is not None:
        (taxii_tools.base / "secret").write_text(text)
    with pytest.raises(ConfigError) as refused:
        _batches(server, taxii_tools, token_file="secret")
    assert refused.value.field == "token_file"
