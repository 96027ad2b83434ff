"""Two CIRTs and their systems: AA's connectors bring in what MISP, IODEF, CSAF, lists, n6 and IntelMQ have; BB reads it
over TAXII with an unmodified client, checks who signed what, and its connectors hand it to systems of the same kinds.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from taxii2client.v21 import ApiRoot, as_pages

from hub.cli import cybex
from hub.client.api import signed_directory
from hub.client.login import Login
from hub.client.transport import Transport
from hub.domain import tlp
from hub.domain.bundle_verification import Checked, Status, verify_objects
from hub.domain.keys import KeyRing
from tests.acceptance.alert_receivers import SECRET, syslog_receiver, webhook_receiver
from tests.acceptance.connector_world import make_group
from tests.acceptance.processes import BIN, RunningHub, running_hub
from tests.acceptance.test_taxii2_client import Bearer
from tests.connectors.iodef.iodef_schema import json_schema, xml_schema
from tests.connectors.misp.conftest import CANDIRU, GHOST, real_events
from tests.connectors.syslog.rfc5424 import frames, parse

DATA = Path(__file__).parents[1] / "connectors"
IODEF = DATA / "iodef" / "golden"
INCIDENTS, INDICATORS = "incidents", "indicators"
COLUMNS = {name: name for name in ("value", "type", "description", "confidence", "first_seen", "last_seen", "tlp")}
IN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "misp-ghost": ("misp", INCIDENTS, {"file": str(DATA / "misp" / "events" / GHOST)}),
    "misp-candiru": ("misp", INCIDENTS, {"file": str(DATA / "misp" / "events" / CANDIRU), "this_community": "group"}),
    "iodef-in": ("iodef", INCIDENTS, {"folder": "inbox"}),
    "csaf-in": ("csaf", INCIDENTS, {"path": "advisories"}),
    "n6-in": ("n6", INDICATORS, {"file": str(DATA / "n6" / "data" / "events.json")}),
    "intelmq-in": ("intelmq", INDICATORS, {"file": str(DATA / "intelmq" / "data" / "events.jsonl")}),
    "csv-in": ("csv", INDICATORS, {
        "feed": "list", "source": str(DATA / "csv" / "data" / "feed.csv"), "columns": COLUMNS,
        "types": {"ip": "ipv4-addr", "domain": "domain-name"},
    }),
}  # fmt: skip
OUT: dict[str, tuple[str, str, dict[str, Any]]] = {
    "misp-feed": ("misp", INCIDENTS, {"feed": "out/misp", "feed_tlp": "amber"}),
    "iodef-xml": ("iodef", INCIDENTS, {"folder": "out/xml", "form": "xml", "name": "bb.example"}),
    "iodef-json": ("iodef", INCIDENTS, {"folder": "out/json", "form": "json", "name": "bb.example"}),
    "csv-out": ("csv", INDICATORS, {"feed": "list", "path": "out/list.csv"}),
    "n6-out": ("n6", INDICATORS, {"file": "out/n6.sjson"}),
    "intelmq-out": ("intelmq", INDICATORS, {"file": "out/intelmq.jsonl"}),
}
RED_FOR_NOBODY = {"n6-in", "intelmq-in", "csv-in"}
"""Events and rows that are RED, or whose level nobody knows, name no recipients."""
ASKED_FOR = {"types": ["indicator"], "domains": ["evil.example"]}
INLINE, BESIDE = "inline", "detached"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with what AA's systems have."""
    inbox, advisories = tmp_path / "inbox", tmp_path / "advisories"
    inbox.mkdir()
    advisories.mkdir()
    for name in ("rfc7970-minimal.xml", "rfc7970-campaign.xml", "rfc8727-minimal.json"):
        shutil.copy(IODEF / name, inbox)
    # The RFCs give one incident in both forms, with different words: as two incidents, both can go in.
    text = (IODEF / "rfc8727-campaign.json").read_text()
    assert text.count('"897923"') == 1
    (inbox / "rfc8727-campaign.json").write_text(text.replace('"897923"', '"897924"'))
    for name in ("rhsa-2022_0011.json", "rhsa-2019_1862.json"):
        shutil.copy(DATA / "csaf" / "golden" / name, advisories)
    shutil.copy(DATA / "csaf" / "cve" / "CVE-2024-3044.json", advisories)
    (tmp_path / "webhook.secret").write_text(SECRET)
    (tmp_path / "out").mkdir()
    return tmp_path


