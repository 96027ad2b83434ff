"""One whole run: makes the data, starts the servers, measures them in turns, compares, stops them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import dataset, scenarios
from benchmarks.dataset import Indicator
from benchmarks.floor_server import running_floor
from benchmarks.hub_server import NAME as HUB
from benchmarks.hub_server import running_hub
from benchmarks.hub_world import World, make_world
from benchmarks.medallion_target import measured_medallion
from benchmarks.opentaxii_server import environment, running_opentaxii
from benchmarks.results import Ratio, Results
from benchmarks.target import Target

OPENTAXII, MEDALLION, FLOOR = "OpenTAXII 0.9.3", "medallion 3.0.0", "plain prototype"
THREADS = 4
READ_SEED = 1
OTHER_SEEDS = 1_000_000
LARGE = 1_000_000
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything.

    :param sizes: objects of the hub's read collections, ascending; no two hold the same object.
    :param compared: the one of them that all but medallion are read at.
    :param medallion: objects medallion is read at: its work grows with the square, 40,000 would take a day.
    :param ingest: (server, objects per repeat); what a slow server is spared does not change its rate.
    :param shapes: (objects per envelope, client processes).
    """

    repeats: int
    workers: int
    sizes: tuple[int, ...]
    compared: int
    medallion: int
    ingest: dict[str, int]
    shapes: tuple[tuple[int, int], ...]
    requests: int

    @staticmethod
    def full(repeats: int, workers: int) -> Plan:
        """Return what RESULTS.md is made of."""
        volumes = {HUB: 4_000, OPENTAXII: 1_000, MEDALLION: 500}
        shapes = ((500, 1), (1000, 1), (500, 2))
        return Plan(repeats, workers, (10_000, 40_000, 100_000), 40_000, 1_000, volumes, shapes, 300)

    @staticmethod
    def quick(repeats: int, workers: int) -> Plan:
        """Return enough to see that everything runs."""
        volumes = {HUB: 1_000, OPENTAXII: 500, MEDALLION: 250}
        return Plan(repeats, workers, (2_000, 4_000), 2_000, 250, volumes, ((500, 1), (250, 2)), 40)

    def with_sizes(self, sizes: tuple[int, ...]) -> Plan:
        """Return the plan with other read collections; the compared one stays."""
        return replace(self, sizes=tuple(sorted({*sizes, self.compared})))

    def with_large(self) -> Plan:
        """Return the plan with the largest collection, which only the hub is given."""
        return replace(self, sizes=(*self.sizes, LARGE))


def run(plan: Plan, folder: Path, kept: Path, results: Results, progress: Progress) -> None:
    """Fill ``results``.

    :param folder: for this run's databases; the caller removes it.
    :param kept: where OpenTAXII's environment stays between runs.
    """
    progress("making the hub and its data")
    world = make_world(folder / "hub", ["ingest", *(_name(size) for size in plan.sizes)])
    for place, size in enumerate(plan.sizes):
        progress(f"loading {size:,} signed objects into the hub")
        world.load(_name(size), _signed(world, size, READ_SEED if size == plan.compared else OTHER_SEEDS + place))
    plain = list(dataset.indicators(plan.compared, seed=READ_SEED, author=world.identity))
    progress("starting the servers")
    with ExitStack() as stack:
        compared = _name(plan.compared)
        given = {compared: plain, _name(plan.sizes[0]): plain[: plan.sizes[0]], "ingest": []}
        targets = {
            HUB: stack.enter_context(running_hub(world, workers=plan.workers, threads=THREADS)),
            OPENTAXII: stack.enter_context(
                running_opentaxii(folder / "opentaxii", environment(kept), given, workers=plan.workers, threads=THREADS)
            ),
            MEDALLION: stack.enter_context(
                measured_medallion(folder / "medallion", {"read": plain[: plan.medallion], "ingest": []})
            ),
            FLOOR: stack.enter_context(
                running_floor(
                    folder / "floor",
                    {compared: _signed(world, plan.compared, READ_SEED)},
                    workers=plan.workers,
                    threads=THREADS,
                )
            ),
        }
        results.servers.update({name: target.note for name, target in targets.items()})
        progress("warming up")
        for server, name in ((HUB, _name(plan.sizes[0])), (FLOOR, compared), (OPENTAXII, _name(plan.sizes[0]))):
            scenarios.full_read(targets[server], name, 1 if server == OPENTAXII else plan.workers * THREADS)(0)
        ids = [indicator["id"] for indicator in plain]
        _reads(plan, targets, results, progress)
        _pages(plan, targets, results, progress)
        _small(plan, targets, ids, results, progress)
        _memory(targets, results, "after reading")
        _ingest(plan, world, targets, results, progress)
        _memory(targets, results, "after everything")
    _compare(plan, results)


def _name(size: int) -> str:
    return f"s{size}"


def _signed(world: World, count: int, seed: int) -> Iterator[Indicator]:
    made = dataset.indicators(count, seed=seed, author=world.identity)
    return (dataset.signed(indicator, world.private_key) for indicator in made)


