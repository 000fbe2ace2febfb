"""One board of the contract BallotBoard, to write: its opening, its checkpoints, its seal.

A ballot box is the board's operator. The organiser, who opens the board, may be somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from wallet.errors import ConflictError
from wallet.ports.ledger import LedgerRound
from wallet.ports.outbox import TransactionState
from wallet.trust.facts import BlockRef


class BoardConflicts(ConflictError):
    """The chain has another opening, checkpoint or seal of this board than the ballot box."""

    code = "board_conflicts"


@dataclass(frozen=True, slots=True)
class BoardTerms:
    """What a board is opened with: the digest of the election (32 bytes), unix seconds."""

    config_digest: bytes
    opens: int
    closes: int
    grace_s: int


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree of `size` leaves and its root."""

    size: int
    root: bytes


NO_LEAVES: Final = TreeHead(0, sha256(b"").digest())


@dataclass(frozen=True, slots=True)
class Written:
    """How far a transaction has come; its hash once it is in the chain.

    Before `FINAL` the chain may still put another form of it, with another hash, into its place.
    """

    state: TransactionState
    transaction: bytes | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing about it can change any more."""
        return self.state is TransactionState.FINAL


class BoardWriter(Protocol):
    """Writes one board without ever waiting for a block, each thing exactly once.

    A method that writes is called again until it says final; called again it sends nothing twice.
    All raise `ChainUnavailable`; those that write also its subclasses `WriterUnfunded`,
    `GasPriceAboveLimit` and `WriterBusy` when nothing was signed, `LedgerRefused` when the
    contract would refuse now, and `BoardConflicts`.
    """

    def advance(self) -> LedgerRound:
        """Look at every transaction under way and send again what needs it; never waits."""

    def open_board(self, terms: BoardTerms) -> Written | None:
        """Open the board if this writer has the organiser's key, or find who opened it.

        None while the board is not there and another key has to open it.
        """

    def checkpoint(self, number: int, before: TreeHead, head: TreeHead) -> Written:
        """Put the checkpoint `number` (from 1) on the chain; those before it must be there."""

    def seal(self, head: TreeHead, tally_digest: bytes) -> Written:
        """End the board at its newest checkpoint with the digest of the tally."""

    def first_block_from(self, time: int) -> BlockRef | None:
        """Return the first final block whose time is not before `time`; None before it is."""
