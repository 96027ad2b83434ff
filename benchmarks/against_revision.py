"""`python -m benchmarks.against_revision REV`: what ingest costs here, as a ratio to an earlier revision, in one run.

Both are measured in turns, in processes of their own, by processor time: the machine's other work hardly changes that.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROUNDS = 7
OBJECTS = 500
SIZES = (1, 10, 500)
"""Objects in an envelope: a single report, a small one, a feed's."""

# Only what both revisions have; it prints microseconds of processor time per object.
PROGRAM = """
import sys, tempfile, time
from pathlib import Path
from benchmarks import dataset
from benchmarks.hub_world import SLUG, make_world
from hub.services import access, garbage, ingest

def submit(world, body):
    with world.hub.db.read() as tx:
        opened = access.collection(tx, world.caller, SLUG, world.collections["ingest"])
    status = ingest.submit(world.hub, world.caller, opened, body)
    assert not status.failures

size, objects = int(sys.argv[1]), int(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    world = make_world(Path(folder) / "hub", ["ingest"])
    made = dataset.indicators(objects + size, seed=1, author=world.identity)
    signed = [dataset.signed(one, world.private_key) for one in made]
    envelopes = [dataset.envelope(signed[at : at + size]) for at in range(0, len(signed), size)]
    submit(world, envelopes[0])
    garbage.settle()
    before = time.process_time()
    for body in envelopes[1:]:
        submit(world, body)
    print((time.process_time() - before) / objects * 1e6)
"""


def main(arguments: Sequence[str]) -> int:
    """Print the ratio of processor time per object for each size of envelope; exit code 2 without a revision."""
    if len(arguments) != 1:
        sys.stderr.write("name the revision to compare with, such as: python -m benchmarks.against_revision HEAD~1\n")
        return 2
    here = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        _git(here, "worktree", "add", "--quiet", "--detach", str(other), arguments[0])
        try:
            for size in SIZES:
                _report(here, other, size, arguments[0])
        finally:
            _git(here, "worktree", "remove", "--force", str(other))
    return 0


def _report(here: Path, other: Path, size: int, revision: str) -> None:
    pairs = [(_cost(other, size), _cost(here, size)) for _ in range(ROUNDS)]
    before, after = (statistics.median(one) for one in zip(*pairs, strict=True))
    ratios = sorted(now / then for then, now in pairs)
    print(
        f"envelopes of {size:3}: {before:7.1f} us/object at {revision}, {after:7.1f} here; ratio "
        f"{statistics.median(ratios):.2f} (least {ratios[0]:.2f}, most {ratios[-1]:.2f}, {ROUNDS} pairs)"
    )


def _cost(checkout: Path, size: int) -> float:
    command = [sys.executable, "-c", PROGRAM, str(size), str(OBJECTS)]
    return float(subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
