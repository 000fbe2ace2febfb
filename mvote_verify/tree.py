"""The tree of RFC 9162 §2.1 with SHA-256."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\0" + leaf).digest()


class GrowingTree:
    """Takes leaf hashes one by one and gives the root of those it has."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        """Roots of the full subtrees, the largest first, one for each bit of the size."""

    def add(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = sha256(b"\1" + self._peaks.pop() + leaf).digest()
            size >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = sha256(b"\1" + peak + node).digest()
        return node


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    tree = GrowingTree()
    for leaf in leaf_hashes:
        tree.add(leaf)
    return tree.root()


def roots_at(leaf_hashes: Sequence[bytes], sizes: Sequence[int]) -> list[bytes]:
    """Roots at these sizes, which ascend and are not above the number of leaves."""
    tree = GrowingTree()
    roots = []
    for size in sizes:
        for leaf in leaf_hashes[tree.size : size]:
            tree.add(leaf)
        roots.append(tree.root())
    return roots
