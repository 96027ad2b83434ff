"""Pollers that run beside writers see every object: ``date_added`` is handed out in commit order."""

from __future__ import annotations

import threading
from urllib.parse import quote

from tests.web.taxii.world import OBJECTS, Client, World, indicator

WRITERS, ENVELOPES = 3, 8


class Poller:
    """Reads a collection again and again from where it stopped, by ``next`` and then by the date of the last object."""

    def __init__(self, client: Client, *, by_next: bool) -> None:
        self.client, self.by_next = client, by_next
        self.seen: list[str] = []
        self.place = "added_after=2026-01-01T00:00:00Z"

    def poll(self) -> None:
        """Read all that is there now, three objects at a time."""
        query = self.place
        while True:
            answer = self.client.get(f"{OBJECTS}?limit=3&{query}")
            self.seen += answer.ids
            if answer.json.get("objects"):
                self.place = f"added_after={answer.dates[1]}"
            if not answer.json["more"]:
                return
            query = f"next={quote(answer.json['next'])}" if self.by_next else self.place

    def run(self, done: threading.Event) -> None:
        while not done.is_set():
            self.poll()
        self.poll()


def test_pollers_beside_concurrent_writers_see_every_object_once(world: World) -> None:
    done = threading.Event()
    pollers = [Poller(world.bb, by_next=True), Poller(world.bb, by_next=False)]
    reading = [threading.Thread(target=poller.run, args=(done,)) for poller in pollers]

    def write(writer: int) -> None:
        client = world.client(("aa", "bb", "mm")[writer])
        for number in range(ENVELOPES):
            first = 1000 * writer + 10 * number
            client.add("indicators", indicator(first), indicator(first + 1))

    writing = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in reading + writing:
        thread.start()
    for thread in writing:
        thread.join()
    done.set()
    for thread in reading:
        thread.join()
    everything = world.aa.get(f"{OBJECTS}?limit=1000").ids
    assert len(everything) == WRITERS * ENVELOPES * 2
    for poller in pollers:
        assert poller.seen == everything
