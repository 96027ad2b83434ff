"""`python -m benchmarks`: measure the hub, medallion and OpenTAXII on the same data, print the ratios, keep them."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import section
from benchmarks.machine import describe
from benchmarks.results import Results
from benchmarks.run import Plan, run

RESULTS = Path(__file__).with_name("RESULTS.md")
FOLDER = Path(__file__).parent.parent / "bench-data"


def main() -> int:
    """Run, print and write RESULTS.md; 0 whether or not the targets are met, the table says which are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print everything as JSON in place of the table")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs; writes no file")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="objects of the hub's read collections")
    parser.add_argument("--large", action="store_true", help="the hub with 1,000,000 objects as well")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="samples of each figure, at least 3")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="worker processes of each server")
    options = parser.parse_args()
    if options.repeats < 3:
        parser.error("--repeats must be at least 3: a median of fewer says nothing")
    plan = (
        Plan.quick(options.repeats, options.workers) if options.quick else Plan.full(options.repeats, options.workers)
    )
    if options.sizes:
        plan = plan.with_sizes(tuple(options.sizes))
    if options.large:
        plan = plan.with_large()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped too
    FOLDER.mkdir(exist_ok=True)
    results = Results(describe())
    with tempfile.TemporaryDirectory(prefix="run-", dir=FOLDER) as folder:
        run(plan, Path(folder), FOLDER, results, progress=lambda text: print(text, file=sys.stderr, flush=True))
    if not options.quick:
        RESULTS.write_text(results.as_markdown() + section.kept(RESULTS), encoding="utf-8")
    print(json.dumps(results.as_json(), indent=2) if options.json else results.as_markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
