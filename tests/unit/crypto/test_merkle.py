"""The RFC 9162 tree against the definition itself and against the published example hashes."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.crypto.merkle import (
    InclusionProofInvalid,
    MerkleTree,
    leaf_hash,
    root_from_path,
    verify_inclusion,
)

# The test leaves of RFC 6962 implementations (certificate-transparency merkletree tests), whose
# roots are published for every size from 1 to 8.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def definition(leaves: list[bytes]) -> bytes:
    """Return MTH of RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + definition(leaves[:split]) + definition(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    tree = MerkleTree([leaf_hash(leaf) for leaf in LEAVES[:size]])
    assert tree.root.hex() == ROOTS[size - 1]


@pytest.mark.parametrize("size", [*range(70), 127, 128, 129, 1000])
def test_roots_and_paths_follow_the_definition(size: int) -> None:
    leaves = [leaf_hash(bytes([n % 256, n // 256])) for n in range(size)]
    tree = MerkleTree(leaves)
    assert tree.root == definition(leaves)
    for index in range(size):
        verify_inclusion(leaves[index], index, size, tree.inclusion_path(index), tree.root)


@given(st.integers(2, 80), st.data())
def test_a_path_is_good_for_its_own_index_size_and_leaf_alone(
    size: int, data: st.DataObject
) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    tree = MerkleTree(leaves)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    path = tree.inclusion_path(index)
    for leaf, at, of, nodes in (
        (leaves[other], index, size, path),
        (leaves[index], other, size, path),
        (leaves[index], index, size, path[:-1]),
        (leaves[index], index, size, (*path, bytes(32))),
        (leaves[index], index, size, (*path[:-1], bytes(32))),
        (leaves[index], -1, size, path),
        (leaves[index], size, size, path),
    ):
        with pytest.raises(InclusionProofInvalid):
            verify_inclusion(leaf, at, of, nodes, tree.root)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(4)]
    tree = MerkleTree(leaves)
    node = tree.inclusion_path(0)[1]
    with pytest.raises(InclusionProofInvalid):
        verify_inclusion(
            leaf_hash(leaves[2] + leaves[3]), 1, 2, tree.inclusion_path(0)[1:], tree.root
        )
    assert (
        root_from_path(sha256(b"\x01" + leaves[0] + leaves[1]).digest(), 0, 2, [node]) == tree.root
    )


def test_repeating_the_odd_last_leaf_changes_the_root() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(3)]
    assert MerkleTree(leaves).root != MerkleTree([*leaves, leaves[-1]]).root


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_and_no_leaf_outside_the_tree(index: int) -> None:
    tree = MerkleTree([bytes(32)] * 3)
    with pytest.raises(IndexError):
        tree.inclusion_path(index)
    with pytest.raises(IndexError):
        tree.leaf(index)


def test_leaves_may_come_one_by_one_and_are_kept_in_order() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(5)]
    tree = MerkleTree(leaf for leaf in leaves)
    assert [tree.leaf(n) for n in range(tree.size)] == leaves
    assert tree.root == MerkleTree(leaves).root


@pytest.mark.parametrize("lengths", [(31,), (32, 33), (31, 33), (0, 64)])
def test_there_is_no_tree_over_leaves_of_another_length(lengths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MerkleTree([bytes(length) for length in lengths])


def as_the_rfc_says(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Return the root by RFC 9162 §2.1.3.2, word for word; None where it says to fail."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = sha256(b"\x01" + p + r).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


@given(st.data(), st.sampled_from([1, 2, 3, 7, 8, 9, 1000, 2**20, 2**20 + 1, 2**40 - 1, 2**40]))
def test_a_path_is_followed_as_the_rfc_says(data: st.DataObject, largest: int) -> None:
    size = data.draw(st.integers(1, largest))
    index = data.draw(st.one_of(st.integers(0, size - 1), st.just(size - 1)))
    height = data.draw(st.one_of(st.integers(0, 42), st.just((size - 1).bit_length())))
    path = [sha256(bytes([n])).digest() for n in range(height)]
    expected = as_the_rfc_says(bytes(32), index, size, path)
    if expected is None:
        with pytest.raises(InclusionProofInvalid):
            root_from_path(bytes(32), index, size, path)
    else:
        assert root_from_path(bytes(32), index, size, path) == expected


def test_a_path_with_nodes_of_other_lengths_is_refused() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(4)]
    first, second = MerkleTree(leaves).inclusion_path(0)
    joined = first + second
    for path in ([joined[:31], joined[31:]], [first, b""], [first, second + b"\0"]):
        with pytest.raises(InclusionProofInvalid):
            root_from_path(leaves[0], 0, 4, path)