def test_what_cirts_have_comes_in_is_vouched_for_and_goes_out_again(world: Path) -> None:
    with running_hub(world) as hub, webhook_receiver() as hook, syslog_receiver() as log:
        who = make_group(hub.data_dir, world)
        alerts = {
            "hook": ("webhook", INDICATORS, {
                "url": f"http://127.0.0.1:{hook.port}/hook", "secret_files": ["webhook.secret"], **ASKED_FOR,
            }),
            "siem": ("syslog", INDICATORS, {
                "host": "127.0.0.1", "port": log.port, "protocol": "tcp", **ASKED_FOR,
            }),
        }  # fmt: skip
        config = configure(world, hub, who, {**OUT, **alerts})
        records = {name: run(config, name) for name in IN}
        assert_reported_in(records)
        objects = read(hub, world)
        assert_vouched_for(objects, hub, world, who["aa"])
        assert_private_is_for_bb(objects, who)
        records |= {name: run(config, name) for name in (*OUT, *alerts)}
        assert_written(world, objects)
        assert hook.faults == []
        told = {one["data"]["id"] for one in hook.alerts}
        assert told
        messages = [dict(parse(one).data[0][1]) for one in frames(log.octets)]
        assert {one["id"] for one in messages} == told
        assert all(one["type"] == "object.matched" for one in hook.alerts)
        assert_shown(config, hub, records)


def configure(world: Path, hub: RunningHub, who: dict[str, str], out: dict[str, Any]) -> Path:
    """Write the connectors of both CIRTs into one file, as relative paths want; return it."""
    lines = []
    for handle, rows in (("aa", IN), ("bb", out)):
        for name, (kind, collection, settings) in rows.items():
            head = {
                "kind": kind, "direction": "in" if handle == "aa" else "out", "url": f"{hub.base_url}alpha/",
                "collection": collection, "token_file": f"{handle}.token",
            } | ({"key_file": "aa.pem"} if handle == "aa" else {})  # fmt: skip
            if name == "iodef-in":
                settings = {**settings, "recipients": [who["bb"]]}
            tables = [("", head), (".network", {"allow_private": True, "allow_http": True}), (".settings", settings)]
            for suffix, values in tables:
                lines += [f"[connector.{name}{suffix}]", *(f"{key} = {toml(one)}" for key, one in values.items())]
    (world / "connectors.toml").write_text("\n".join(lines) + "\n")
    return world / "connectors.toml"


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def run(config: Path, name: str) -> dict[str, Any]:
    """Run a connector with `cybex connector run`; the list with a process of its own, the others in this one."""
    arguments = ["connector", "run", name, "--config", str(config), "--json"]
    if name == "csv-in":
        output = subprocess.run(
            [BIN / "cybex", *arguments], capture_output=True, timeout=60, check=True
        ).stdout.decode()
    else:
        done = CliRunner().invoke(cybex, arguments)
        assert done.exit_code == 0, (name, done.output, done.exception)
        output = done.stdout
    record: dict[str, Any] = json.loads(output)
    assert (record["outcome"], record["complete"]) == ("ok", True), record
    return record


def assert_reported_in(records: dict[str, dict[str, Any]]) -> None:
    """Everything was taken but what is RED for nobody, and each run says what became of every field."""
    for name, record in records.items():
        assert {one["rule"] for one in record["refusals"]} == ({"tlp"} if name in RED_FOR_NOBODY else set()), name
        assert record["objects"] > 0, name
        assert record["report"]["kept"] > 0, name
    assert records["misp-ghost"]["vouched"] > 0
    assert records["iodef-in"]["unchanged"] > 0  # both RFCs have the same minimal example


def read(hub: RunningHub, world: Path) -> list[dict[str, Any]]:
    """Return all that BB may read, by taxii2-client."""
    root = ApiRoot(f"{hub.base_url}alpha/", auth=Bearer((world / "bb.token").read_text()))
    found = []
    for collection in root.collections:
        for page in as_pages(collection.get_objects, per_request=200):
            found += page.get("objects", [])
    return found


