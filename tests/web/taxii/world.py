"""A small world for the TAXII tests: two trust groups, four peers, collections with every mix of rights; and a client.

The client speaks WSGI directly, so that nothing between test and hub tidies a request. Each answer it brings is checked
for what must hold of every TAXII answer, whatever the test is about.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.test import run_wsgi_app

from hub.client import keyfile
from hub.domain.canonical import jcs
from hub.domain.credentials import secret_hash
from hub.domain.membership import Peer, Right, Role
from hub.domain.stix_validation import StixValidator
from hub.domain.taxii_time import parse_timestamp
from hub.services.context import Bounds, Hub
from hub.services.schema_files import read_schemas
from hub.store import collections, credentials, groups, members, peers
from hub.store.database import Database
from hub.web.app import create_app

TAXII = "application/taxii+json;version=2.1"
START = parse_timestamp("2026-11-01T00:00:00Z")
VALIDATOR = StixValidator(read_schemas())
SCO_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
UNKNOWN_UUID = "99999999-9999-4999-8999-999999999999"
TOKEN = "cybex_" + "a" * 16 + "_" + "b" * 40
PROXY = "10.0.0.1"
DER = b"0\x82 the certificate of aa"

BOTH, READ, WRITE, NONE = (True, True), (True, False), (False, True), (False, False)
COLLECTIONS: tuple[tuple[str, str, tuple[bool, bool]], ...] = (
    ("378e5de7-84a4-45e4-8a34-c02a43d0b657", "indicators", BOTH),
    ("1105e147-e4c1-4566-8fb1-1046d181fbf8", "write-only", WRITE),
    ("253900d3-b9dd-46df-8184-469380fae6d2", "read-only", READ),
    ("5d2f9c1e-6a0b-4a43-9a3e-3f1c2b7d8e90", "no-rights", NONE),
    ("e1f0a3b4-0c1d-4e2f-8a5b-6c7d8e9f0a1b", "incidents", BOTH),
)
"""UUID, alias, and what peer ``aa`` may do there; peer ``bb`` may do everything everywhere."""

IDS = {alias: ref for ref, alias, _ in COLLECTIONS}


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)


@dataclass
class Answer:
    """One answer: status, headers, octets."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.json.get("objects", [])]

    @property
    def dates(self) -> tuple[str | None, str | None]:
        return self.headers.get("X-TAXII-Date-Added-First"), self.headers.get("X-TAXII-Date-Added-Last")


