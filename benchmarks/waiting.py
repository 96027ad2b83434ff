"""`python -m benchmarks.waiting`: what readers that wait cost the server, and how soon they hear of a new object.

One process of `cybex serve` with four threads; the readers are of as many peers as their bound wants. An idle socket is
a connection kept after one answer; a poll is a request for what is new where there is nothing.
"""

from __future__ import annotations

import argparse
import resource
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks import dataset, machine, section
from benchmarks.client import Connection, WrongAnswer
from benchmarks.hub_server import running_hub
from benchmarks.hub_world import SLUG, World, make_world
from benchmarks.target import TAXII, Target, process_tree
from hub.domain import limits
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import credentials, members, peers
from hub.services.actor import LOCAL_OPERATOR

COLLECTION: Final = "waited"
THREADS: Final = 4
IDLE_SECONDS: Final = 10.0
POLLS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What the server needs: KiB for each connection, threads in all, processor time of one second in per cent."""

    name: str
    connections: int
    kib_each: float
    threads: int
    cpu_percent: float
    polls_per_second: float


def main() -> int:
    """Measure, print, and put the table into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, nargs="+", default=[100, 1_000])
    parser.add_argument("--rounds", type=int, default=30, help="new objects, one after the other")
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md alone")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    costs: list[Cost] = []
    heard: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "hub", [COLLECTION])
        tokens = _tokens(world, max(given.readers))
        made = dataset.indicators(2 + given.rounds * len(given.readers), seed=7, author=world.identity)
        objects = iter([dataset.signed(one, world.private_key) for one in made])
        world.load(COLLECTION, [next(objects)])
        for readers in given.readers:
            with running_hub(world, workers=1, threads=THREADS) as target:
                after = _last(target)
                _polls(target, after)  # warm
                alone = Cost("nobody", 0, 0.0, _threads(target), _cpu_percent(target), _polls(target, after))
                costs += [alone] if not costs else []
                costs.append(_cost(target, "idle", readers, _idle(target, tokens, readers), after))
            with running_hub(world, workers=1, threads=THREADS) as target:
                _polls(target, after)
                waiting = _Waiting(target, tokens, readers)
                costs.append(_cost(target, "waiting", readers, partial(waiting.ask, after), after))
                heard.append(_heard(target, waiting, readers, given.rounds, objects))
                waiting.close()
    text = _report(costs, heard)
    print(text)
    if not given.no_write:
        section.put("waiting", text)
    return 0


