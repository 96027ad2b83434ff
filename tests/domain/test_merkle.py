"""The tree is RFC 6962's: the published vectors, Go's proofs, the definition by recursion; no other proof passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import merkle
from tests.domain.tlog_vectors import GO, GO_LEAVES, RFC6962, hashes_of, numbered, octets, reference_root

LEAVES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in RFC6962["leaves"]]
ROOTS = [merkle.EMPTY_ROOT, *(bytes.fromhex(root) for root in RFC6962["roots"])]
MANY = numbered(300)
GO_HASHES = [merkle.leaf_hash(data) for data in GO_LEAVES]


def test_every_published_root_is_computed() -> None:
    hashes = hashes_of(LEAVES)
    assert [merkle.root(size, hashes) for size in range(9)] == ROOTS


@pytest.mark.parametrize("case", RFC6962["inclusion"], ids=lambda case: f"{case['index']}-of-{case['size']}")
def test_every_published_inclusion_proof_is_made_and_verified(case: dict[str, Any]) -> None:
    proof = [bytes.fromhex(each) for each in case["proof"]]
    index, size = case["index"], case["size"]
    assert merkle.inclusion_proof(index, size, hashes_of(LEAVES)) == proof
    assert merkle.verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@pytest.mark.parametrize("case", RFC6962["consistency"], ids=lambda case: f"{case['old']}-to-{case['new']}")
def test_every_published_consistency_proof_is_made_and_verified(case: dict[str, Any]) -> None:
    proof = [bytes.fromhex(each) for each in case["proof"]]
    old, new = case["old"], case["new"]
    assert merkle.consistency_proof(old, new, hashes_of(LEAVES)) == proof
    assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_every_proof_that_go_makes_is_ours_and_is_verified() -> None:
    hashes = hashes_of(GO_HASHES)
    roots = {size: merkle.root(size, hashes) for case in GO["consistency"] for size in (case["old"], case["new"])}
    for case in GO["inclusion"]:
        index, size, proof = case["index"], case["size"], octets(case["proof"] or [])
        assert merkle.inclusion_proof(index, size, hashes) == proof
        assert merkle.verify_inclusion(index, size, GO_HASHES[index], proof, merkle.root(size, hashes))
    for case in GO["consistency"]:
        old, new, proof = case["old"], case["new"], octets(case["proof"] or [])
        assert merkle.consistency_proof(old, new, hashes) == proof
        assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)


@given(st.data())
def test_a_proof_of_inclusion_is_verified_and_every_change_of_it_is_not(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(MANY)))
    index = data.draw(st.integers(0, size - 1))
    root = reference_root(MANY[:size])
    proof = merkle.inclusion_proof(index, size, hashes_of(MANY))
    assert merkle.verify_inclusion(index, size, MANY[index], proof, root)
    other = data.draw(st.integers(-1, size).filter(lambda value: value != index))
    assert not merkle.verify_inclusion(other, size, MANY[index], proof, root)
    assert not merkle.verify_inclusion(index, size, MANY[(index + 1) % len(MANY)], proof, root)
    for changed in _changes(proof, data):
        assert not merkle.verify_inclusion(index, size, MANY[index], changed, root)


@given(st.data())
def test_a_proof_of_consistency_is_verified_and_every_change_of_it_is_not(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(MANY)))
    old = data.draw(st.integers(0, new))
    roots = reference_root(MANY[:old]), reference_root(MANY[:new])
    proof = merkle.consistency_proof(old, new, hashes_of(MANY))
    assert merkle.verify_consistency(old, new, *roots, proof)
    if old < new:
        assert not merkle.verify_consistency(old, new, roots[1], roots[0], proof)
        assert not merkle.verify_consistency(old + 1, new, *roots, proof)
    assert not merkle.verify_consistency(new + 1, new, *roots, proof)
    for changed in _changes(proof, data):
        assert not merkle.verify_consistency(old, new, *roots, changed)


@given(st.data())
def test_a_tree_that_was_changed_is_not_consistent_whatever_is_offered(data: st.DataObject) -> None:
    """The old tree is replaced at one leaf; neither the honest proof nor that of the forger connects the roots."""
    new = data.draw(st.integers(2, 120))
    old = data.draw(st.integers(1, new))
    place = data.draw(st.integers(0, old - 1))
    forged = [*MANY[:place], merkle.leaf_hash(b"forged"), *MANY[place + 1 :]]
    roots = reference_root(MANY[:old]), reference_root(forged[:new])
    for leaves in (MANY, forged):
        proof = merkle.consistency_proof(old, new, hashes_of(leaves))
        assert not merkle.verify_consistency(old, new, *roots, proof)


def _changes(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """Return the proof with something added, and, if there is anything, with something lost, cut or flipped."""
    changed = [[*proof, MANY[0]], [MANY[0], *proof]]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        changed += [[*proof[:place], value, *proof[place + 1 :]] for value in (flipped, proof[place][:-1], b"")]
        changed += [proof[:-1], proof[1:]]
    return changed


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        merkle.inclusion_proof(index, size, hashes_of(MANY))
    assert not merkle.verify_inclusion(index, size, MANY[0], [], MANY[0])


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1)])
def test_there_is_no_proof_that_a_log_shrank(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="smaller"):
        merkle.consistency_proof(old, new, hashes_of(MANY))


def test_a_tree_of_a_million_million_leaves_is_proved_without_recursion() -> None:
    """All leaves are equal, so that each complete subtree has one hash per level."""
    levels = [merkle.leaf_hash(b"")]
    for _ in range(45):
        levels.append(merkle.node_hash(levels[-1], levels[-1]))
    size = 10**12 + 7
    root = merkle.root(size, lambda level, _: levels[level])
    proof = merkle.inclusion_proof(size - 1, size, lambda level, _: levels[level])
    assert merkle.verify_inclusion(size - 1, size, levels[0], proof, root)