def assert_vouched_for(objects: list[dict[str, Any]], hub: RunningHub, world: Path, author: str) -> None:
    """Every object is signed by AA: inline where AA made it, beside it where it says that somebody else did."""
    transport = Transport(Login(token=(world / "bb.token").read_text()))
    ring = KeyRing([item.key for item in signed_directory(transport, f"{hub.base_url}alpha/").listed])
    checked: dict[str, Checked] = {one.id: one for one in verify_objects(objects, ring, now=time.time_ns() // 1000)}
    plain = [obj for obj in objects if obj["type"] not in ("jss-signature", "extension-definition")]
    counts = {INLINE: 0, BESIDE: 0}
    for obj in plain:
        if obj["id"] in tlp.IDS.values():
            continue
        found = checked[obj["id"]]
        assert found.status is Status.VERIFIED, (obj["type"], found.reason)
        assert {signer.identity for signer in found.signers} == {author}
        own = obj.get("created_by_ref") == author
        assert {signer.author for signer in found.signers} == {own}, obj["type"]
        carrier = (
            INLINE if own and obj["type"] != "marking-definition" else BESIDE
        )  # no marking has room for a signature
        assert {signer.carrier for signer in found.signers} == {carrier}, obj["type"]
        counts[carrier] += 1
    assert min(counts.values()) > 20, counts


def assert_private_is_for_bb(objects: list[dict[str, Any]], who: dict[str, str]) -> None:
    red = [obj for obj in objects if tlp.IDS["red"] in obj.get("object_marking_refs", ())]
    assert "492382@csirt.example.com" in {obj.get("name") for obj in red}
    (marking,) = {ref for obj in red for ref in obj["object_marking_refs"]} - {tlp.IDS["red"]}
    (definition,) = [obj for obj in objects if obj["id"] == marking]
    assert who["bb"] in json.dumps(definition)


def assert_written(world: Path, objects: list[dict[str, Any]]) -> None:
    """The systems of BB have what was read: in their own formats, valid."""
    out = world / "out"
    manifest = json.loads((out / "misp" / "manifest.json").read_text())
    assert manifest
    events = [json.loads((out / "misp" / f"{name}.json").read_text())["Event"] for name in manifest]
    values = {one["value"] for event in events for one in (*event.get("Attribute", ()), *_inside(event))}
    ghost, candiru = ({one["value"] for one in given(name) if one["type"] == "domain"} for name in (GHOST, CANDIRU))
    assert len(ghost) > 5
    assert ghost <= values
    assert candiru
    assert not candiru & values  # it was for one community, and a feed is for whoever reads it
    incidents = {obj["id"] for obj in objects if obj["type"] == "incident"}
    xml, forms = sorted((out / "xml").glob("*.xml")), sorted((out / "json").glob("*.json"))
    assert len(xml) == len(forms) == len(incidents) == 3
    for path in xml:
        xml_schema().validate(str(path))
    assert [path.name for path in forms if not json_schema().is_valid(json.loads(path.read_text()))] == []
    assert any("492382" in path.read_text() for path in xml)
    with (out / "list.csv").open(newline="") as file:
        listed = {row["value"] for row in csv.DictReader(file)}
    assert {"192.0.2.1", "CVE-2026-1234"} <= listed
    n6 = [json.loads(line) for line in (out / "n6.sjson").read_text().splitlines()]
    assert "eb450876ab458d05238ffe523e56d9b5" in {event["id"] for event in n6}
    intelmq = [json.loads(line) for line in (out / "intelmq.jsonl").read_text().splitlines()]
    assert "82.212.115.188" in {event.get("source.ip") for event in intelmq}


def given(name: str) -> list[dict[str, Any]]:
    """Return the attributes of one of MISP's events."""
    return [one for event in real_events(name) for one in (*event.get("Attribute", ()), *_inside(event))]


def _inside(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for inner in event.get("Object", ()) for one in inner.get("Attribute", ())]


def assert_shown(config: Path, hub: RunningHub, records: dict[str, dict[str, Any]]) -> None:
    """The reports of the runs are in the command, the API and the status."""
    for name, record in records.items():
        shown = CliRunner().invoke(cybex, ["connector", "report", name, "--config", str(config), "--json"])
        assert shown.exit_code == 0, shown.output
        assert json.loads(shown.stdout)["report"] == record["report"]
    listed = CliRunner().invoke(cybex, ["connector", "status", "--config", str(config), "--json"])
    assert {row["name"]: row["state"] for row in json.loads(listed.stdout)} == dict.fromkeys(records, "ok")
    operator = (hub.operator.username, hub.operator.password)
    rows = requests.get(f"{hub.base_url}api/v1/connectors", auth=operator, timeout=30).json()["items"]
    assert {row["name"]: (row["peer"], row["state"]) for row in rows} == {
        name: ("aa" if name in IN else "bb", "ok") for name in records
    }
