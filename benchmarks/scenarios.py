"""The scenarios: what is asked of every server, and in which order, so that all meet the same noise of the machine."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from benchmarks.client import Connection, Measured, latencies, next_of, post_all, read_all
from benchmarks.results import Results
from benchmarks.target import Target

PAGE = 1000


def in_turns(
    results: Results,
    repeats: int,
    scenario: str,
    runs: Mapping[str, tuple[Target, Callable[[int], Measured], str]],
) -> None:
    """Measure every server once per repeat, one after the other; keep objects per second, and processor time.

    Processor time is what the server's processes used themselves: other work on the machine hardly changes it.
    """
    rates: dict[str, list[float]] = {server: [] for server in runs}
    costs: dict[str, list[float]] = {server: [] for server in runs}
    busy: dict[str, float] = dict.fromkeys(runs, 0.0)
    for repeat in range(repeats):
        for server, (target, run, _) in runs.items():
            before = target.cpu_seconds()
            measured = run(repeat)
            costs[server].append((target.cpu_seconds() - before) / measured.objects * 1e6)
            rates[server].append(measured.rate)
            busy[server] = max(busy[server], measured.client_cpu)
    for server, (_, _, note) in runs.items():
        client = f"client CPU {busy[server] * 100:.0f} %"
        results.add(scenario, server, "objects/s", rates[server], f"{note}; {client}" if note else client)
        results.add(f"{scenario}, server CPU", server, "µs/object", costs[server], note)


def ingest(target: Target, batches: Sequence[Sequence[bytes]], clients: int) -> Callable[[int], Measured]:
    """Return a run that posts its repeat's envelopes; no object is posted twice."""
    return lambda repeat: post_all(target, "ingest", batches[repeat], clients=clients)


def full_read(target: Target, collection: str, clients: int, *, limit: int | None = PAGE) -> Callable[[int], Measured]:
    """Return a run that reads the collection to its end."""
    return lambda _: read_all(target, collection, limit=limit, clients=clients)


def positions(target: Target, collection: str, *, limit: int = PAGE) -> list[str]:
    """Walk the collection once and return the paths of its first, middle and last full page."""
    path = f"{target.collections[collection]}?limit={limit}"
    connection, pages = Connection(target), [path]
    while (following := next_of(connection.get(pages[-1]))) is not None:
        pages.append(f"{path}&next={quote(following, safe='')}")
    return [pages[0], pages[len(pages) // 2], pages[-1]]


def page_times(
    results: Results, target: Target, collections: Mapping[str, int], repeats: int, *, calls: int = 5
) -> None:
    """Keep the milliseconds of one page of 1,000 at the start, the middle and the end of each collection.

    :param calls: requests of which a sample is the median.
    """
    for collection, size in collections.items():
        for place, path in zip(("first", "middle", "last"), positions(target, collection), strict=True):
            samples = [statistics.median(latencies(target, [path] * calls)) * 1000 for _ in range(repeats)]
            results.add(f"page of {PAGE:,}, {place} of {size:,}", target.name, "ms", samples)


def flatness(results: Results, server: str, sizes: Sequence[int]) -> float | None:
    """Return the slowest page of the largest collection against the fastest of the smallest, by place."""
    worst: float | None = None
    for place in ("first", "middle", "last"):
        small = results.median(f"page of {PAGE:,}, {place} of {min(sizes):,}", server)
        large = results.median(f"page of {PAGE:,}, {place} of {max(sizes):,}", server)
        if small and large:
            worst = max(worst or 0.0, large / small)
    return worst


def small_requests(
    results: Results,
    target: Target,
    collection: str,
    ids: Sequence[str],
    repeats: int,
    *,
    requests: int,
    size: int,
    filters: bool = True,
) -> None:
    """Keep the latency of one object, of match[id], and of a poll by added_after that finds nothing new.

    :param filters: False where the server knows no filters.
    """
    path = target.collections[collection]
    drawn = random.Random(size).choices(ids, k=requests)
    asked = {f"get one object of {size:,}": [f"{path}{stix_id}/" for stix_id in drawn]}
    if filters:
        asked[f"match[id] in {size:,}"] = [f"{path}?match%5Bid%5D={stix_id}" for stix_id in drawn]
        newest = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        asked[f"poll with nothing new in {size:,}"] = [f"{path}?added_after={quote(newest)}"] * requests
    for scenario, paths in asked.items():
        runs = [sorted(latencies(target, paths)) for _ in range(repeats)]
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            samples = [run[min(len(run) - 1, int(len(run) * share))] * 1000 for run in runs]
            results.add(f"{scenario}, {name}", target.name, "ms", samples)
