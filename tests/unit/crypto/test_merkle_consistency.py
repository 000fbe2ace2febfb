"""Consistency paths of RFC 9162: a board that grew, and boards that did not merely grow."""

import pytest

from wallet.crypto.merkle import (
    ConsistencyProofInvalid,
    MerkleTree,
    leaf_hash,
    verify_consistency,
)

SIZES = 40
LEAVES = [leaf_hash(bytes([number])) for number in range(SIZES)]
TREES = [MerkleTree(LEAVES[:size]) for size in range(SIZES + 1)]
PAIRS = [(old, size) for size in range(1, SIZES + 1) for old in range(1, size + 1)]


def test_every_tree_begins_with_every_smaller_one() -> None:
    for old, size in PAIRS:
        path = TREES[size].consistency_path(old)
        verify_consistency(old, TREES[old].root, size, TREES[size].root, path)
    verify_consistency(0, TREES[0].root, 7, TREES[7].root, ())


def test_rejects_another_root_a_longer_and_a_shorter_path() -> None:
    for old, size in PAIRS:
        path = TREES[size].consistency_path(old)
        wrong = [
            (bytes(32), TREES[size].root, path),
            (TREES[old].root, bytes(32), path),
            (TREES[old].root, TREES[size].root, (*path, bytes(32))),
            (TREES[old].root, TREES[size].root, path[:-1] if path else (bytes(32),)),
            (TREES[old].root, TREES[size].root, (b"short", *path[1:])),
        ]
        for old_root, root, nodes in wrong:
            with pytest.raises(ConsistencyProofInvalid):
                verify_consistency(old, old_root, size, root, nodes)


def test_rejects_a_board_that_was_rewritten() -> None:
    rewritten = MerkleTree([LEAVES[1], LEAVES[0], *LEAVES[2:20]])
    with pytest.raises(ConsistencyProofInvalid):
        verify_consistency(10, TREES[10].root, 20, rewritten.root, rewritten.consistency_path(10))


def test_rejects_a_tree_that_shrinks_or_another_empty_root() -> None:
    with pytest.raises(ConsistencyProofInvalid):
        verify_consistency(5, TREES[5].root, 4, TREES[4].root, ())
    with pytest.raises(ConsistencyProofInvalid):
        verify_consistency(0, bytes(32), 4, TREES[4].root, ())


@pytest.mark.parametrize("old", [0, 6])
def test_there_is_no_path_from_a_size_outside_the_tree(old: int) -> None:
    with pytest.raises(IndexError):
        TREES[5].consistency_path(old)
