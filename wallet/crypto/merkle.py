"""The Merkle tree of RFC 9162 §2.1 with SHA-256: roots, inclusion and consistency paths.

Leaves are hashed here (`0x00 || data`), nodes with `0x01`, so a node never passes for a leaf.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from struct import iter_unpack
from typing import Final

from wallet.errors import RejectedError

HASH_BYTES: Final = 32
MAX_TREE_SIZE: Final = 2**40
_LEAF: Final = b"\x00"
_PAIR_BYTES: Final = 2 * HASH_BYTES
# Copying a state that holds the prefix costs less than putting the prefix before every pair.
_NODE: Final = sha256(b"\x01")
_AT_A_TIME: Final = 16_384


class InclusionProofInvalid(RejectedError):
    """The path does not lead from this leaf to this root at this index and size."""

    code = "inclusion_proof_invalid"


class ConsistencyProofInvalid(RejectedError):
    """The path does not show that the larger tree begins with the smaller one."""

    code = "consistency_proof_invalid"


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data)."""
    return sha256(_LEAF + data).digest()


class MerkleTree:
    """A fixed tree over leaf hashes.

    Keeps each level as one run of bytes, 64 bytes a leaf in all and 2 MiB beside them while it
    is built: 64 MB for a million leaves. Nothing in it changes, so threads may share it.
    """

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        """Build the tree over `leaf_hashes`, 32 bytes each, in order; they are read once.

        Raises `ValueError` for a leaf of another length.
        """
        level = _joined(leaf_hashes)
        self._levels = [level]
        while len(level) > HASH_BYTES:
            level = _level_above(level)
            self._levels.append(level)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0]) // HASH_BYTES

    @property
    def root(self) -> bytes:
        """The root hash; SHA-256 of nothing for the empty tree (RFC 9162 §2.1.1)."""
        return bytes(self._levels[-1]) if self.size else sha256().digest()

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at `index`. Raises `IndexError`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return _hash_at(self._levels[0], index)

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """Return the path of leaf `index`, from the leaf upwards. Raises `IndexError`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling * HASH_BYTES < len(level):
                path.append(_hash_at(level, sibling))
            index >>= 1
        return tuple(path)

    def consistency_path(self, old_size: int) -> tuple[bytes, ...]:
        """Return the path from the tree of the first `old_size` leaves (RFC 9162 §2.1.4.1).

        Empty for `old_size` equal to `size`. Raises `IndexError` unless 0 < old_size <= size.
        """
        if not 0 < old_size <= self.size:
            raise IndexError(old_size)
        path: list[bytes] = []
        start, end, old, is_known = 0, self.size, old_size, True
        while old < end - start:
            left = 1 << (end - start - 1).bit_length() - 1
            if old <= left:
                path.append(self._node(start + left, end))
                end = start + left
            else:
                path.append(self._node(start, start + left))
                start, old, is_known = start + left, old - left, False
        if not is_known:
            path.append(self._node(start, end))
        return tuple(reversed(path))

    def _node(self, start: int, end: int) -> bytes:
        """The root over the leaves from `start` to `end`, which is a node of the tree."""
        height = (end - start - 1).bit_length()
        return _hash_at(self._levels[height], start >> height)


def _joined(hashes: Iterable[bytes]) -> bytearray:
    level = bytearray()
    remaining = iter(hashes)
    while chunk := list(islice(remaining, _AT_A_TIME)):
        if not _all_hashes(chunk):
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        level += b"".join(chunk)
    return level


def _level_above(level: bytearray) -> bytearray:
    odd = len(level) % _PAIR_BYTES
    with memoryview(level) as whole, whole[: len(level) - odd] as pairs:
        above = _joined(_parents(pairs))
    # An odd last node moves up unchanged: that is what RFC 9162's split at the largest power of
    # two comes to, and duplicating it instead would be CVE-2012-2459.
    return above + level[len(level) - odd :]


def _parents(pairs: memoryview) -> Iterator[bytes]:
    for (pair,) in iter_unpack(f"{_PAIR_BYTES}s", pairs):
        state = _NODE.copy()
        state.update(pair)
        yield state.digest()


def _hash_at(level: bytearray, index: int) -> bytes:
    return bytes(level[index * HASH_BYTES : (index + 1) * HASH_BYTES])


def _node_hash(left: bytes, right: bytes) -> bytes:
    state = _NODE.copy()
    state.update(left + right)
    return state.digest()


def _all_hashes(values: Iterable[bytes]) -> bool:
    return set(map(len, values)) <= {HASH_BYTES}


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that `path` leads to from the leaf hash (RFC 9162 §2.1.3.2).

    Raises `InclusionProofInvalid` when index, size and path length do not fit together; the
    caller must compare the result with a root it trusts.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise InclusionProofInvalid("the leaf index is outside the tree")
    # Up to the level where the leaf and the last one have the same ancestor, the index says on
    # which side the sibling is. Above it the path runs along the right edge: only where a node
    # has a sibling there is one in the path, and that is on the left.
    below = (index ^ (size - 1)).bit_length()
    height = below + (index >> below).bit_count()
    if len(path) != height:
        longer = "longer" if len(path) > height else "shorter"
        raise InclusionProofInvalid(f"the path is {longer} than the tree is high")
    if not _all_hashes(path):
        raise InclusionProofInvalid("a node of the path does not have the length of a hash")
    sides = (index & ((1 << below) - 1)) | (-1 << below)
    current = leaf
    for sibling in path:
        current = _node_hash(sibling, current) if sides & 1 else _node_hash(current, sibling)
        sides >>= 1
    return current


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Return if `leaf` (a leaf hash) is at `index` in the tree of `size` with `root`.

    Raises `InclusionProofInvalid`. Does not check that the root is anchored.
    """
    if root_from_path(leaf, index, size, path) != root:
        raise InclusionProofInvalid("the path does not lead to the root")


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Return if the tree of `size` begins with the tree of `old_size` (RFC 9162 §2.1.4.2).

    Every tree begins with the empty one. Raises `ConsistencyProofInvalid`. Does not check that
    either root is anchored or signed.
    """
    if not 0 <= old_size <= size <= MAX_TREE_SIZE:
        raise ConsistencyProofInvalid("the tree shrinks")
    if old_size in (0, size):
        is_same = old_root == (root if old_size else sha256().digest())
        if path or not is_same:
            raise ConsistencyProofInvalid("the path does not lead from root to root")
        return
    node, last = old_size - 1, size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    nodes = list(path) if node else [old_root, *path]
    if not nodes or any(len(item) != HASH_BYTES for item in nodes):
        raise ConsistencyProofInvalid("the path is too short")
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise ConsistencyProofInvalid("the path is too long")
        if node & 1 or node == last:
            old, new = _node_hash(sibling, old), _node_hash(sibling, new)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            new = _node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last or old != old_root or new != root:
        raise ConsistencyProofInvalid("the path does not lead from root to root")
