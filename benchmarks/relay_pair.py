"""Two hubs with a link between them for a benchmark: processes, one author at the first, one reader at each."""

from __future__ import annotations

import http.client
import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from benchmarks import dataset
from benchmarks.process import free_port, listening
from benchmarks.target import Target
from hub import config
from hub.bootstrap import open_hub
from hub.client import keyfile
from hub.domain.agreement import GroupMapping
from hub.domain.key_material import PrivateKey
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import (
    agreements,
    credentials,
    event_log,
    groups,
    hub_cards,
    keys,
    link_tokens,
    links,
    members,
    peers,
)
from hub.services.actor import HUB_HANDLE
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.store.database import Database

SLUG: Final = "alpha"
YEAR_US: Final = 365 * 24 * 3600 * 1_000_000
_KEY_VALID_FROM: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
Way = Literal["push", "pull"]


@dataclass
class RelayHub:
    """One hub of the pair. ``authorization`` is that of a member who reads and writes there."""

    name: str
    data: Path
    hub: Hub
    port: int
    authorization: str = ""
    pid: int = 0

    @property
    def url(self) -> str:
        """Its base."""
        return f"http://127.0.0.1:{self.port}/"

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes."""
        return Target(self.name, "127.0.0.1", self.port, "", "", {}, self.pid).cpu_seconds()

    def wait_for(self, stix_id: str, *, seconds: float) -> None:
        """Return once a member reads an object there. Raises RuntimeError."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Accept": "application/taxii+json;version=2.1", "Authorization": self.authorization}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line.request("GET", f"/{SLUG}/collections/indicators/objects/{stix_id}/", headers=headers)
            answer = line.getresponse()
            if answer.status == 200 and stix_id.encode() in answer.read():
                return
            answer.read()
            time.sleep(0.1)
        raise RuntimeError(f"the last object has not arrived in {seconds:.0f} s")


@dataclass
class Pair:
    """Both hubs, and who writes at the first one."""

    first: RelayHub
    second: RelayHub
    author: str
    key: PrivateKey
    seeds: Iterator[int] = field(default_factory=itertools.count)

    @property
    def hubs(self) -> tuple[RelayHub, RelayHub]:
        """The one that gives, and the one that takes."""
        return self.first, self.second

    def signed(self, count: int) -> list[dataset.Indicator]:
        """Return so many new indicators, signed by their author."""
        made = dataset.indicators(count, seed=next(self.seeds), author=self.author)
        return [dataset.signed(one, self.key) for one in made]

    def octets(self, way: Way) -> int:
        """Return what has gone over the link so far, both ways, as bodies count on the wire."""
        hub, other = (self.first, self.second) if way == "push" else (self.second, self.first)
        link = links.shown(hub.hub, OPERATOR, f"hub-{other.name}").link
        return link.sent_octets + link.received_octets

    @contextmanager
    def paused(self, way: Way) -> Iterator[None]:
        """Pause the link while something is prepared; `resume` lets it go on."""
        self._set(way, paused=True)
        time.sleep(4.0)  # until the process has noticed and what was under way has ended
        yield

    def resume(self, way: Way) -> None:
        """Let the link go on."""
        self._set(way, paused=False)

    def _set(self, way: Way, *, paused: bool) -> None:
        hub, other = (self.first, self.second) if way == "push" else (self.second, self.first)
        links.update(hub.hub, OPERATOR, f"hub-{other.name}", paused=paused)


@contextmanager
def make_pair(folder: Path, way: Way) -> Iterator[Pair]:
    """Give two hubs that run and are linked: the first one pushes, or the second one pulls."""
    event_log.configure("json", "warning")
    with ExitStack() as stack:
        first, second = (_make(name, folder / name) for name in ("one", "two"))
        key = keyfile.generate()
        author = peers.add(first.hub, OPERATOR, handle="aa", name="CIRT AA", kind=PeerKind.NATIONAL)
        keys.enrol(first.hub, OPERATOR, "aa", public_key=key.public.text, valid_from=_KEY_VALID_FROM)
        peers.add(second.hub, OPERATOR, handle="bb", name="CIRT BB", kind=PeerKind.NATIONAL)
        for hub, handle in ((first, "aa"), (second, "bb")):
            members.put(hub.hub, OPERATOR, SLUG, handle, {Right.READ, Right.WRITE})
            hub.authorization = f"Bearer {_token(hub.hub, handle)}"
        _connect(first, second, way)
        for hub in (first, second):
            command = [str(Path(sys.executable).parent / "cybex"), "serve"]
            command += ["--data", str(hub.data), "--port", str(hub.port)]
            variables = {"CYBEX_WORKERS": "1", "CYBEX_THREADS": "8", "CYBEX_LOG_LEVEL": "warning"}
            log = hub.data / "serve.log"
            hub.pid = stack.enter_context(listening(command, port=hub.port, log=log, cwd=hub.data, variables=variables))
        yield Pair(first, second, author.identity, key)


def _make(name: str, data: Path) -> RelayHub:
    data.mkdir(parents=True)
    port = free_port()
    settings = config.load(data, {"CYBEX_PUBLIC_URL": f"http://127.0.0.1:{port}/"})
    config.ensure_secrets(settings)
    database = Database.open(settings.database_url)
    database.migrate()
    database.close()
    hub = open_hub(settings)
    peers.add(hub, OPERATOR, handle=HUB_HANDLE, name=f"Hub {name}", kind=PeerKind.HUB)
    keys.enrol(hub, OPERATOR, HUB_HANDLE, public_key=hub.signing_key.public.text)
    groups.add(hub, OPERATOR, slug=SLUG, title="Alpha")
    return RelayHub(name, data, hub, port)


def _connect(first: RelayHub, second: RelayHub, way: Way) -> None:
    sides = ((first, second), (second, first))
    for here, there in sides:
        handle, fingerprint = f"hub-{there.name}", there.hub.signing_key.public.kid
        card = hub_cards.own(there.hub, OPERATOR)
        hub_cards.adopt(here.hub, OPERATOR, card, handle=handle, fingerprint=fingerprint)
        members.put(here.hub, OPERATOR, SLUG, handle, {Right.READ, Right.WRITE})
    offered = agreements.offer(
        first.hub,
        OPERATOR,
        "hub-two",
        groups=[GroupMapping((SLUG, SLUG), "both", "green")],
        hop_budget=4,
        expires=first.hub.clock() + YEAR_US,
    )
    agreed = agreements.accept(second.hub, OPERATOR, offered.document)
    agreements.accept(first.hub, OPERATOR, agreed.document)
    here, there = sides[0] if way == "push" else sides[1]
    links.add(
        here.hub,
        OPERATOR,
        f"hub-{there.name}",
        url=there.url,
        push=way == "push",
        pull=way == "pull",
        allow_private=True,
    )
    link_tokens.keep(here.data / "secrets", f"hub-{there.name}", _token(there.hub, f"hub-{here.name}"))


def _token(hub: Hub, handle: str) -> str:
    issued = credentials.add(hub, OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.FEED, label="benchmark")
    return str(issued.secret)
