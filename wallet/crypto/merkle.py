"""The Merkle tree of RFC 9162 §2.1 with SHA-256: roots, inclusion paths and their verification.

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
        return bytes(self._levels[0][index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """Return the path of leaf `index`, from the leaf upwards. Raises `IndexError`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        path = []
        for level in self._levels[:-1]:
            at = (index ^ 1) * HASH_BYTES
            if at < len(level):
                path.append(bytes(level[at : at + HASH_BYTES]))
            index >>= 1
        return tuple(path)


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
        state = _NODE.copy()
        state.update(sibling + current if sides & 1 else current + sibling)
        current = state.digest()
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
