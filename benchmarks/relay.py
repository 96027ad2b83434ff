"""`python -m benchmarks.relay`: how soon the next hub has what one hub has accepted, and what handing on costs.

Two processes of `cybex serve` on SQLite with a link between them; the objects are signed beforehand. A reader waits at
each hub (``Prefer: wait``): the same run says how soon the first hub itself shows what it has accepted, so that a busy
machine can be told from a slow relay.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from benchmarks import dataset, machine, section
from benchmarks.client import WrongAnswer
from benchmarks.relay_pair import SLUG, Pair, RelayHub, Way, make_pair

TAXII: Final = "application/taxii+json;version=2.1"
PATH: Final = f"/{SLUG}/collections/indicators/objects/"
TARGETS: Final = {"p50": 1.0, "p99": 3.0}


@dataclass
class Watch:
    """A reader at one hub. ``seen`` is when each object was there, seconds of `time.monotonic`, by STIX id."""

    hub: RelayHub
    seen: dict[str, float] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Read what is new, waiting for it, until told to stop."""
        after = "1970-01-01T00:00:00.000000Z"
        line = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=60)
        headers = {"Accept": TAXII, "Authorization": self.hub.authorization, "Prefer": "wait=2"}
        while not stop.is_set():
            line.request("GET", f"{PATH}?limit=5000&added_after={quote(after, safe='')}", headers=headers)
            answer = line.getresponse()
            body, now = answer.read(), time.monotonic()
            if answer.status != 200:
                raise WrongAnswer(f"GET answered {answer.status}: {body[:200]!r}")
            objects = orjson.loads(body).get("objects", [])
            after = answer.headers.get("X-TAXII-Date-Added-Last") or after
            for one in objects:
                self.seen.setdefault(one["id"], now)


@dataclass(frozen=True, slots=True)
class Delays:
    """From accepted to visible, seconds."""

    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, accepted: dict[str, float], seen: dict[str, float]) -> Delays:
        """Return the delays of everything that was accepted; all of it must have been seen."""
        waits = [max(0.0, seen[one] - at) for one, at in accepted.items()]
        spread = statistics.quantiles(waits, n=100)
        return cls(spread[49], spread[98], max(waits))


def post_at_rate(
    hub: RelayHub, bodies: Sequence[tuple[list[str], bytes]], *, per_second: float, clients: int
) -> tuple[dict[str, float], float]:
    """Post envelopes at fixed times, over several connections; return when each object was accepted, and the rate."""
    accepted: dict[str, float] = {}
    wrong: list[Exception] = []
    begun = time.monotonic() + 0.5
    turns = iter(enumerate(bodies))
    lock = threading.Lock()

    def client() -> None:
        line = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=120)
        headers = {"Accept": TAXII, "Content-Type": TAXII, "Authorization": hub.authorization}
        try:
            while True:
                with lock:
                    number, (names, body) = next(turns, (-1, ([], b"")))
                if number < 0:
                    return
                time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
                line.request("POST", PATH, body=body, headers=headers)
                answer = line.getresponse()
                said = answer.read()
                if answer.status != 202 or b'"failure_count":0' not in said:
                    raise WrongAnswer(f"POST answered {answer.status}: {said[:300]!r}")
                now = time.monotonic()
                accepted.update(dict.fromkeys(names, now))
        except (OSError, http.client.HTTPException, WrongAnswer) as error:
            wrong.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if wrong:
        raise wrong[0]
    return accepted, len(accepted) / (max(accepted.values()) - begun)


