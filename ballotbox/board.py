"""The published board, to read: only what a checkpoint covers, with RFC 9162 proofs.

During the key ceremony there is no checkpoint yet; its rounds are shown once they are over, and
that is what `published_size` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ballotbox.errors import BoardEntryUnknown
from ballotbox.ports import BoardState, BoxRecords, SignedCheckpoint
from wallet.crypto.merkle import MerkleTree
from wallet.voting.ballot import parse_tracking_code
from wallet.voting.board import Entry, log_octets

MAX_ENTRIES_AT_ONCE: Final = 100
MAX_CHECKPOINTS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an entry stands under a checkpoint."""

    index: int
    checkpoint: SignedCheckpoint
    path: tuple[bytes, ...]


class Board:
    """Reads the board. Everything that is not published is unknown: `BoardEntryUnknown`."""

    def __init__(self, records: BoxRecords) -> None:
        self._records = records
        # One for all receipts under a checkpoint. It never changes, so threads may share it.
        self._newest_tree = MerkleTree(())

    def state(self) -> BoardState:
        """Return how far the board is."""
        return self._records.state()

    def published_size(self) -> int:
        """Return how many entries are public."""
        # The log grows only in turns, and after the ceremony each of them ends in a checkpoint.
        return self.state().size

    def log(self, start: int, count: int) -> bytes:
        """Return entries from `start` on as they stand in log.bin, at most 100 of them."""
        return log_octets(self.entries(start, count))

    def entries(self, start: int, count: int) -> Sequence[Entry]:
        """Return entries from `start` on, at most 100 of them."""
        return self._records.entries(start, min(count, MAX_ENTRIES_AT_ONCE))

    def checkpoints(self, first: int, count: int) -> Sequence[SignedCheckpoint]:
        """Return checkpoints from number `first` on, at most 100 of them."""
        return self._records.checkpoints(first, min(count, MAX_CHECKPOINTS_AT_ONCE))

    def newest_checkpoint(self) -> SignedCheckpoint:
        """Return the newest checkpoint. Raises `BoardEntryUnknown`."""
        newest = self._records.newest_checkpoint()
        if newest is None:
            raise BoardEntryUnknown("there is no checkpoint yet")
        return newest

    def receipt(self, code: str) -> Receipt:
        """Return where the ballot with a tracking code stands, under the newest checkpoint.

        Raises `TrackingCodeMalformed`, `BoardEntryUnknown`.
        """
        index = self._records.index_of(parse_tracking_code(code))
        if index is None:
            raise BoardEntryUnknown("no ballot on the board has this code")
        newest = self.newest_checkpoint()
        return Receipt(index, newest, self.inclusion(index, newest.checkpoint.size))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the path of an entry in the tree of `size` entries."""
        if not 0 <= index < size:
            raise BoardEntryUnknown("the tree has no such entry")
        return self._tree(size).inclusion_path(index)

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of `size` entries extends that of `old_size`."""
        if not 1 <= old_size <= size:
            raise BoardEntryUnknown("the tree has no such beginning")
        return self._tree(size).consistency_path(old_size)

    def _tree(self, size: int) -> MerkleTree:
        if size > self.published_size():
            raise BoardEntryUnknown("the board is not that long")
        tree = self._newest_tree
        if tree.size != size:
            tree = MerkleTree(self._records.leaves(size))
            if size > self._newest_tree.size:
                self._newest_tree = tree
        return tree
