"""A hub that is not there: it takes what is posted by a rule of the test, and serves what the test has put in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.sdk import config
from connectors.sdk.config import Connector
from connectors.sdk.exchange import Delivered, Incoming, Outgoing, Refused
from connectors.sdk.hub_side import HubSide
from connectors.sdk.kind import Kind, Settings
from connectors.sdk.report import Report
from hub.client import keyfile
from hub.client.push import Pushed
from hub.client.transport import Answer, RemoteError, Transport
from hub.domain.canonical import jcs
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.signature_profile import related_version
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from tests.connectors.conftest import IDENTITY, START, Clock

Stix = dict[str, Any]
KEY = keyfile.generate()
RING = KeyRing([SigningKey(1, 1, IDENTITY, KEY.public.kid, KEY.algorithm, KEY.public.text, valid_from=0)])
STRANGER = "identity--11111111-2222-4333-8444-555555555555"


class NoSettings(Settings, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""

    path: str = ""


def kind_of(name: str) -> Kind:
    return Kind(name, "For tests", NoSettings, lambda _s, _t: Script([]), lambda _s, _t: Shelf())


def connector(tmp_path: Path, **changes: Any) -> Connector:
    """Return a connector of a kind that does what a test says."""
    given = {"kind": "toy", "direction": "in", "url": "https://hub.example/alpha/", "key_file": "aa.pem", **changes}
    return config.read("toy", given, tmp_path, kind_of=kind_of)


def indicator(number: int, author: str = IDENTITY, **changes: Any) -> Stix:
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
        **changes,
    }


def incoming(*objects: Stix, bookmark: str = "1", withdrawn: Sequence[str] = ()) -> Incoming:
    report = Report()
    report.kept("thing", "indicator", max(1, len(objects)))
    return Incoming(objects, report, bookmark, withdrawn)


@dataclass
class Script:
    """A source that gives these batches, whatever the bookmark; it notes the bookmark it was asked with."""

    given: Sequence[Incoming]
    asked: list[str | None] = field(default_factory=list)
    after: BaseException | None = None

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        self.asked.append(bookmark)
        yield from self.given
        if self.after is not None:
            raise self.after


@dataclass
class Shelf:
    """A target that keeps what it gets and refuses what it is told to."""

    batches: list[Outgoing] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    raises: Exception | None = None

    def deliver(self, batch: Outgoing) -> Delivered:
        if self.raises is not None:
            raise self.raises
        self.batches.append(batch)
        refused = [Refused(one["id"], "no place for it") for one in batch.objects if one["id"] in self.refuses]
        return Delivered(len(batch.objects) - len(refused), Report(), refused)

    @property
    def ids(self) -> list[str]:
        return [str(one["id"]) for batch in self.batches for one in batch.objects]


Rule = Callable[[Stix], str | None]


class FakeTransport(Transport):
    """A session whose questions a test answers."""

    answering: Callable[[dict[str, str]], Answer]

    def get(self, url: str, *, params: Mapping[str, str] | None = None, **options: Any) -> Answer:
        del url, options
        answer = self.answering(dict(params or {}))
        self.traffic.add(0, len(jcs(answer.body)))
        return answer


class FakeHub(HubSide):
    """The hub's side without a hub.

    ``posts`` holds what was posted, ``rule`` says why something is refused, ``fails`` makes the next posts fail.
    """

    def __init__(self, made: Connector, folder: Path, clock: Clock) -> None:
        self.feed: list[tuple[int, Stix]] = []
        self.asked: list[dict[str, str]] = []
        self.added = 0
        transport = FakeTransport(None)
        transport.answering = self._get
        super().__init__(made, transport, IDENTITY, KEY, folder, clock)
        self.posts: list[list[Stix]] = []
        self.taken: dict[tuple[str, str], bytes] = {}
        self.rule: Rule = lambda _: None
        self.fails: list[Exception] = []

    def post(self, objects: Sequence[Mapping[str, Any]]) -> Pushed:
        posted = [dict(one) for one in objects]
        if self.fails:
            raise self.fails.pop(0)
        self.posts.append(posted)
        self.transport.traffic.add(sum(len(jcs(one)) for one in posted), 0)
        pushed = Pushed(total=len(posted))
        for one in posted:
            name = (one["id"], related_version(one))
            message = self.rule(one)
            if message is None and self.taken.get(name, jcs(one)) != jcs(one):
                message = "version: this version is stored already with other content"
            if message is not None:
                pushed.failures.append({"id": name[0], "version": name[1], "message": message})
                continue
            self.taken[name] = jcs(one)
            if one["type"] != "jss-signature":
                self.added += 1
                self.feed.append((START + self.added, one))
            pushed.successes.append({"id": name[0], "version": name[1]})
        return pushed

    def ring(self) -> KeyRing:
        return RING

    def serve(self, *objects: Stix, signed: bool = True) -> None:
        """Add objects to the collection, signed by AA."""
        for one in objects:
            for each in self.sign(one) if signed else [one]:
                self.added += 1
                self.feed.append((START + self.added, each))

    def remove(self, stix_id: str) -> None:
        """Serve an object no more, nor the signatures over it."""
        self.feed = [row for row in self.feed if stix_id not in (row[1]["id"], row[1].get("related_to"))]

    def _get(self, query: dict[str, str]) -> Answer:
        self.asked.append(query)
        rows = self.feed
        if "added_after" in query:
            rows = [row for row in rows if row[0] > parse_timestamp(query["added_after"])]
        for name in ("type", "id"):
            if f"match[{name}]" in query:
                wanted = query[f"match[{name}]"].split(",")
                rows = [row for row in rows if row[1][name] in wanted]
        limit = int(query.get("limit", 1000))
        shown = rows[:limit]
        ends = {"First": shown[0][0], "Last": shown[-1][0]} if shown else {}
        headers = {f"X-TAXII-Date-Added-{end}": format_timestamp(at) for end, at in ends.items()}
        return Answer(200, headers, {"objects": [dict(row[1]) for row in shown], "more": len(rows) > limit})


def refused_by_hub(status: int) -> RemoteError:
    return RemoteError("it said no", http_status=status)


def new_id(kind: str) -> str:
    return f"{kind}--{uuid.uuid4()}"
