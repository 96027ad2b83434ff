"""Three real hubs in a chain: what AA shares at the first one is read by DD at the third, and nothing else is.

The one in the middle is on PostgreSQL. It is killed over and over, by the signal that no process can catch, while AA
posts and the line in front of it drops half of its connections: CYBEX_TEST_RELAY_KILLS says how often, for each way of
linking; twice of these `cybex serve` is started, else a fork of a warm process, which takes no seconds.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import requests
from sqlalchemy import select, text
from taxii2client.v21 import ApiRoot, as_pages

from hub.client import keyfile
from hub.client.api import signed_directory
from hub.client.login import Login
from hub.client.transport import Transport
from hub.domain.bundle_verification import Status, verify_objects
from hub.domain.canonical import jcs
from hub.domain.keys import KeyRing
from hub.domain.releasability import EXTENSION_ID as RELEASABILITY
from hub.domain.retraction import EXTENSION_ID
from hub.domain.taxii_time import format_timestamp
from hub.services import groups, links
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.services.relay import reaching
from hub.store import integrity
from hub.store.tables import metadata
from tests.acceptance.processes import BIN, clean_environment
from tests.acceptance.relay_proxy import Line, contents
from tests.acceptance.relay_world import Cirt, LiveHub, Stix, connect
from tests.acceptance.test_taxii2_client import Bearer
from tests.acceptance.warm_hub import WarmHub, WarmProcess, warm_process
from tests.services.conftest import new_postgresql

KILLS: Final = int(os.environ.get("CYBEX_TEST_RELAY_KILLS", "3"))
KILLS_OF_SERVE: Final = 1
LONGEST_LIFE: Final = 1.2
"""Seconds from the moment the hub in the middle answers to its end."""
SECONDS: Final = 60.0
SECRET: Final = "for the eyes of one hub"
LEVELS: Final = ("amber", "amber+strict", "red")


@dataclass
class Chain:
    """Hubs one, two and three; AA and BB are at the first, CC at the second, DD at the third.

    :param line: stands in front of hub two. :param operators: each hub as its operator has it at the machine itself.
    :param posted: JCS bytes of what AA has posted that may cross and is not withdrawn, by id.
    """

    one: LiveHub
    two: LiveHub
    three: LiveHub
    line: Line
    operators: dict[str, Hub]
    posted: dict[str, bytes] = field(default_factory=dict)
    warm: WarmHub | None = None

    @property
    def hubs(self) -> tuple[LiveHub, LiveHub, LiveHub]:
        """All of them, in the order of the chain."""
        return self.one, self.two, self.three

    def share(self, *tlps: str, alias: str = "indicators") -> list[Stix]:
        """Post an indicator of AA at each of these levels; return them as they were signed."""
        aa, at = self.one.cirts["aa"], time.time_ns() // 1000
        made = []
        for tlp in tlps:
            hidden = {} if tlp in ("clear", "green") else {"description": SECRET}
            one = aa.indicator(len(self.posted), at=at, tlp=tlp) | hidden
            if tlp == "red":  # which a group takes for named recipients only
                said = for_one(aa, self.one.cirts["bb"], at=at)
                one["object_marking_refs"].append(said["id"])
                made.append(said)
            made.append(one)
        signed = aa.signed(*made, at=at)
        status = self.one.post("aa", *signed, alias=alias)
        assert status["failure_count"] == 0, status
        indicators = [one for one in signed if one["type"] == "indicator"]
        self.posted |= {one["id"]: jcs(one) for one in indicators if "description" not in one}
        return indicators

    def kill_two(self) -> None:
        """End hub two with all its processes, as a power failure would, and its leases, as half a minute would."""
        if self.warm is not None:
            self.warm.kill()
            self.warm = None
        else:
            self.two.kill()
        with self.operators["two"].db.write() as tx:
            tx.execute(text("UPDATE link SET leased_until = NULL"))

    def start_two(self, warm: WarmProcess | None = None) -> None:
        """Start hub two again."""
        if warm is None:
            self.two.start()
            self.line.port = self.two.port
        else:
            self.warm = warm.start()
            self.two.port = self.line.port = int(self.warm.base_url.rstrip("/").rpartition(":")[2])

    def try_at_once(self) -> None:
        """Let every hub try its links again now, as an operator may; else they wait longer after each failure."""
        for name, others in (("one", ["two"]), ("two", ["one", "three"]), ("three", ["two"])):
            for other in others:
                links.update(self.operators[name], OPERATOR, f"hub-{other}")


def for_one(author: Cirt, reader: Cirt, *, at: int) -> Stix:
    """Return a marking of what is for one CIRT alone."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid.uuid4()}",
        "created": format_timestamp(at)[:23] + "Z",
        "created_by_ref": author.identity,
        "extensions": {
            RELEASABILITY: {
                "extension_type": "property-extension",
                "onward_relay": True,
                "recipient_refs": [reader.identity],
            }
        },
    }


