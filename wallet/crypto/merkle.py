"""The Merkle tree of RFC 9162 §2.1 with SHA-256: roots, inclusion paths and their verification.

Leaves are hashed here (`0x00 || data`), nodes with `0x01`, so a node never passes for a leaf.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from wallet.errors import RejectedError

HASH_BYTES: Final = 32
MAX_TREE_SIZE: Final = 2**40
_HASH_LENGTH: Final = frozenset((HASH_BYTES,))
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class InclusionProofInvalid(RejectedError):
    """The path does not lead from this leaf to this root at this index and size."""

    code = "inclusion_proof_invalid"


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data)."""
    return sha256(_LEAF + data).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


class MerkleTree:
    """A fixed tree over leaf hashes; keeps every level, about 64 bytes a leaf."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        """Build the tree over `leaf_hashes`, 32 bytes each, in order."""
        level = list(leaf_hashes)
        self._levels = [level]
        while len(level) > 1:
            # An odd last node moves up unchanged: that is what RFC 9162's split at the largest
            # power of two comes to, and duplicating it instead would be CVE-2012-2459.
            above = [_node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            if len(level) % 2:
                above.append(level[-1])
            self._levels.append(above)
            level = above

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The root hash; SHA-256 of nothing for the empty tree (RFC 9162 §2.1.1)."""
        return self._levels[-1][0] if self.size else sha256().digest()

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """Return the path of leaf `index`, from the leaf upwards. Raises `IndexError`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return tuple(path)


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that `path` leads to from the leaf hash (RFC 9162 §2.1.3.2).

    Raises `InclusionProofInvalid` when index, size and path length do not fit together; the
    caller must compare the result with a root it trusts.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise InclusionProofInvalid("the leaf index is outside the tree")
    if not _HASH_LENGTH.issuperset(map(len, path)):
        raise InclusionProofInvalid(f"the nodes of a path have {HASH_BYTES} bytes")
    node, last = index, size - 1
    current = leaf
    for sibling in path:
        if last == 0:
            raise InclusionProofInvalid("the path is longer than the tree is high")
        if node & 1 or node == last:
            current = sha256(_NODE + sibling + current).digest()
            if not node & 1:
                while node & 1 == 0 and node:
                    node >>= 1
                    last >>= 1
        else:
            current = sha256(_NODE + current + sibling).digest()
        node >>= 1
        last >>= 1
    if last:
        raise InclusionProofInvalid("the path is shorter than the tree is high")
    return current


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Return if `leaf` (a leaf hash) is at `index` in the tree of `size` with `root`.

    Raises `InclusionProofInvalid`. Does not check that the root is anchored.
    """
    if root_from_path(leaf, index, size, path) != root:
        raise InclusionProofInvalid("the path does not lead to the root")
