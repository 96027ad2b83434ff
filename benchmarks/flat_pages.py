"""`python -m benchmarks.flat_pages`: does the time of a page grow with its collection, from 10,000 to 1,000,000?

The entries go in through the store, as ingest commits them, but without signatures: only reading is measured, in one
process, over WSGI, as processor time. The last line is the ratio of the largest collection to the smallest.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks import dataset
from benchmarks.hub_world import SLUG, World, make_world
from hub.domain.audience import WHOLE_GROUP
from hub.domain.canonical import jcs
from hub.domain.stix import version_key
from hub.domain.taxii_time import format_timestamp
from hub.services import access, event_log
from hub.store import entries
from hub.store.entries import NewEntry
from hub.web.app import create_app

PAGE = 1_000
BATCH = 5_000
REPEATS = 7


def main() -> int:
    """Load the collections, measure first, middle and last page and one object, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flat_pages", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "hub", [str(size) for size in options.sizes])
        event_log.configure("json", "error")
        client = create_app(world.hub).test_client()
        table: dict[int, list[float]] = {}
        print(f"{'objects':>10}{'load/s':>10}{'first':>9}{'middle':>9}{'last':>9}{'one':>9}   median ms")
        for size in options.sizes:
            started = time.perf_counter()
            dates, one = _load(world, str(size), size)
            rate = size / (time.perf_counter() - started)
            table[size] = _measure(client, world, str(size), dates, one)
            print(f"{size:>10,}{rate:>10,.0f}" + "".join(f"{value:9.2f}" for value in table[size]), flush=True)
        least, most = min(options.sizes), max(options.sizes)
        ratios = [large / small for large, small in zip(table[most], table[least], strict=True)]
        print(f"{'ratio':>10}{'':>10}" + "".join(f"{value:9.2f}" for value in ratios))
        world.hub.db.close()
    return 0


def _load(world: World, name: str, size: int) -> tuple[list[int], str]:
    """Return the dates after which the measured pages start, and an id from the middle."""
    with world.hub.db.read() as tx:
        collection = access.collection(tx, world.caller, SLUG, world.collections[name]).collection
    dates: list[int] = []
    one = ""
    for start in range(0, size, BATCH):
        made = [
            _entry(world, obj)
            for obj in dataset.indicators(min(BATCH, size - start), seed=start + size, author=world.identity)
        ]
        with world.hub.db.write() as tx:
            entries.lock(tx, collection.id)
            added = entries.insert(tx, collection.id, world.hub.clock(), made)
        dates += added[:: PAGE // 2]
        if start <= size // 2:
            one = made[0].stix_id
    return [0, dates[len(dates) // 2], dates[-3]], one


def _entry(world: World, obj: dataset.Indicator) -> NewEntry:
    body = jcs(dict(obj))
    return NewEntry(
        stix_id=str(obj["id"]),
        type="indicator",
        version=str(obj["modified"]),
        version_key=version_key(str(obj["modified"])),
        sha256=sha256(body).digest(),
        body=body,
        author_identity=world.identity,
        introduced=False,
        submitter_peer_id=world.caller.peer.id,
        submission_uuid="00000000-0000-4000-8000-000000000000",
        audience=WHOLE_GROUP,
        tlp="green",
        rule="releasability",
        reason="benchmark",
    )


def _measure(client: FlaskClient, world: World, name: str, dates: list[int], one: str) -> list[float]:
    base = f"/{SLUG}/collections/{world.collections[name]}/objects/"
    paths = [f"{base}?limit={PAGE}&added_after={format_timestamp(date)}" for date in dates]
    return [_milliseconds(partial(_get, client, world, path)) for path in [*paths, f"{base}{one}/"]]


def _get(client: FlaskClient, world: World, path: str) -> None:
    headers = {"Authorization": world.bearer, "Accept": "application/taxii+json;version=2.1"}
    answer = client.get(path, headers=headers)
    if answer.status_code != 200 or b'"objects"' not in answer.data:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:200]}")


def _milliseconds(work: Callable[[], None]) -> float:
    work()
    took = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        took.append((time.process_time() - started) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    sys.exit(main())