def _tokens(world: World, readers: int) -> list[str]:
    """Return a bearer token of each of as many peers as may have so many readers."""
    found = []
    for number in range(-(-readers // limits.WAITS_PER_PEER)):
        handle = f"reader-{number}"
        peers.add(world.hub, LOCAL_OPERATOR, handle=handle, name=handle, kind=PeerKind.NATIONAL)
        members.put(world.hub, LOCAL_OPERATOR, SLUG, handle, {Right.READ})
        kind = CredentialKind.BEARER
        issued = credentials.add(world.hub, LOCAL_OPERATOR, handle, kind=kind, role=Role.FEED, label="benchmark")
        found.append(f"Bearer {issued.secret}")
    return found


class _Waiting:
    """Connections that ask for what is new and wait, looked after by one selector."""

    def __init__(self, target: Target, tokens: Sequence[str], readers: int) -> None:
        self._target = target
        self._tokens = [tokens[place // limits.WAITS_PER_PEER] for place in range(readers)]
        self._sockets = [socket.create_connection((target.host, target.port)) for _ in range(readers)]
        self._selector = selectors.DefaultSelector()
        for one in self._sockets:
            self._selector.register(one, selectors.EVENT_READ)

    def ask(self, after: str) -> None:
        """Let every reader wait for what comes after a date."""
        for one, token in zip(self._sockets, self._tokens, strict=True):
            one.sendall(_request(self._target, token, after, f"Prefer: wait={limits.WAIT_SECONDS}\r\n"))

    def answers(self) -> Iterator[tuple[float, bytes]]:
        """Yield when each reader was answered, and what; each is answered once."""
        left, held = set(self._sockets), dict.fromkeys(self._sockets, b"")
        while left:
            ready = self._selector.select(30)
            if not ready:
                raise WrongAnswer(f"{len(left)} readers were not answered")
            now = time.monotonic()
            for key, _ in ready:
                one = key.fileobj
                if not isinstance(one, socket.socket):
                    continue
                held[one] += one.recv(65_536)
                if _whole(held[one]):
                    left.discard(one)
                    yield now, held[one]

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for one in self._sockets:
            one.close()


def _idle(target: Target, tokens: Sequence[str], readers: int) -> Callable[[], None]:
    kept: list[socket.socket] = []

    def connect() -> None:
        for place in range(readers):
            one = socket.create_connection((target.host, target.port))
            one.sendall(_request(target, tokens[place // limits.WAITS_PER_PEER], _FAR, ""))
            answer = b""
            while not _whole(answer):
                answer += one.recv(65_536)
            kept.append(one)

    return connect


_FAR: Final = "2999-01-01T00:00:00.000000Z"


def _request(target: Target, token: str, after: str, more: str) -> bytes:
    path = f"{target.collections[COLLECTION]}?added_after={quote(after, safe='')}"
    head = f"GET {path} HTTP/1.1\r\nHost: {target.host}\r\nAccept: {TAXII}\r\nAuthorization: {token}\r\n{more}\r\n"
    return head.encode("ascii")


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), None)
    return bool(end) and length is not None and len(body) >= int(length.split(b":")[1])


def _last(target: Target) -> str:
    _, _, headers = Connection(target).request("GET", target.collections[COLLECTION])
    return str(headers["X-TAXII-Date-Added-Last"])


def _polls(target: Target, after: str) -> float:
    """Return how many polls with nothing new one client gets answered in a second."""
    connection, path = Connection(target), f"{target.collections[COLLECTION]}?added_after={quote(after, safe='')}"
    begun = time.monotonic()
    for _ in range(POLLS):
        connection.get(path)
    return POLLS / (time.monotonic() - begun)


def _cost(target: Target, name: str, readers: int, connect: Callable[[], None], after: str) -> Cost:
    before = target.resident_bytes()
    connect()
    time.sleep(2.0)  # until the last of them is in its place
    percent = _cpu_percent(target)
    each = (target.resident_bytes() - before) / readers / 1024
    return Cost(name, readers, each, _threads(target), percent, _polls(target, after))


def _cpu_percent(target: Target) -> float:
    before = target.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (target.cpu_seconds() - before) / IDLE_SECONDS * 100


def _threads(target: Target) -> int:
    """Return the most threads of any process of the server: that is the one that answers."""
    return max(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in process_tree(target.pid))


def _heard(target: Target, waiting: _Waiting, readers: int, rounds: int, objects: Iterator[dataset.Indicator]) -> str:
    """Post one object after the other; return from when it was accepted until each reader had it."""
    first: list[float] = []
    every: list[float] = []
    poster = Connection(target)
    for _ in range(rounds):
        status, body, _ = poster.request("POST", target.collections[COLLECTION], dataset.envelope([next(objects)]))
        accepted = time.monotonic()
        if status != 202:
            raise WrongAnswer(f"POST answered {status}: {body[:200]!r}")
        times = []
        for when, answer in waiting.answers():
            if b'"pattern_type"' not in answer:
                raise WrongAnswer("a reader was answered without the new object")
            times.append(max(0.0, when - accepted) * 1000)
        first.append(min(times))
        every += times
        waiting.ask(_last(target))
        time.sleep(0.5)
    spread = statistics.quantiles(every, n=100)
    return f"| {readers:,} | {statistics.median(first):.0f} | {spread[49]:.0f} | {spread[98]:.0f} | {max(every):.0f} |"


def _report(costs: Sequence[Cost], heard: Sequence[str]) -> str:
    found = machine.describe()
    base = costs[0].polls_per_second
    lines = [
        "## Readers that wait",
        "",
        f"`python -m benchmarks.waiting`, {found['date']}, {found['machine']}; one process, {THREADS} threads, SQLite.",
        "",
        "| connections | | memory each | threads | CPU of a second | polls answered beside them |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {one.name} | {one.connections:,} | {one.kib_each:.1f} KiB | {one.threads} | {one.cpu_percent:.1f} % |"
            f" {one.polls_per_second:,.0f}/s ({one.polls_per_second / base:.2f} x) |"
            for one in costs
        ),
        "",
        "From the 202 of a new object until a reader has it, milliseconds:",
        "",
        "| waiting readers | the first, median | all, p50 | all, p99 | the slowest |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *heard,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