def until(true: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Return once it is true. :param what: is said when it does not become true."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what if isinstance(what, str) else what()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, postgres_template: str) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("relay")
    with new_postgresql(postgres_url, postgres_template) as url, ThreadPoolExecutor(3) as pool:
        urls = {"one": None, "two": url, "three": None}
        one, two, three = (LiveHub.make(name, folder, database_url=found) for name, found in urls.items())
        one.cirt("aa"), one.cirt("bb"), two.cirt("cc"), three.cirt("dd")
        connect(one, two)
        connect(two, three)
        with one.opened() as hub:
            groups.update(hub, OPERATOR, one.slug, tlp_ceiling="red")
        line = Line(two.port)
        with ExitStack() as opened:
            operators = {hub.name: opened.enter_context(hub.opened()) for hub in (one, two, three)}
            for name in ("one", "three"):
                links.update(operators[name], OPERATOR, "hub-two", url=line.url)
            made = Chain(one, two, three, line, operators)
            try:
                list(pool.map(LiveHub.start, made.hubs))
                yield made
            finally:
                line.close()
                if made.warm is not None:
                    made.warm.kill()
                for one_of_three in made.hubs:
                    one_of_three.kill()


def test_dd_reads_what_aa_shared_two_hubs_away_and_proves_it_with_the_keys_of_its_own_hub(chain: Chain) -> None:
    shared, *_ = chain.share("green", *LEVELS)
    dd = chain.three.cirts["dd"]
    until(lambda: shared["id"] in ids(chain.three, "dd"), "the indicator has not come to hub three")
    root = ApiRoot(f"{chain.three.url}alpha/", auth=Bearer(dd.token))  # the unmodified client of OASIS
    (collection,) = [one for one in root.collections if one.alias == "indicators"]
    read = [one for page in as_pages(collection.get_objects) for one in page["objects"] if one["id"] == shared["id"]]
    assert [jcs(one) for one in read] == [jcs(shared)]
    session = Transport(Login(token=dd.token), allow_http=True, notice=lambda _: None)
    directory = signed_directory(session, f"{chain.three.url}alpha/")
    assert directory.signer is not None
    assert directory.signer.kid == chain.operators["three"].signing_key.public.kid
    (checked,) = verify_objects(read, KeyRing([one.key for one in directory.listed]), now=time.time_ns() // 1000)
    assert checked.status is Status.VERIFIED
    assert {one.key.identity for one in directory.listed} >= {chain.one.cirts["aa"].identity, dd.identity}

    assert_nothing_secret_left_hub_one(chain)


def assert_nothing_secret_left_hub_one(chain: Chain) -> None:
    """Look at every octet that crossed the line, and at every column of hubs two and three."""
    carried = [contents(bytes(stream)) for one in chain.line.carried for stream in (one.requests, one.answers)]
    crossed = b"\n".join(itertools.chain.from_iterable(carried))
    assert next(iter(chain.posted)).encode() in crossed, "what may cross is not seen crossing"
    assert SECRET.encode() not in crossed
    for name, hub in chain.operators.items():
        assert stored(hub, SECRET.encode()) == (name == "one"), name


def stored(hub: Hub, octets: bytes) -> bool:
    """Say whether these octets are in any column of any table of a hub."""
    with hub.db.read() as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)):
                for value in row:
                    held = value.encode() if isinstance(value, str) else value
                    if isinstance(held, bytes | memoryview) and any(octets in one for one in contents(bytes(held))):
                        return True
    return False


def ids(hub: LiveHub, handle: str) -> set[str]:
    """Return the ids of the indicators that a CIRT reads."""
    return {one["id"] for one in hub.read(handle) if one["type"] == "indicator"}


def notices(hub: LiveHub, handle: str, stix_id: str) -> list[Stix]:
    """Return the retraction notices that a CIRT reads of an object."""
    found = [one["extensions"][EXTENSION_ID] for one in hub.read(handle) if EXTENSION_ID in one.get("extensions", {})]
    return [said for said in found if stix_id in {target["id"] for target in said["targets"]}]


def test_what_aa_takes_back_is_gone_everywhere_and_who_removed_it_comes_back_as_numbers(
    chain: Chain, tmp_path: Path
) -> None:
    shared, hidden, *_ = chain.share("green", "amber")
    until(lambda: shared["id"] in ids(chain.three, "dd"), "the indicator has not come to hub three")
    assert shared["id"] in ids(chain.one, "bb") & ids(chain.two, "cc")
    pull(chain.three, chain.three.cirts["dd"], tmp_path)
    for one in (shared, hidden):
        delete(chain.one, chain.one.cirts["aa"], one["id"])
    del chain.posted[shared["id"]]
    until(lambda: bool(notices(chain.three, "dd", shared["id"])), "DD has not been told")
    (at_one,) = notices(chain.one, "bb", shared["id"])
    for hub, handle in ((chain.two, "cc"), (chain.three, "dd")):
        assert shared["id"] not in ids(hub, handle)
        (said,) = notices(hub, handle, shared["id"])
        assert (said["act"], said["kind"]) == (at_one["act"], "deleted")
        assert notices(hub, handle, hidden["id"]) == []
    pull(chain.three, chain.three.cirts["dd"], tmp_path)  # DD confirms that it is removed

    def numbers() -> tuple[int, int]:
        with chain.operators["one"].db.read() as tx:
            return reaching.counted(tx, at_one["act"])

    until(lambda: numbers() == (3, 1), "of BB, CC and DD one has removed it, which hub one is not told")