@dataclass
class Client:
    """Somebody who calls the hub with the same headers each time."""

    app: Flask
    headers: Mapping[str, str] = field(default_factory=dict)
    remote: str = "203.0.113.9"

    def call(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str | None] | None = None,
        *,
        chunked: bool = False,
    ) -> Answer:
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "hub.test",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "hub.test",
            "REMOTE_ADDR": self.remote,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if chunked:
            environ |= {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        elif body:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in {**self.headers, **(headers or {})}.items():
            if value is not None:
                key = name.upper().replace("-", "_")
                environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        iterable, status, answered = run_wsgi_app(self.app, environ, buffered=True)
        answer = Answer(int(status.split()[0]), answered, b"".join(iterable))
        check_answer(method, answer)
        return answer

    def get(self, target: str, **headers: str | None) -> Answer:
        return self.call("GET", target, headers=_named(headers))

    def post(self, target: str, value: Any, *, chunked: bool = False, **headers: str | None) -> Answer:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.call("POST", target, body, {"Content-Type": TAXII, **_named(headers)}, chunked=chunked)

    def delete(self, target: str, **headers: str | None) -> Answer:
        return self.call("DELETE", target, headers=_named(headers))

    def add(self, ref: str, *objects: Mapping[str, Any], slug: str = "alpha") -> dict[str, Any]:
        """Post objects to a collection and return the status, in which all of them must be successes."""
        answer = self.post(f"/{slug}/collections/{ref}/objects/", {"objects": list(objects)})
        assert answer.status == 202, answer.body
        status: dict[str, Any] = answer.json
        assert status["failure_count"] == 0, status
        return status

    def using(self, **headers: str) -> Client:
        """Return the same somebody with other headers."""
        return replace(self, headers={**self.headers, **_named(headers)})


def _named(headers: Mapping[str, str | None]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def check_answer(method: str, answer: Answer) -> None:
    """Assert what holds of every TAXII answer (TAXII 2.1 §2, §3.1, §3.6)."""
    assert answer.headers["Content-Type"] == TAXII
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert 500 not in (answer.status,)
    assert not 300 <= answer.status < 400
    if method == "HEAD" or not answer.body or "Content-Encoding" in answer.headers:
        return
    value = json.loads(answer.body)
    assert isinstance(value, dict)
    for name, member in value.items():
        assert member != [], f"{name} is an empty list"
    if answer.status >= 400:
        assert isinstance(value["title"], str)
        assert value["http_status"] == str(answer.status)
        assert len(value["error_id"]) == 24


@dataclass
class World:
    """A hub with its app and its peers' clients."""

    hub: Hub
    app: Flask
    clock: Clock
    peers: dict[str, Peer]

    def client(self, handle: str) -> Client:
        secret = base64.b64encode(f"{handle}:{password(handle)}".encode()).decode()
        return Client(self.app, {"Accept": TAXII, "Authorization": f"Basic {secret}"})

    @property
    def aa(self) -> Client:
        return self.client("aa")

    @property
    def bb(self) -> Client:
        return self.client("bb")

    @property
    def stranger(self) -> Client:
        return Client(self.app, {"Accept": TAXII})

    def with_bounds(self, **bounds: int) -> World:
        """Return the same world behind an app with other bounds."""
        hub = replace(self.hub, bounds=replace(self.hub.bounds, **bounds))
        return replace(self, hub=hub, app=create_app(hub))


def password(handle: str) -> str:
    return f"secret of {handle}"


def build(database: Database, *, bounds: Bounds | None = None, public_url: str | None = None) -> World:
    """Return a new world in an empty, migrated database."""
    clock = Clock()
    counter = iter(range(1, 1_000_000))
    hub = Hub(
        db=database,
        clock=clock,
        token_bytes=lambda count: hashlib.sha512(str(next(counter)).encode()).digest()[:count],
        validator=VALIDATOR,
        cursor_key=b"k" * 32,
        signing_key=keyfile.generate(),
        log_key=keyfile.generate(),
        bounds=bounds or Bounds(),
        public_url=public_url,
        trusted_proxies=(PROXY,),
    )
    people = {}
    with database.write() as tx:
        for number, handle in enumerate(("aa", "bb", "cc", "mm", "hub")):
            people[handle] = peers.add(
                tx,
                handle=handle,
                name=handle.upper(),
                kind="national",
                identity=identity_of(number),
                country=None,
                itu_region=None,
                now=START,
            )
            _credential(tx, people[handle].id, "basic", secret=password(handle), username=handle)
        _credential(tx, people["aa"].id, "bearer", secret="b" * 40, lookup="a" * 16)
        _credential(tx, people["aa"].id, "certificate", fingerprint=hashlib.sha256(DER).hexdigest())
        alpha, bravo, empty = (_group(tx, slug) for slug in ("alpha", "bravo", "empty"))
        everything = (Right.READ, Right.WRITE)
        for group, handle, rights in (
            (alpha, "aa", everything),
            (alpha, "bb", everything),
            (alpha, "mm", (*everything, Right.MODERATE)),
            (bravo, "bb", everything),
            (bravo, "cc", everything),
            (empty, "aa", everything),
        ):
            members.put(tx, group_id=group, peer_id=people[handle].id, rights=rights, now=START)
        for ref, alias, (can_read, can_write) in COLLECTIONS:
            made = collections.add(
                tx,
                group_id=alpha,
                uuid=ref,
                title=alias.title(),
                description=None,
                alias=alias,
                allowed_types=None,
                now=START,
            )
            if (can_read, can_write) != BOTH:
                collections.set_override(tx, made.id, people["aa"].id, can_read, can_write)
        collections.add(
            tx,
            group_id=bravo,
            uuid="0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b",
            title="Bravo",
            description="The other group",
            alias="indicators",
            allowed_types=None,
            now=START,
        )
    return World(hub, create_app(hub), clock, people)


def _group(tx: Any, slug: str) -> int:
    return groups.add(
        tx,
        slug=slug,
        title=f"Group {slug}",
        description=None,
        default_tlp="green",
        tlp_ceiling="amber+strict",
        signature_required=False,
        now=START,
    ).id


def _credential(tx: Any, peer_id: int, kind: str, *, secret: str = "", **named: str) -> None:
    salt = b"s" * 16
    values = {"username": None, "lookup": None, "fingerprint": None, **named}
    credentials.add(
        tx,
        peer_id=peer_id,
        kind=kind,
        role=Role.FEED,
        label=kind,
        salt=salt,
        secret_hash=secret_hash(salt, secret),
        now=START,
        expires_at=None,
        **values,
    )


def identity_of(number: int) -> str:
    return f"identity--00000000-0000-4000-8000-{number:012d}"


def indicator(number: int, modified: str = "2026-10-01T00:00:00.000Z", **extra: Any) -> dict[str, Any]:
    """Return a valid indicator; ``number`` makes its id."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-10-01T00:00:00.000Z",
        "modified": modified,
        "name": f"indicator {number} of {modified}",
        "pattern": "[ipv4-addr:value = '198.51.100.1']",
        "pattern_type": "stix",
        "valid_from": "2026-10-01T00:00:00Z",
        **extra,
    }


def malware(number: int, modified: str = "2026-10-01T00:00:00.000Z") -> dict[str, Any]:
    """Return a valid malware object."""
    return {
        "type": "malware",
        "spec_version": "2.1",
        "id": f"malware--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-10-01T00:00:00.000Z",
        "modified": modified,
        "name": f"malware {number}",
        "is_family": False,
    }


def address(value: str) -> dict[str, Any]:
    """Return an ipv4-addr, which has no version, with its deterministic id."""
    name = jcs({"value": value}).decode()
    return {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": f"ipv4-addr--{uuid.uuid5(SCO_NAMESPACE, name)}",
        "value": value,
    }


def indicators(count: int, start: int = 1) -> Sequence[dict[str, Any]]:
    """Return so many different indicators."""
    return [indicator(number) for number in range(start, start + count)]


OBJECTS = "/alpha/collections/indicators/objects/"
MANIFEST = "/alpha/collections/indicators/manifest/"
STAMPS = [f"2026-10-0{day}T00:00:00.000Z" for day in range(1, 6)]
"""Versions for objects that have several."""
