"""`python -m benchmarks.profile_ingest`: where ingest spends its processor time, by stage and by function."""

from __future__ import annotations

import cProfile
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks import dataset
from benchmarks.hub_world import SLUG, World, make_world
from hub.domain.submission import parse_objects
from hub.services import access, commit, garbage, ingest
from hub.services.decision import decide_all
from hub.services.verification import Signers, key_ring, stored_targets, verify

OBJECTS = 1_000
ROUNDS = 9
Result = TypeVar("Result")


def main() -> int:
    """Print microseconds of processor time per object by stage, then the functions of a profiled run."""
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "hub", ["ingest"])
        batches = [_envelope(world, seed) for seed in range(ROUNDS + 2)]
        _submit(world, batches[0])  # warms the caches: compiled statements, schemas, keys
        garbage.settle()  # as the server's processes do
        spent: dict[str, list[float]] = {}
        for body in batches[1 : ROUNDS + 1]:
            _staged(world, body, spent)
        print(f"microseconds of CPU per object, {ROUNDS} envelopes of {OBJECTS:,} signed indicators")
        print(f"  {'stage':<34}{'median':>9}{'least':>9}")
        spent["all"] = [sum(seconds) for seconds in zip(*spent.values(), strict=True)]
        for stage, seconds in spent.items():
            median, least = statistics.median(seconds) / OBJECTS, min(seconds) / OBJECTS
            print(f"  {stage:<34}{median * 1e6:9.1f}{least * 1e6:9.1f}")
        print(f"  at best {1 / least:,.0f} objects/s on one idle core, without HTTP")
        profile = cProfile.Profile()
        profile.runcall(_submit, world, batches[-1])
        for order in ("tottime", "cumulative"):
            pstats.Stats(profile, stream=sys.stdout).strip_dirs().sort_stats(order).print_stats(30)
        world.hub.db.close()
    return 0


def _envelope(world: World, seed: int) -> bytes:
    made = dataset.indicators(OBJECTS, seed=seed, author=world.identity)
    return dataset.envelope([dataset.signed(indicator, world.private_key) for indicator in made])


def _submit(world: World, body: bytes) -> None:
    with world.hub.db.read() as tx:
        opened = access.collection(tx, world.caller, SLUG, world.collections["ingest"])
    submission = ingest.submit(world.hub, world.caller, opened, body)
    if submission.failures:
        raise RuntimeError(submission.failures[0]["message"])


def _staged(world: World, body: bytes, spent: dict[str, list[float]]) -> None:
    """Do what `ingest.submit` does, stage by stage; add the processor time of each."""
    hub, now = world.hub, world.hub.clock()

    def timed(stage: str, work: Callable[[], Result]) -> Result:
        started = time.process_time()
        result = work()
        spent.setdefault(stage, []).append(time.process_time() - started)
        return result

    with hub.db.read() as tx:
        opened = access.collection(tx, world.caller, SLUG, world.collections["ingest"])
    received = timed("parse the envelope", lambda: ingest.parse_body(body, hub.bounds.max_objects))
    parsed, failed = timed(
        "validate and canonicalise", lambda: parse_objects(received.objects, hub.validator, plain=received.plain)
    )
    with hub.db.read() as tx:
        place = timed("look up the place", lambda: ingest.place_for(tx, opened, world.caller.peer))
        signers = Signers(world.caller.peer, {})
        stored = timed("stored targets", lambda: stored_targets(tx, opened, world.caller.peer, parsed, now=now))
        ring = timed("key ring", lambda: key_ring(tx, signers, hub))
        verified = timed("verify signatures", lambda: verify(parsed, stored, signers, ring, now=now))
        decided, denied = timed("decide", lambda: decide_all(tx, place, verified, stored, now=now))
    if failed or denied:
        raise RuntimeError("the profile needs objects that are accepted")

    def write() -> None:
        with hub.db.write() as tx:
            commit.commit(tx, place, ingest.new_uuid(hub), decided, now=now)

    timed("commit", write)


if __name__ == "__main__":
    sys.exit(main())
