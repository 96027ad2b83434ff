"""A strict reader of the zone files that the hub writes: what it does not know it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"(\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass
class Zone:
    """A zone: its name, its serial, and the target of each name."""

    origin: str = ""
    serial: int = 0
    ttl: int = 0
    policies: dict[str, str] = field(default_factory=dict)


def read_zone(text: str) -> Zone:
    """Return the zone. Fails on anything but comments, two directives, one SOA, one NS and CNAMEs, in this order."""
    zone = Zone()
    records = [line for line in text.split("\n") if not line.startswith(";")]
    assert records.pop() == ""
    assert all(line == line.strip() and line.isascii() and line.isprintable() for line in records)
    ttl = re.fullmatch(r"\$TTL ([0-9]+)", records.pop(0))
    origin = re.fullmatch(r"\$ORIGIN ([a-z0-9.-]+\.)", records.pop(0))
    assert ttl
    assert origin
    zone.ttl, zone.origin = int(ttl[1]), origin[1]
    soa = re.fullmatch(r"@ IN SOA ([a-z.]+\.) ([a-z.]+\.) ([0-9]+) [0-9]+ [0-9]+ [0-9]+ ([0-9]+)", records.pop(0))
    assert soa
    zone.serial = int(soa[3])
    assert 0 <= zone.serial < 2**32
    assert records.pop(0) == "@ IN NS localhost."
    for line in records:
        name, kind, target = line.split(" ")
        assert kind == "CNAME"
        assert _NAME.fullmatch(name), line
        assert target in (".", "*.", "rpz-drop.")
        whole = f"{name}.{zone.origin}"
        assert len(whole) <= 254
        assert whole not in zone.policies
        zone.policies[whole] = target
    return zone
