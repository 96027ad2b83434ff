"""The published and foreign answers about logs, see tests/vectors/tlog/SOURCE.md."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from hub.domain import merkle
from hub.domain.merkle import HashAt

DIRECTORY = Path(__file__).parents[1] / "vectors" / "tlog"
RFC6962: dict[str, Any] = json.loads((DIRECTORY / "rfc6962.json").read_bytes())
GO: dict[str, Any] = json.loads((DIRECTORY / "go.json").read_bytes())
C2SP: dict[str, Any] = json.loads((DIRECTORY / "c2sp.json").read_bytes())
GO_LEAVES = [hashlib.sha256(f"leaf {number}".encode()).digest() for number in range(700)]


def octets(encoded: list[str]) -> list[bytes]:
    """Return hashes out of base64."""
    return [base64.b64decode(each) for each in encoded]


def reference_root(leaves: list[bytes]) -> bytes:
    """Return MTH of leaf hashes as RFC 6962 §2.1 defines it, by recursion."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + reference_root(leaves[:split]) + reference_root(leaves[split:])).digest()


def hashes_of(leaves: list[bytes]) -> HashAt:
    """Return the hashes of complete subtrees over these leaf hashes."""
    return lambda level, index: reference_root(leaves[index << level : (index + 1) << level])


def numbered(count: int) -> list[bytes]:
    """Return so many different leaf hashes."""
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]