def delete(hub: LiveHub, cirt: Cirt, stix_id: str) -> None:
    """Delete an indicator as a CIRT."""
    response = requests.delete(
        f"{hub.url}alpha/collections/indicators/objects/{stix_id}/",
        headers={"Accept": "application/taxii+json;version=2.1", "Authorization": f"Bearer {cirt.token}"},
        timeout=60,
    )
    assert response.status_code == 200, response.text


def pull(hub: LiveHub, cirt: Cirt, folder: Path) -> None:
    """Run `cybex pull` as a CIRT, which confirms what it keeps and what it removes; every signature must hold."""
    key, token = folder / "dd.pem", folder / "dd.token"
    if not key.exists():
        keyfile.write(key, cirt.key)
        token.write_text(cirt.token)
    done = subprocess.run(
        [
            BIN / "cybex", "pull", "--url", f"{hub.url}alpha/", "--collection", "indicators", "--token-file", token,
            "--out", folder / "inbox", "--acknowledge", key, "--json",
        ],
        env=clean_environment(), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report["by_status"]) <= {"verified"}, report


@pytest.mark.parametrize("way", ["push", "pull"])
def test_a_hub_in_the_middle_that_dies_over_and_over_behind_a_bad_line_loses_and_doubles_nothing(
    chain: Chain, way: str
) -> None:
    for name, others in (("one", ["two"]), ("two", ["one", "three"]), ("three", ["two"])):
        for other in others:
            push = way == "push"
            links.update(chain.operators[name], OPERATOR, f"hub-{other}", push=push, pull=not push)
    chance = random.Random(way)
    before = chain.line.faults()
    chain.line.dropping = 0.5
    with warm_process(chain.two.data, chain.two.environment) as warm, busy(chain) as load:
        for kill in range(KILLS):
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            chain.kill_two()
            chain.start_two(warm if kill < KILLS - KILLS_OF_SERVE else None)
        load.set()
        until(lambda: ids(chain.three, "dd") == chain.posted.keys(), "hub three lacks something")
        chain.line.dropping = 0.0
        until(lambda: not left(chain), lambda: f"a link is not done: {left(chain)}")
    faults = {fault: count - before[fault] for fault, count in chain.line.faults().items()}
    assert sum(faults.values()) - faults["none"] >= KILLS, faults
    for hub, handle in ((chain.two, "cc"), (chain.three, "dd")):
        read = [one for one in hub.read(handle) if one["type"] == "indicator"]
        assert {one["id"]: jcs(one) for one in read} == chain.posted
        assert len(read) == len(chain.posted)
    for name, operator in chain.operators.items():
        with operator.db.read() as tx:
            versions = tx.execute(text("SELECT collection_id, stix_id, version_key FROM entry")).fetchall()
        assert len(versions) == len(set(versions)), name
        assert integrity.problems(operator.db) == []
    assert_nothing_secret_left_hub_one(chain)


@contextmanager
def busy(chain: Chain) -> Iterator[threading.Event]:
    """Post as AA, and have links tried again, all the time; nothing more is posted once the event is set."""
    enough, end = threading.Event(), threading.Event()
    wrong: list[Exception] = []

    def guarded(step: Callable[[], object], stop: threading.Event, seconds: float) -> None:
        try:
            while not stop.wait(seconds):
                step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails with it in its own thread
            wrong.append(error)

    threads = [
        threading.Thread(target=guarded, args=(lambda: chain.share(*["green"] * 5, "amber"), enough, 0.2)),
        threading.Thread(target=guarded, args=(chain.try_at_once, end, 0.5)),
    ]
    for one in threads:
        one.start()
    try:
        yield enough
    finally:
        enough.set()
        end.set()
        for one in threads:
            one.join()
    if wrong:
        raise wrong[0]


def left(chain: Chain) -> list[str]:
    """Return what a link has still to hand over, has not been answered for, or could not hand over."""
    found = []
    for name, other in (("one", "two"), ("two", "three")):
        hub = chain.operators[name]
        shown = links.shown(hub, OPERATOR, f"hub-{other}")
        with hub.db.read() as tx:
            unanswered = tx.execute(
                text("SELECT count(*) FROM relay_sent WHERE peer_id = :peer AND outcome = 'sent'"),
                {"peer": shown.peer.id},
            ).scalar_one()
        waiting = sum(one.waiting or 0 for one in shown.progress if one.direction == "out")
        if shown.letters or unanswered or waiting:
            found.append(f"{name} to {other}: {waiting} wait, {unanswered} unanswered, {shown.letters} letters")
    return found
