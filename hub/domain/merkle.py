"""The Merkle tree of RFC 6962 (§2.1) and RFC 9162 (§2.1): hashes, roots, and proofs that are made and checked.

What makes a proof asks for hashes of complete subtrees, wherever they come from; what checks one trusts nothing but the
roots it is given. Nothing here recurses, so the size of a tree costs time and never the stack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

HASH_BYTES: Final = 32

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""

HashAt: TypeAlias = Callable[[int, int], bytes]
"""``(level, index)`` to the hash of the complete subtree over the leaves from ``index << level`` to
``(index + 1) << level``; level 0 are the leaf hashes."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962 §2.1: a zero octet keeps it apart from a node)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(size: int, hashes: HashAt) -> bytes:
    """Return the root of the tree over the first ``size`` leaves."""
    return EMPTY_ROOT if size == 0 else _range(0, size, hashes)


def inclusion_proof(index: int, size: int, hashes: HashAt) -> list[bytes]:
    """Return the audit path of a leaf, from the leaf upwards (RFC 6962 §2.1.1).

    Raises ValueError unless ``0 <= index < size``.
    """
    if not 0 <= index < size:
        raise ValueError("the leaf is not in a tree of this size")
    low, high = 0, size
    path: list[bytes] = []
    while high - low > 1:
        split = low + _split(high - low)
        if index < split:
            path.append(_range(split, high, hashes))
            high = split
        else:
            path.append(_range(low, split, hashes))
            low = split
    return path[::-1]


def consistency_proof(old: int, new: int, hashes: HashAt) -> list[bytes]:
    """Return the proof that the first ``old`` leaves of a tree of ``new`` are the tree they were (RFC 6962 §2.1.2).

    It is empty where nothing needs proof: from no leaves, or between equal sizes. Raises ValueError unless
    ``0 <= old <= new``.
    """
    if not 0 <= old <= new:
        raise ValueError("the first tree is not smaller than the second")
    if old in (0, new):
        return []
    low, high = 0, new
    known = True  # whether the subtree that is left is one whose root the checker already has
    path: list[bytes] = []
    while old != high:
        split = low + _split(high - low)
        if old <= split:
            path.append(_range(split, high, hashes))
            high = split
        else:
            path.append(_range(low, split, hashes))
            low, known = split, False
    if not known:
        path.append(_range(low, high, hashes))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether the proof leads from a leaf's hash to the root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    node, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            reached = node_hash(sibling, reached)
            while node and not node & 1:  # it was the rightmost: there is no sibling until it is a right child
                node, last = node >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and reached == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the old tree is the beginning of the new one (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not proof:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_reached = new_reached = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_reached, new_reached = node_hash(sibling, old_reached), node_hash(sibling, new_reached)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new_reached = node_hash(new_reached, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_reached == old_root and new_reached == new_root


def _range(low: int, high: int, hashes: HashAt) -> bytes:
    """Return the hash over leaves that begin where a complete subtree of at least their number does."""
    peaks: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        peaks.append(hashes(level, low >> level))
        low += 1 << level
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    reached = peaks[-1]
    for peak in reversed(peaks[:-1]):
        reached = node_hash(peak, reached)
    return reached


def _split(count: int) -> int:
    """Return the largest power of two below a number of leaves."""
    return 1 << ((count - 1).bit_length() - 1)


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
