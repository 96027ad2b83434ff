"""A third party's connector on the path of the processes, and a group with a peer that brings and one that takes."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hub.bootstrap import open_hub_at
from hub.client import keyfile
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import credentials, groups, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR

MODULE = """
import json, time
from connectors.sdk.exchange import Delivered, Incoming
from connectors.sdk.kind import ConnectorError, Kind, Settings
from connectors.sdk.report import Report

class ToySettings(Settings, frozen=True, forbid_unknown_fields=True):
    path: str
    mood: str = "well"

class Source:
    def __init__(self, settings, tools):
        self.settings, self.tools = settings, tools
    def batches(self, bookmark):
        if self.settings.mood == "hangs":
            time.sleep(3600)
        if self.settings.mood == "fails":
            raise ConnectorError("the toy is broken; mend it")
        objects = json.loads(self.tools.path(self.settings.path).read_text())
        for start in range(int(bookmark or 0), len(objects), 2):
            report = Report()
            report.kept("thing", "indicator")
            yield Incoming(objects[start : start + 2], report, str(start + 2))

class Target:
    def __init__(self, settings, tools):
        self.settings, self.tools = settings, tools
    def deliver(self, batch):
        report = Report()
        with self.tools.path(self.settings.path).open("a") as file:
            for one in batch.objects:
                file.write(json.dumps({"id": one["id"], "type": one["type"]}) + "\\n")
                report.kept(one["type"], "line")
            for one in batch.withdrawn:
                file.write(json.dumps({"gone": one}) + "\\n")
        return Delivered(len(batch.objects), report)

KIND = Kind("toy", "For tests", ToySettings, Source, Target)
"""


def install(folder: Path) -> Path:
    """Leave a package with the kind ``toy``, and one that cannot be loaded, in a folder for PYTHONPATH."""
    for name, module, text in (("toy", "toy_connector", MODULE), ("ruin", "ruin_connector", "raise SystemError")):
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: cybex-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[cybex.connectors]\n{name} = {module}:KIND\n")
        (folder / f"{module}.py").write_text(text)
    return folder


def make_group(data: Path, folder: Path) -> dict[str, str]:
    """Make alpha with AA, who brings, and BB, who takes; return their identities. Tokens and AA's key are files."""
    hub = open_hub_at(data)
    pair = keyfile.generate()
    keyfile.write(folder / "aa.pem", pair)
    made: dict[str, str] = {}
    groups.add(hub, LOCAL_OPERATOR, slug="alpha", title="Alpha", signature_required=True)
    for handle in ("aa", "bb"):
        made[handle] = peers.add(hub, LOCAL_OPERATOR, handle=handle, name=handle, kind=PeerKind.NATIONAL).identity
        members.put(hub, LOCAL_OPERATOR, "alpha", handle, {Right.READ, Right.WRITE})
        issued = credentials.add(hub, LOCAL_OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.FEED, label="test")
        (folder / f"{handle}.token").write_text(str(issued.secret))
    keys.enrol(hub, LOCAL_OPERATOR, "aa", public_key=pair.public.text)
    hub.db.close()
    return made


def indicator(number: int, author: str) -> dict[str, Any]:
    """Return one of the objects that the toy has."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created_by_ref": author,
        "created": "2026-03-01T10:00:00.000Z",
        "modified": "2026-03-01T10:00:00.000Z",
        "name": f"beacon {number}",
        "pattern": f"[domain-name:value = 'host{number}.example.com']",
        "pattern_type": "stix",
        "valid_from": "2026-03-01T10:00:00Z",
    }


def table(name: str, base_url: str, handle: str, folder: Path, **settings: object) -> str:
    """Return a connector's table as TOML: ``in`` for AA, ``out`` for BB."""
    rows = {
        "kind": "toy",
        "direction": "in" if handle == "aa" else "out",
        "url": f"{base_url}alpha/",
        "token_file": str(folder / f"{handle}.token"),
        "every": settings.pop("every", "10s"),
        "max_seconds": settings.pop("max_seconds", 60),
    }
    if handle == "aa":
        rows["key_file"] = str(folder / "aa.pem")
    lines = [f"[connector.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in rows.items())]
    lines += [f"[connector.{name}.settings]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    return "\n".join(lines) + "\n"


@contextmanager
def proxy(base_url: str, after_post: Callable[[], None]) -> Iterator[str]:
    """Give the address of a proxy to a hub that calls back when the hub has taken a POST, before the answer goes on."""

    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            asked = urllib.request.Request(base_url.rstrip("/") + self.path, body, headers, method=self.command)
            with urllib.request.urlopen(asked, timeout=30) as answer:
                octets = answer.read()
                if self.command == "POST" and self.path.endswith("/objects/"):
                    after_post()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

        do_GET = do_POST = do_PUT = _pass  # noqa: N815 - the names are the library's

        def log_message(self, *arguments: object) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
