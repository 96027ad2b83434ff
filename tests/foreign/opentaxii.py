"""A real OpenTAXII 0.9.3 in its own process and its own environment, which is made once per machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.opentaxii_server import environment
from benchmarks.opentaxii_server import running_opentaxii as benchmarked
from benchmarks.target import Target


def opentaxii_bin() -> Path:
    """Return the bin folder of its environment, installed from PyPI by whoever comes first; the others wait.

    Raises CalledProcessError when it cannot be installed: without it, what these tests say is not known.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cybex-tests"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "opentaxii.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return environment(cache)


@contextmanager
def running_opentaxii(folder: Path, collections: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[Target]:
    """Give an OpenTAXII with these collections, by alias."""
    with benchmarked(folder, opentaxii_bin(), collections, workers=1, threads=2) as server:
        yield server
