"""`python -m benchmarks.exports`: how long an export of many indicators takes, and how much memory.

Measured in the process itself, from the store to the last octet: seconds of the clock and of a processor, and the peak
of what Python allocates.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import tracemalloc
import uuid
from pathlib import Path

from hub.client import keyfile
from hub.domain.audience import WHOLE_GROUP
from hub.domain.membership import Caller, PeerKind, Right, Role
from hub.domain.stix import version_key
from hub.domain.stix_validation import StixValidator
from hub.exports.options import Options
from hub.services import collections, exports, groups, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.services.exports import Asked
from hub.services.schema_files import read_schemas
from hub.store import entries
from hub.store.database import Database
from hub.store.entries import NewEntry

FORMATS = ("ip", "domain", "suricata", "rpz", "csv", "stix", "misp")
STAMP = "2026-01-01T00:00:00.000Z"
"""Of every indicator; the clock of the hub is the machine's."""


def main() -> None:
    """Fill a hub, make each export once, print one line each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--indicators", type=int, default=100_000, metavar="N")
    parser.add_argument("--formats", nargs="+", default=FORMATS, metavar="NAME")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hub = _hub(Path(folder), options.indicators)
        reader = Caller(peers.shown(hub, OPERATOR, "aa"), 0, Role.FEED)
        for name in options.formats:
            asked = Asked(reader, "alpha", None, name, Options())
            begun, busy = time.perf_counter(), time.process_time()
            made = exports.make(hub, asked)
            seconds, busy = time.perf_counter() - begun, time.process_time() - busy
            again = time.perf_counter()
            exports.make(hub, asked, known=frozenset({made.digest}))
            unchanged = time.perf_counter() - again
            tracemalloc.start()
            exports.make(hub, asked)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            entries_ = 0 if made.account is None else made.account.entries
            print(
                f"{name:9} {options.indicators:,} indicators -> {entries_:,} entries, {made.size / 1e6:.1f} MB: "
                f"{seconds:.2f} s ({busy:.2f} s of a processor), peak {peak / 1e6:.0f} MB; "
                f"unchanged: {unchanged * 1000:.1f} ms"
            )


def _hub(folder: Path, count: int) -> Hub:
    database = Database.open(f"sqlite:///{folder / 'hub.sqlite3'}")
    database.migrate()
    numbers = iter(range(1_000_000_000))
    hub = Hub(
        db=database,
        clock=lambda: time.time_ns() // 1000,
        token_bytes=lambda size: next(numbers).to_bytes(size, "big"),
        validator=StixValidator(read_schemas()),
        cursor_key=bytes(32),
        signing_key=keyfile.generate(),
        log_key=keyfile.generate(),
    )
    peers.add(hub, OPERATOR, handle="aa", name="AA", kind=PeerKind.NATIONAL)
    groups.add(hub, OPERATOR, slug="alpha", title="Alpha")
    members.put(hub, OPERATOR, "alpha", "aa", {Right.READ, Right.WRITE})
    opened = next(one for one, _ in collections.listed(hub, OPERATOR, "alpha")[1] if one.alias == "indicators")
    peer = peers.shown(hub, OPERATOR, "aa")
    for start in range(0, count, 5_000):
        with database.write() as tx:
            entries.lock(tx, opened.id)
            some = [_entry(number, peer.id) for number in range(start, min(start + 5_000, count))]
            entries.insert(tx, opened.id, hub.clock(), some)
    return hub


def _entry(number: int, peer_id: int) -> NewEntry:
    """Return an indicator: half of them addresses, a quarter names, the rest hashes."""
    patterns = (
        f"[ipv4-addr:value = '{45 + number % 20}.{number // 65_536 % 256}.{number // 256 % 256}.{number % 256}']",
        f"[domain-name:value = 'host{number}.evil{number % 977}.net']",
        f"[ipv4-addr:value = '{85 + number % 20}.{number // 65_536 % 256}.{number // 256 % 256}.{number % 256}']",
        f"[file:hashes.'SHA-256' = '{number:064x}']",
    )
    stix_id = f"indicator--{uuid.uuid5(uuid.NAMESPACE_URL, str(number))}"
    body = json.dumps(
        {
            "created": STAMP,
            "created_by_ref": "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",
            "id": stix_id,
            "indicator_types": ["malicious-activity"],
            "modified": STAMP,
            "name": f"Indicator {number}",
            "pattern": patterns[number % 4],
            "pattern_type": "stix",
            "spec_version": "2.1",
            "type": "indicator",
            "valid_from": STAMP,
        },
        separators=(",", ":"),
    ).encode()
    return NewEntry(
        stix_id=stix_id,
        type="indicator",
        version=STAMP,
        version_key=version_key(STAMP),
        sha256=hashlib.sha256(body).digest(),
        body=body,
        author_identity=None,
        introduced=False,
        submitter_peer_id=peer_id,
        submission_uuid=str(uuid.UUID(int=0)),
        audience=WHOLE_GROUP,
        tlp="amber",
        rule="tlp",
        reason="benchmark",
    )


if __name__ == "__main__":
    main()
