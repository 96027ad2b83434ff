"""Indicators as a national CIRT shares them, about 1 KB each, the same for the same seed: what every server is fed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from hub.domain import signature_profile
from hub.domain.key_material import PrivateKey

Indicator = dict[str, Any]

TLP_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
SIGNED_AT = "2026-11-01T00:00:00.000Z"

_FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
_WORDS = (
    *("invoice", "portal", "update", "secure", "login", "mail", "cloud", "service", "account", "billing", "support"),
    *("delivery", "tax", "customs", "energy", "grid", "telecom", "transfer", "ministry", "health", "water", "rail"),
    *("harbour", "archive", "session", "gateway"),
)
_ENDINGS = ("com", "net", "org", "info", "example", "top", "site")
_PHASES = ("reconnaissance", "delivery", "exploitation", "installation", "command-and-control", "actions-on-objectives")
_MALWARE = ("loader", "stealer", "banker", "dropper", "wiper", "backdoor", "miner", "remote access tool")
_SECTORS = ("energy", "telecommunications", "government", "healthcare", "finance", "transport")


def indicators(count: int, *, seed: int, author: str) -> Iterator[Indicator]:
    """Yield ``count`` unsigned indicators by ``author``; two seeds share no id."""
    rng = random.Random(f"cybex benchmark {seed}")
    for place in range(count):
        yield _indicator(rng, place, author)


def signed(indicator: Indicator, private_key: PrivateKey) -> Indicator:
    """Return the indicator with its author's inline X.590 signature, as the hub demands it."""
    signature_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, indicator["id"]))
    return signature_profile.sign_inline(
        indicator,
        private_key,
        identity=indicator["created_by_ref"],
        created=SIGNED_AT,
        signature_uuid=signature_uuid,
    )


def envelope(objects: Sequence[Indicator]) -> bytes:
    """Return the TAXII envelope as bytes on the wire."""
    return orjson.dumps({"objects": list(objects)})


def envelopes(objects: Sequence[Indicator], size: int) -> list[bytes]:
    """Return envelopes of ``size`` objects, the last one perhaps shorter."""
    return [envelope(objects[start : start + size]) for start in range(0, len(objects), size)]


def _indicator(rng: random.Random, place: int, author: str) -> Indicator:
    created = _FIRST_DAY + timedelta(seconds=place * 17, milliseconds=rng.randrange(1000))
    stamp = created.strftime("%Y-%m-%dT%H:%M:%S.") + f"{created.microsecond // 1000:03d}Z"
    until = (created + timedelta(days=90)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    malware, sector, phase = rng.choice(_MALWARE), rng.choice(_SECTORS), rng.choice(_PHASES)
    what, pattern = _observable(rng)
    case = f"CIRT-2025-{rng.randrange(100_000):05d}"
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.UUID(int=rng.getrandbits(128), version=4)}",
        "created_by_ref": author,
        "created": stamp,
        "modified": stamp,
        "confidence": rng.randrange(40, 100),
        "description": (
            f"Observed while handling {case}: the {what} was used by a {malware} against {sector} organisations. "
            f"Seen in {rng.randrange(2, 40)} networks; first contact over port {rng.choice((80, 443, 8080, 8443))}. "
            f"Block and search at least {rng.randrange(30, 180)} days back."
        ),
        "external_references": [{"source_name": "cirt-case", "external_id": case}],
        "indicator_types": ["malicious-activity"],
        "kill_chain_phases": [{"kill_chain_name": "lockheed-martin-cyber-kill-chain", "phase_name": phase}],
        "labels": [malware.replace(" ", "-"), f"sector-{sector}", "cirt-shared"],
        "lang": "en",
        "name": f"{malware}: {what}",
        "object_marking_refs": [TLP_GREEN],
        "pattern": pattern,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": stamp,
        "valid_until": until,
    }


def _observable(rng: random.Random) -> tuple[str, str]:
    """Return what it is and the pattern, mixed as in published feeds: domains first, then URLs, files, servers."""
    domain = f"{rng.choice(_WORDS)}-{rng.choice(_WORDS)}{rng.randrange(10_000)}.{rng.choice(_ENDINGS)}"
    draw = rng.random()
    if draw < 0.4:
        return "domain", f"[domain-name:value = '{domain}']"
    if draw < 0.6:
        return "address", f"[url:value = 'https://{domain}/{rng.choice(_WORDS)}/{rng.getrandbits(40):010x}.php']"
    if draw < 0.75:
        address = f"203.0.113.{rng.randrange(256)}"
        port = rng.choice((443, 4444, 8443))
        return (
            "server",
            f"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '{address}'"
            f" AND network-traffic:dst_port = {port}]",
        )
    sha256, md5 = f"{rng.getrandbits(256):064x}", f"{rng.getrandbits(128):032x}"
    return "file", f"[file:hashes.'SHA-256' = '{sha256}' OR file:hashes.MD5 = '{md5}']"