def _reads(plan: Plan, targets: dict[str, Target], results: Results, progress: Progress) -> None:
    name = _name(plan.compared)
    for clients in (1, 4):
        progress(f"full read of {plan.compared:,}, {clients} clients")
        runs = {}
        for server in (HUB, FLOOR, OPENTAXII) if clients == 1 else (HUB, FLOOR):
            runs[server] = (targets[server], scenarios.full_read(targets[server], name, clients), "")
        if clients == 1:
            small = f"only {plan.medallion:,} objects"
            runs[MEDALLION] = (targets[MEDALLION], scenarios.full_read(targets[MEDALLION], "read", clients), small)
        scenarios.in_turns(results, plan.repeats, _read_name(plan, clients), runs)
    progress("full read of OpenTAXII in one answer")
    target = targets[OPENTAXII]
    whole = {OPENTAXII: (target, scenarios.full_read(target, name, 1, limit=None), "no limit: one answer")}
    scenarios.in_turns(results, plan.repeats, _whole_name(plan), whole)


def _read_name(plan: Plan, clients: int) -> str:
    return f"full read of {plan.compared:,}, {clients} client{'s' if clients > 1 else ''}"


def _whole_name(plan: Plan) -> str:
    return f"full read of {plan.compared:,} in one answer"


def _pages(plan: Plan, targets: dict[str, Target], results: Results, progress: Progress) -> None:
    progress("page times")
    scenarios.page_times(results, targets[HUB], {_name(size): size for size in plan.sizes}, plan.repeats)
    shared = dict.fromkeys((plan.sizes[0], plan.compared))
    scenarios.page_times(results, targets[OPENTAXII], {_name(size): size for size in shared}, plan.repeats, calls=1)
    scenarios.page_times(results, targets[FLOOR], {_name(plan.compared): plan.compared}, plan.repeats)


def _small(plan: Plan, targets: dict[str, Target], ids: Sequence[str], results: Results, progress: Progress) -> None:
    for server, collection, size, requests in (
        (HUB, _name(plan.compared), plan.compared, plan.requests),
        (FLOOR, _name(plan.compared), plan.compared, plan.requests),
        (OPENTAXII, _name(plan.compared), plan.compared, 20),
        (MEDALLION, "read", plan.medallion, 20),
    ):
        progress(f"small requests to {server}")
        scenarios.small_requests(
            results,
            targets[server],
            collection,
            ids[:size],
            plan.repeats,
            requests=requests,
            size=size,
            filters=server in (HUB, OPENTAXII),
        )


def _ingest(plan: Plan, world: World, targets: dict[str, Target], results: Results, progress: Progress) -> None:
    seed = READ_SEED
    for size, clients in plan.shapes:
        progress(f"ingest in envelopes of {size}, {clients} clients")
        runs = {}
        for server, count in plan.ingest.items():
            batches = []
            for _ in range(plan.repeats):
                seed += 1
                made = (
                    _signed(world, count, seed)
                    if server == HUB
                    else dataset.indicators(count, seed=seed, author=world.identity)
                )
                batches.append(dataset.envelopes(list(made), min(size, count // clients)))
            target = targets[server]
            runs[server] = (target, scenarios.ingest(target, batches, clients), f"{count:,} objects")
        scenarios.in_turns(results, plan.repeats, _ingest_name(size, clients), runs)


def _ingest_name(size: int, clients: int) -> str:
    return f"ingest, envelopes of {size}, {clients} client{'s' if clients > 1 else ''}"


def _memory(targets: dict[str, Target], results: Results, when: str) -> None:
    for server, target in targets.items():
        results.add(f"memory {when}", server, "MiB", [target.resident_bytes() / 2**20], "all its processes")


def _compare(plan: Plan, results: Results) -> None:
    for size, clients in plan.shapes:
        name = _ingest_name(size, clients)
        results.compare(f"{name}: hub to OpenTAXII", name, HUB, OPENTAXII, 20)
        results.compare_cost(f"{name}: CPU per object, OpenTAXII to hub", f"{name}, server CPU", HUB, OPENTAXII)
        results.compare(f"{name}: hub to medallion", name, HUB, MEDALLION)
    name = _read_name(plan, 1)
    results.compare(f"{name}: hub to OpenTAXII", name, HUB, OPENTAXII, 40)
    whole = f"{_whole_name(plan)}: hub in pages to OpenTAXII in one answer"
    own, other = results.median(name, HUB), results.median(_whole_name(plan), OPENTAXII)
    if own and other:
        results.ratios.append(Ratio(whole, own / other))
    for clients in (1, 4):
        name = _read_name(plan, clients)
        results.compare_cost(f"{name}: CPU per object, OpenTAXII to hub", f"{name}, server CPU", HUB, OPENTAXII)
        results.compare(f"{name}: hub to plain prototype", name, HUB, FLOOR)
    name = _read_name(plan, 1)
    results.compare(f"{name}: hub to medallion at {plan.medallion:,}", name, HUB, MEDALLION)
    for share in ("p50", "p99"):
        found = results.median(f"get one object of {plan.compared:,}, {share}", HUB)
        if found is not None:
            results.ratios.append(Ratio(f"get one object of {plan.compared:,}, {share}", found, 3, True, "ms"))
    spread = scenarios.flatness(results, HUB, plan.sizes)
    if spread is not None:
        what = f"page time of {max(plan.sizes):,} to {min(plan.sizes):,} objects, worst place"
        results.ratios.append(Ratio(what, spread, 1.5, True))
    for size, option in ((100_000, "without --sizes"), (LARGE, "with --large")):
        if size not in plan.sizes:
            results.missing.append(f"pages of {size:,} objects: run {option}.")
    results.missing.append("OpenTAXII with 4 clients: one client keeps its processes busy for minutes already.")
