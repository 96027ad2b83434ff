"""No client can lose an object, however many write at once and however it keeps its place (TAXII 2.1 §3.4, §3.5).

`date_added` is handed out under the collection's lock, so its order is the order in which transactions commit. Were it
taken when a request starts, a reader would see the later date first, and never the earlier object.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.kill_world import TAXII, Place, indicator, make_place
from tests.acceptance.processes import clean_environment
from tests.acceptance.warm_hub import warm_process

WRITERS = 4
ENVELOPES = 20
LARGEST = 30
SMALL_PAGE = 7  # objects: smaller than most envelopes, so that pages end inside of them


class Reader:
    """Somebody who polls one collection and notes every object in the order in which it came.

    :param keep: what he remembers of ``X-TAXII-Date-Added-Last``.
    """

    def __init__(
        self, place: Place, base_url: str, *, limit: int | None, follow: bool, keep: Callable[[str], str]
    ) -> None:
        self.seen: list[str] = []
        self._session = session(place)
        self._url = f"{base_url}{place.collection}objects/"
        self._limit = {} if limit is None else {"limit": str(limit)}
        self._follow = follow
        self._keep = keep
        self._added_after: dict[str, str] = {}

    def poll_until(self, stop: threading.Event) -> list[str]:
        """Poll until everybody has stopped writing, and then once more to the end."""
        with self._session:
            while not stop.is_set():
                self._poll()
            self._poll()
        return self.seen

    def _poll(self) -> None:
        """Read up to what is the end now."""
        token: dict[str, str] = {}
        while True:
            answer = self._session.get(self._url, params={**self._limit, **self._added_after, **token}, timeout=60)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.seen += [obj["id"] for obj in page.get("objects", [])]
            if self._follow and page.get("more"):
                token = {"next": page["next"]}
                continue
            last = answer.headers.get("X-TAXII-Date-Added-Last")
            if last is not None:
                self._added_after = {"added_after": self._keep(last)}
            if not page.get("more"):
                return


def session(place: Place) -> requests.Session:
    """Return a session of the one peer; the caller closes it."""
    made = requests.Session()
    made.auth = place.login
    made.headers["Accept"] = TAXII
    return made


def write(place: Place, base_url: str, seed: int, go: threading.Barrier) -> list[str]:
    """Post envelopes of different sizes, one after the other; return the ids of all objects."""
    chance = random.Random(seed)
    posted: list[str] = []
    with session(place) as client:
        go.wait(60)
        for _ in range(ENVELOPES):
            objects: list[dict[str, Any]] = [
                indicator(uuid.UUID(bytes=chance.randbytes(16), version=4), place.identity)
                for _ in range(chance.randrange(1, LARGEST))
            ]
            answer = client.post(
                f"{base_url}{place.collection}objects/",
                json={"objects": objects},
                headers={"Content-Type": TAXII},
                timeout=60,
            )
            assert answer.status_code == 202, answer.text
            assert answer.json()["success_count"] == len(objects)
            posted += [obj["id"] for obj in objects]
    return posted


def to_milliseconds(timestamp: str) -> str:
    """Cut a timestamp as OpenCTI's connector does, which compares it with three digits."""
    whole, _, fraction = timestamp.rstrip("Z").partition(".")
    return f"{whole}.{fraction[:3]}Z"


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """A hub on a database of its own."""
    return make_place(tmp_path / "hub", clean_environment(database_url))


@pytest.fixture
def base_urls(place: Place) -> Iterator[tuple[str, str]]:
    """Two web servers on the same database, as behind a balancer."""
    with warm_process(place.data, place.environment) as warm:
        yield warm.start().base_url, warm.start().base_url


def test_every_reader_sees_every_object_while_several_processes_write(place: Place, base_urls: tuple[str, str]) -> None:
    readers = {
        "follows next": Reader(place, base_urls[0], limit=SMALL_PAGE, follow=True, keep=str),
        "goes on from the last date": Reader(place, base_urls[1], limit=SMALL_PAGE, follow=False, keep=str),
        "cuts dates to milliseconds": Reader(place, base_urls[0], limit=None, follow=True, keep=to_milliseconds),
    }
    done, go = threading.Event(), threading.Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS + len(readers)) as pool:
        reading = {name: pool.submit(reader.poll_until, done) for name, reader in readers.items()}
        writing = [pool.submit(write, place, base_urls[seed % 2], seed, go) for seed in range(WRITERS)]
        try:
            posted = sorted(stix_id for each in writing for stix_id in each.result())
        finally:
            done.set()
        seen = {name: each.result() for name, each in reading.items()}
    assert len(posted) > WRITERS * ENVELOPES
    assert sorted(seen["follows next"]) == posted
    assert sorted(seen["goes on from the last date"]) == posted
    assert seen["follows next"] == seen["goes on from the last date"]
    assert sorted(set(seen["cuts dates to milliseconds"])) == posted
