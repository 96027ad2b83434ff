"""Checkpoints follow commits, one signature per size, whoever makes them and whatever fails on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from hub.domain import limits, merkle
from hub.domain.log_event import Event
from hub.errors import InvalidRequest, LogInconsistent, NotFound
from hub.services import checkpoints, log_reading, transparency
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.store import checkpoints as store
from hub.store import tiles as tile_store
from hub.store.database import Database
from tests.services.cast import make_hub
from tests.services.desk import Desk
from tests.services.log_world import check_log, write_leaves


def test_a_checkpoint_covers_what_was_committed_and_none_is_made_of_nothing(hub: Hub) -> None:
    before = check_log(hub.db, hub)
    assert checkpoints.make(hub) is None
    for count in (1, 300, 255, 1):
        write_leaves(hub, count)
        made = checkpoints.make(hub)
        assert made is not None
        assert made.size == before + count == check_log(hub.db, hub)
        assert checkpoints.make(hub) is None
        before = made.size


def test_many_leaves_are_covered_piece_by_piece(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    before = check_log(hub.db)
    monkeypatch.setattr(limits, "CHECKPOINT_LEAVES", 100)
    write_leaves(hub, 250)
    made = [checkpoints.make(hub) for _ in range(4)]
    assert [None if each is None else each.size - before for each in made] == [100, 200, 250, None]
    check_log(hub.db, hub)


class PowerCut(Exception):
    """What a test raises where a process could be killed."""


@pytest.mark.parametrize("where", [(tile_store, "write"), (store, "add"), (store, "set_origin")], ids=lambda at: at[1])
def test_a_crash_leaves_nothing_and_the_next_call_makes_it(
    hub: Hub, where: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_args: object) -> None:
        raise PowerCut

    before = check_log(hub.db)
    write_leaves(hub, 300)
    with monkeypatch.context() as patched:
        patched.setattr(where[0], where[1], cut)
        with pytest.raises(PowerCut):
            checkpoints.make(hub)
    assert check_log(hub.db) == before
    assert checkpoints.make(hub) is not None
    assert check_log(hub.db, hub) == before + 300


def test_of_workers_that_sign_at_once_one_makes_the_checkpoint(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    before = check_log(hub.db)
    write_leaves(hub, 300)
    ready = threading.Barrier(4)
    prepare = checkpoints._next

    def together(hub: Hub, tx: object) -> object:
        found = prepare(hub, tx)
        ready.wait(30)
        return found

    monkeypatch.setattr(checkpoints, "_next", together)
    with ThreadPoolExecutor(4) as pool:
        made = [each.result(60) for each in [pool.submit(checkpoints.make, hub) for _ in range(4)]]
    assert [each.size for each in made if each is not None] == [before + 300]
    assert check_log(hub.db, hub) == before + 300


@pytest.mark.timeout(120)
def test_while_many_write_every_checkpoint_is_of_a_prefix_without_gaps(hub: Hub) -> None:
    """A place that is reserved by a transaction still running is never under a checkpoint, nor one that was undone."""
    done = threading.Event()

    def write(seed: int) -> int:
        kept = 0
        for turn in range(25):
            try:
                with hub.db.write() as tx:
                    count = 1 + (seed + turn) % 4
                    transparency.append(tx, hub, [Event("test", {"seed": seed}, None)] * count, now=hub.clock())
                    if (seed + turn) % 5 == 0:
                        raise PowerCut
                    kept += count
            except PowerCut:
                continue
        return kept

    def sign() -> int:
        made = 0
        while not done.is_set():
            made += checkpoints.make(hub) is not None
        return made

    before = check_log(hub.db)
    with ThreadPoolExecutor(6) as pool:
        signers = [pool.submit(sign) for _ in range(2)]
        written = sum(each.result(100) for each in [pool.submit(write, seed) for seed in range(4)])
        done.set()
        made = sum(each.result(100) for each in signers)
    checkpoints.make(hub)
    assert made > 1
    assert check_log(hub.db, hub) == before + written


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_tile SET hashes = (SELECT hashes FROM log_tile WHERE level = 0 AND idx = 1) WHERE level + idx = 2",
        "DELETE FROM log_tile WHERE level = 1",
        "DELETE FROM log_leaf WHERE idx = 700",
        "UPDATE log_state SET size = 3",
        "UPDATE log_checkpoint SET root = (SELECT salt FROM log_leaf WHERE idx = 0)",
    ],
    ids=["tile-changed", "tile-lost", "leaf-lost", "log-cut", "root-changed"],
)
def test_a_log_that_contradicts_its_checkpoint_is_not_signed_again(hub: Hub, damage: str) -> None:
    write_leaves(hub, 600)
    checkpoints.make(hub)
    write_leaves(hub, 200)
    with hub.db.write() as tx:
        tx.execute(text(damage))
    with pytest.raises(LogInconsistent):
        checkpoints.make(hub)


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://hub.example/", "hub.example/tlog"),
        ("https://hub.example:8443/cybex/", "hub.example:8443/cybex/tlog"),
        ("https://hub.example/a+b/", None),
        (None, None),
    ],
)
def test_a_log_is_named_after_its_place_or_the_hub_and_keeps_that_name(
    hub: Hub, public_url: str | None, origin: str | None
) -> None:
    with hub.db.write() as tx:
        tx.execute(text("DELETE FROM log_tile"))
        tx.execute(text("DELETE FROM log_checkpoint"))
        tx.execute(text("UPDATE log_state SET origin = NULL"))
        identity = tx.execute(text("SELECT identity FROM peer WHERE handle = 'hub'")).scalar_one()
    expected = origin or f"cybex-hub/{identity.removeprefix('identity--')}"
    named = replace(hub, public_url=public_url)
    assert log_reading.state(named).origin == expected
    made = checkpoints.make(named)
    assert made is not None
    assert made.origin == expected
    write_leaves(hub, 1)
    moved = checkpoints.make(replace(hub, public_url="https://elsewhere.example/"))
    assert moved is not None
    assert moved.origin == expected


def test_a_hub_that_was_never_initialised_signs_nothing(database: Database) -> None:
    hub = make_hub(database)
    write_leaves(hub, 3)
    assert checkpoints.make(hub) is None
    assert log_reading.state(hub).origin is None
    for read in (log_reading.note, log_reading.verifier_key):
        with pytest.raises(NotFound):
            read(hub)


def test_proofs_of_the_api_are_verified_against_the_signed_root(hub: Hub) -> None:
    sizes = []
    for count in (5, 300, 7):
        write_leaves(hub, count)
        made = checkpoints.make(hub)
        assert made is not None
        sizes.append((made.size, made.root))
    size, root = sizes[-1]
    for index in (0, 255, 256, size - 1):
        proof = log_reading.inclusion(hub, index)
        assert proof.root == root
        assert merkle.verify_inclusion(index, size, proof.start, proof.hashes, root)
        opened = log_reading.opened(hub, LOCAL_OPERATOR, index)
        assert merkle.leaf_hash(opened.data) == proof.start
    for old, old_root in sizes:
        link = log_reading.consistency(hub, old)
        assert (link.start, link.root) == (old_root, root)
        assert merkle.verify_consistency(old, size, old_root, root, link.hashes)


def test_nothing_is_proved_beyond_the_checkpoint(hub: Hub) -> None:
    size = check_log(hub.db)
    write_leaves(hub, 1)
    for index, of in ((size, None), (0, size + 1), (size, size)):
        with pytest.raises(InvalidRequest):
            log_reading.inclusion(hub, index, of)
    for old, new in ((size + 1, None), (0, size + 1), (2, 1)):
        with pytest.raises(InvalidRequest):
            log_reading.consistency(hub, old, new)


def test_a_leaf_is_opened_for_its_parties_and_an_operator_and_nobody_else(desk: Desk) -> None:
    hub, callers = desk.hub, desk.callers
    (place,) = write_leaves(hub, 1, peer_id=callers["aa"].peer.id, subject=callers["cc"].peer.id)
    (own,) = write_leaves(hub, 1)
    for handle in ("aa", "cc"):
        opened = log_reading.opened(hub, callers[handle], place)
        assert opened.leaf.payload == b'{"event":"test","number":0}'
        assert not opened.checkpointed
    checkpoints.make(hub)
    assert log_reading.opened(hub, LOCAL_OPERATOR, place).checkpointed
    for caller, index in ((callers["bb"], place), (callers["aa"], own), (callers["aa"], own + 1)):
        with pytest.raises(NotFound) as refused:
            log_reading.opened(hub, caller, index)
        assert refused.value.detail == "there is no such leaf"


def test_what_is_shared_is_in_the_log_at_the_place_the_receipt_names(desk: Desk) -> None:
    status = desk.share("aa", desk.incident())
    checkpoints.make(desk.hub)
    with desk.hub.db.read() as tx:
        (index,) = tx.execute(text("SELECT log_index FROM entry WHERE type = 'incident'")).scalars()
    opened = log_reading.opened(desk.hub, desk.callers["aa"], index)
    assert status.uuid.encode() in opened.leaf.payload
    assert opened.checkpointed
