"""However hubs are connected, and whatever the wires lose, in the end each has what the agreements let it have."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.client.remote import RemoteError
from hub.domain.tlp import IDS
from hub.services.relay import pulling, pushing
from hub.store.database import Database
from tests.services.relay.test_withdrawals import later, notices
from tests.services.relay.world import Site, Stix, Ticking, Wire, connect, database_at

TOPOLOGIES = {
    "line": ((0, 1), (1, 2)),
    "triangle": ((0, 1), (1, 2), (2, 0)),
    "star": ((0, 1), (0, 2), (0, 3)),
    "chain of five": ((0, 1), (1, 2), (2, 3), (3, 4)),
    "ring of four": ((0, 1), (1, 2), (2, 3), (3, 0)),
}
CIRTS = ("aa", "bb", "cc", "dd", "ee")
ACTIONS = ("post", "amber", "version", "narrow", "revoke", "delete", "push", "pull", "push", "pull")


@dataclass
class Net:
    """Hubs with one CIRT each, the links between them, and what each author has out, as it should be seen."""

    sites: list[Site]
    links: tuple[tuple[int, int], ...]
    rng: random.Random
    trouble: float = 0.4
    out: dict[str, tuple[int, Stix]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)

    def act(self, action: str) -> None:
        """Do one thing somewhere."""
        number = self.rng.randrange(len(self.sites))
        site, handle = self.sites[number], CIRTS[number]
        mine = [(stix_id, obj) for stix_id, (owner, obj) in self.out.items() if owner == number]
        if action in ("push", "pull"):
            one, other = self.rng.choice(self.links)
            self.move(*self.rng.sample((one, other), 2), how=action, trouble=True)
        elif action in ("post", "amber"):
            (posted,) = site.share(handle, site.incident(handle, "green" if action == "post" else "amber"))
            self.out[posted["id"]] = (number, posted)
        elif mine:
            stix_id, obj = self.rng.choice(mine)
            if action == "delete":
                site.withdraw(handle, stix_id)
                del self.out[stix_id]
                self.withdrawn.add(stix_id)
            elif action == "revoke":
                site.share(handle, later(site, obj, revoked=True))
                del self.out[stix_id]
                self.withdrawn.add(stix_id)
            else:
                marked = {"object_marking_refs": [IDS["amber"]]} if action == "narrow" else {"name": site.stamp()}
                (posted,) = site.share(handle, later(site, obj, **marked))
                self.out[stix_id] = (number, posted)

    def move(self, number: int, to: int, *, how: str, trouble: bool) -> int:
        """Let one hub push to another, or fetch from it; the wire may break before a call or after it."""
        here, there = self.sites[number], self.sites[to]
        wire = Wire(here, there)
        if trouble:
            wire.trouble = self._break
        peer = here.peer(f"hub-{there.name}")
        try:
            if how == "push":
                pushing.refresh(here.hub, peer, wire)
                return pushing.run(here.hub, peer, wire).objects
            return pulling.run(here.hub, peer, wire).objects
        except RemoteError:
            if not trouble:
                raise
            return 0

    def _break(self, when: str) -> None:
        if self.rng.random() < self.trouble / 2:
            raise RemoteError(f"the line broke {when} it")

    def heal(self) -> None:
        """Let everything move until nothing does; pushing and fetching, in any order."""
        for _ in range(4 * len(self.sites) + 4):
            ways = [(a, b, how) for one, other in self.links for a, b in ((one, other), (other, one))
                    for how in ("push", "pull")]  # fmt: skip
            self.rng.shuffle(ways)
            if not sum([self.move(a, b, how=how, trouble=False) for a, b, how in ways]):
                return
        raise AssertionError("the hubs do not come to rest")

    def check(self) -> None:
        """Everybody sees what is out, GREEN everywhere and AMBER at home, and nothing that was withdrawn."""
        newest = {stix_id: obj["modified"] for stix_id, (_, obj) in self.out.items()}
        for number, site in enumerate(self.sites):
            expected = {
                stix_id
                for stix_id, (owner, obj) in self.out.items()
                if owner == number or obj["object_marking_refs"] == [IDS["green"]]
            }
            seen = site.seen(CIRTS[number])
            live: dict[str, list[str]] = {}
            for obj in seen:
                if obj["type"] == "incident" and not obj.get("revoked"):
                    live.setdefault(obj["id"], []).append(obj["modified"])
            assert live.keys() == expected, site.name
            for stix_id, versions in live.items():
                assert len(set(versions)) == len(versions), site.name
                assert max(versions) == newest[stix_id], site.name


def net(topology: str, folder: Path, rng: random.Random, middle: Database | None = None) -> Net:
    """Return hubs connected like this. :param middle: database of the second one; SQLite without it."""
    clock = Ticking()
    links = TOPOLOGIES[topology]
    sites = []
    for number in range(max(max(link) for link in links) + 1):
        database = middle if number == 1 and middle is not None else database_at(folder / f"{number}.db")
        site = Site.make(f"h{number}", database, clock)
        site.cirt(CIRTS[number])
        sites.append(site)
    for one, other in links:
        connect(sites[one], sites[other])
    return Net(sites, links, rng)


@pytest.mark.parametrize("topology", ["triangle", "star"])
def test_hubs_come_to_the_same_end_over_broken_wires(topology: str, tmp_path: Path, database: Database) -> None:
    world = net(topology, tmp_path, random.Random(f"seed {topology}"), database)
    for action in ("post", "post", "push", "push", *(world.rng.choice(ACTIONS) for _ in range(14))):
        world.act(action)
    world.heal()
    world.check()


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    topology=st.sampled_from(sorted(TOPOLOGIES)),
    seed=st.integers(0, 2**32),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=4, max_size=12),
)
def test_whatever_happens_they_come_to_the_same_end(topology: str, seed: int, actions: list[str]) -> None:
    with TemporaryDirectory() as folder:
        world = net(topology, Path(folder), random.Random(seed))
        world.act("post")
        for action in actions:
            world.act(action)
        world.heal()
        world.check()
        for site in world.sites:
            site.hub.db.close()


def test_what_its_author_has_narrowed_since_does_not_leave_in_its_wider_version(tmp_path: Path) -> None:
    world = net("line", tmp_path, random.Random(1))
    one, two = world.sites[:2]
    (posted,) = one.share("aa", one.incident("aa"))
    one.share("aa", later(one, posted, object_marking_refs=[IDS["amber"]]))
    assert one.push(two).objects == 0
    assert two.pull(one).objects == 0
    assert posted["id"] not in str(two.seen("bb"))


def test_a_late_receipt_does_not_undo_that_a_hub_was_told_to_remove_it(tmp_path: Path) -> None:
    world = net("line", tmp_path, random.Random(2))
    one, two = world.sites[:2]
    (posted,) = one.share("aa", one.incident("aa"))
    broken = iter(["before", "before", "before", "after"])
    wire = Wire(two, one, trouble=lambda when: _raise() if next(broken, "") == when == "after" else None)
    with suppress(RemoteError):
        pulling.run(two.hub, two.peer("hub-h0"), wire)
    one.share("aa", later(one, posted, object_marking_refs=[IDS["amber"]]))
    for _ in range(3):
        two.pull(one)
    assert len(notices(two, "bb")) == 1
    assert two.ids("bb") == set()


def _raise() -> None:
    raise RemoteError("the line broke")


def test_notices_of_one_withdrawal_are_one_for_each_reader(tmp_path: Path) -> None:
    world = net("ring of four", tmp_path, random.Random(4))
    world.trouble = 0
    site = world.sites[0]
    (posted,) = site.share("aa", site.incident("aa"))
    world.heal()
    site.withdraw("aa", posted["id"])
    world.heal()
    for number, other in enumerate(world.sites[1:], 1):
        assert len(notices(other, CIRTS[number])) == 1
