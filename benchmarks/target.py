"""One server under measurement: where it listens, how to call it, and what it may be asked."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

TAXII = "application/taxii+json;version=2.1"


@dataclass(frozen=True, slots=True)
class Target:
    """A running TAXII server.

    :param collections: path of each collection's objects endpoint, with trailing slash, by the run's name for it.
    :param note: what the reader of a figure must know about how the server runs.
    """

    name: str
    host: str
    port: int
    authorization: str
    status_path: str
    collections: dict[str, str]
    pid: int
    note: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        return {"Accept": TAXII, "Authorization": self.authorization, **self.headers}

    def cpu_seconds(self) -> float:
        """Return the processor time the server's whole process tree has used so far."""
        return sum(_cpu_seconds(pid) for pid in process_tree(self.pid))

    def resident_bytes(self) -> int:
        """Return the proportional set size of the server's whole process tree, in octets."""
        return sum(_proportional_set_size(pid) for pid in process_tree(self.pid))


def process_tree(root: int) -> list[int]:
    """Return the process and everything it started that still runs."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    tree, position = [root], 0
    while position < len(tree):
        tree.extend(children.get(tree[position], ()))
        position += 1
    return tree


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _proportional_set_size(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return 0