def latency(pair: Pair, way: Way, *, rate: int, seconds: int, size: int) -> list[str]:
    """Return the lines of the table for one way of linking."""
    objects = pair.signed(rate * seconds)
    groups = [objects[start : start + size] for start in range(0, len(objects), size)]
    bodies = [([one["id"] for one in some], dataset.envelope(some)) for some in groups]
    stop = threading.Event()
    watches = [Watch(pair.first), Watch(pair.second)]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in watches]
    for thread in threads:
        thread.start()
    cpu = [hub.cpu_seconds() for hub in pair.hubs]
    accepted, achieved = post_at_rate(pair.first, bodies, per_second=rate / size, clients=8)
    deadline = time.monotonic() + 60
    while not all(accepted.keys() <= one.seen.keys() for one in watches):
        if time.monotonic() > deadline:
            raise WrongAnswer(f"{len(accepted.keys() - watches[1].seen.keys())} objects have not arrived")
        time.sleep(0.1)
    used = [(hub.cpu_seconds() - before) / len(accepted) * 1000 for hub, before in zip(pair.hubs, cpu, strict=True)]
    stop.set()
    for thread in threads:
        thread.join()
    here, there = (Delays.of(accepted, one.seen) for one in watches)
    met = there.p50 <= TARGETS["p50"] and there.p99 <= TARGETS["p99"]
    return [
        f"| {way} | {len(accepted):,} | {achieved:.0f}/s | {there.p50:.2f} s | {there.p99:.2f} s |"
        f" {there.longest:.2f} s |"
        f" {here.p50:.2f} / {here.p99:.2f} s | {there.p50 / here.p50:.1f} x / {there.p99 / here.p99:.1f} x |"
        f" {used[0]:.1f} / {used[1]:.1f} ms | {'met' if met else '**missed**'} |"
    ]


def backlog(pair: Pair, way: Way, *, objects: int) -> list[str]:
    """Return the line of the table: a backlog that lies at the first hub when the link is set up."""
    with pair.paused(way):
        made = pair.signed(objects)
        bodies = [([one["id"] for one in made[at : at + 500]], b"") for at in range(0, objects, 500)]
        envelopes = [
            (names, dataset.envelope(made[number * 500 : (number + 1) * 500]))
            for number, (names, _) in enumerate(bodies)
        ]
        post_at_rate(pair.first, envelopes, per_second=1_000, clients=1)
    last, before, octets = made[-1]["id"], [hub.cpu_seconds() for hub in pair.hubs], pair.octets(way)
    begun = time.monotonic()
    pair.resume(way)
    pair.second.wait_for(last, seconds=900)
    took = time.monotonic() - begun
    used = [(hub.cpu_seconds() - was) / objects * 1000 for hub, was in zip(pair.hubs, before, strict=True)]
    time.sleep(2.0)  # until the last octets are counted
    each = (pair.octets(way) - octets) / objects
    return [
        f"| {way} | {objects:,} | {objects / took:,.0f} objects/s | {each:,.0f} | {used[0]:.2f} ms | {used[1]:.2f} ms |"
    ]


def main() -> int:
    """Measure, print, and put the tables into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100, help="objects a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--envelope", type=int, default=5, help="objects in a post")
    parser.add_argument("--backlog", type=int, default=10_000)
    parser.add_argument("--ways", nargs="+", choices=["push", "pull"], default=["push", "pull"])
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md alone")
    given: Any = parser.parse_args()
    rows: list[list[str]] = []
    heaps: list[list[str]] = []
    for way in given.ways:
        with tempfile.TemporaryDirectory() as folder, make_pair(Path(folder), way) as pair:
            if given.seconds:
                latency(pair, way, rate=given.rate, seconds=3, size=given.envelope)  # warm
                rows.append(latency(pair, way, rate=given.rate, seconds=given.seconds, size=given.envelope))
                print(rows[-1][0], flush=True)
            if given.backlog:
                heaps.append(backlog(pair, way, objects=given.backlog))
                print(heaps[-1][0], flush=True)
    text = _report(list(itertools.chain(*rows)), list(itertools.chain(*heaps)), given.envelope)
    print(text)
    if not given.no_write:
        section.put("relay", text)
    return 0


def _report(rows: Sequence[str], heaps: Sequence[str], size: int) -> str:
    found = machine.describe()
    return "\n".join(
        [
            "## From hub to hub",
            "",
            f"`python -m benchmarks.relay`, {found['date']}, {found['machine']}, load"
            f" {found['load at the start']} at the end; two hubs on SQLite, envelopes of {size}.",
            "From the 202 of the first hub until a waiting reader has the object at the next one; beside it the same at"
            " the first hub itself. Targets: p50 at most 1 s, p99 at most 3 s.",
            "",
            "| link | objects | achieved | p50 | p99 | longest | at the first hub, p50 / p99 | ratio | CPU per object,"
            " first / next | |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
            *rows,
            "",
            "A backlog, from the moment the link is resumed:",
            "",
            "| link | objects | rate | octets per object on the wire | CPU per object, giving | taking |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *heaps,
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
