"""What the ballot box keeps, and the turn in which its board grows.

All of one election, named by the digest of its manifest. Every method may raise
`wallet.ports.storage.StorageUnavailable`; what a method changed is durable when it returns, and
what a turn changed when the turn ends, all or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from wallet.voting.acceptance import History
from wallet.voting.board import Checkpoint, Entry
from wallet.voting.tie_break import TieBlock


@dataclass(frozen=True, slots=True)
class AcceptedBallot:
    """A ballot that was accepted: as it was sent, what names it, and the board's promise.

    `submission` is SHA-256 of `octets`; `acceptance` is the signed statement. Nothing here tells
    when it came.
    """

    nullifier: bytes
    sequence: int
    digest: bytes
    ciphertexts: bytes
    submission: bytes
    tracking_code: str
    octets: bytes = field(repr=False)
    acceptance: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with the board's statement, and its transaction once that is final."""

    checkpoint: Checkpoint
    statement: bytes
    transaction: bytes | None = None


@dataclass(frozen=True, slots=True)
class BoardState:
    """How far the board is: its ceremony round from 0, when that began, and its size.

    `opened` and `sealed` are the transactions that opened and sealed it, once they are final.
    """

    round: int
    round_began: int
    size: int
    is_closed: bool
    is_ended: bool
    opened: bytes | None = None
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The files that the trustees' shares come to (docs/voting.md, sections 10 to 12)."""

    shares: bytes = field(repr=False)
    tie: bytes = field(repr=False)
    tally: bytes = field(repr=False)
    outcome: bytes = field(repr=False)


class Turn(Protocol):
    """The one writer of the board; ballots that come meanwhile wait until the turn ends."""

    def state(self) -> BoardState:
        """Return how far the board is, with what this turn appended."""

    def leaves(self) -> Sequence[bytes]:
        """Return the leaf hashes of all entries, with those this turn appended."""

    def payloads(self, *kinds: str) -> Sequence[bytes]:
        """Return the payloads of the entries of these kinds, in board order."""

    def append(self, kind: str, payload: bytes) -> Entry:
        """Append an entry."""

    def waiting_ballots(self) -> Sequence[bytes]:
        """Return the ballots that are accepted and not on the board, in no order that tells."""

    def place(self, submission: bytes, index: int) -> None:
        """Note at which entry a ballot stands."""

    def placed_ballots(self) -> Sequence[tuple[bytes, bytes]]:
        """Return nullifier and digest of every ballot on the board, in board order."""

    def waiting_rejections(self) -> Sequence[tuple[bytes, str]]:
        """Return what was refused and is not on the board: (digest of the bytes, code)."""

    def clear_rejections(self) -> None:
        """Note that every waiting rejection is on the board."""

    def messages(self, kind: str) -> Sequence[bytes]:
        """Return the ceremony messages of a kind that were taken, ascending by trustee."""

    def begin_round(self, number: int, now: int) -> None:
        """Note that a round of the ceremony begins."""

    def waiting_batches(self) -> Sequence[bytes]:
        """Return the batches that are not on the board, by officer and number."""

    def clear_batches(self) -> None:
        """Note that every waiting batch is on the board."""

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        """Return the newest checkpoint, or None."""

    def add_checkpoint(self, checkpoint: SignedCheckpoint) -> None:
        """Keep a checkpoint."""


class BoxRecords(Protocol):
    """Everything that the ballot box keeps."""

    def begin(self, manifest: bytes, now: int) -> None:
        """Keep the manifest as entry 0 and begin the ceremony; again, it changes nothing."""

    def turn(self) -> AbstractContextManager[Turn]:
        """Begin a turn; turns of all processes come one after the other."""

    def state(self) -> BoardState:
        """Return how far the board is."""

    def acceptance(self, submission: bytes) -> bytes | None:
        """Return the signed acceptance of the ballot with these bytes, or None."""

    def check(self, check: Callable[[History], None]) -> None:
        """Run `check` on the ballots accepted until now."""

    def accept(self, ballot: AcceptedBallot, check: Callable[[History], None]) -> bytes:
        """Keep a ballot if `check` passes, in one transaction; return its signed acceptance.

        A ballot of the same bytes that is there already gives its own acceptance. Raises what
        `check` raises, `ElectionNotOpen` once the board is closed, and `BallotSequenceNotNext` or
        `BallotReplayed` for one that lost against another in the same moment.
        """

    def reject(self, submission: bytes, code: str, *, max_waiting: int) -> None:
        """Keep a rejection for the next checkpoint. Raises `BallotBoxFull`."""

    def add_message(self, kind: str, trustee: int, payload: bytes) -> bytes:
        """Keep a trustee's message of a round; return the one that stands, the first."""

    def add_batch(self, officer: int, number: int, payload: bytes) -> bytes:
        """Keep an officer's batch if the board is not at its end; return the one that stands.

        Raises `BatchesNotOpen`.
        """

    def last_batch(self, officer: int) -> int:
        """Return the number of the officer's last batch; 0 without one."""

    def entries(self, start: int, count: int) -> Sequence[Entry]:
        """Return entries from `start` on, at most `count`."""

    def payloads(self, *kinds: str) -> Sequence[bytes]:
        """Return the payloads of the entries of these kinds, in board order."""

    def leaves(self, size: int) -> Sequence[bytes]:
        """Return the leaf hashes of the first `size` entries."""

    def index_of(self, tracking_code: str) -> int | None:
        """Return at which entry the ballot with this code stands; None before that."""

    def checkpoints(self, first: int, count: int) -> Sequence[SignedCheckpoint]:
        """Return checkpoints from number `first` on."""

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        """Return the newest checkpoint, or None."""


class PublicationRecords(Protocol):
    """What became of the board on the chain, and what was counted."""

    def state(self) -> BoardState:
        """Return how far the board is."""

    def keep_opening(self, transaction: bytes) -> None:
        """Note the final transaction that opened the board."""

    def keep_seal(self, transaction: bytes) -> None:
        """Note the final transaction that sealed the board."""

    def keep_anchor(self, number: int, transaction: bytes) -> None:
        """Note the final transaction of a checkpoint."""

    def not_anchored(self, count: int) -> Sequence[SignedCheckpoint]:
        """Return the first checkpoints without a final transaction, ascending, at most `count`."""

    def messages(self, kind: str) -> Sequence[bytes]:
        """Return the trustees' messages of a kind, ascending by trustee."""

    def tie_block(self) -> TieBlock | None:
        """Return the block of the tie-break once it is known."""

    def keep_tie_block(self, block: TieBlock) -> None:
        """Keep the block of the tie-break; again, it changes nothing."""

    def result(self) -> Result | None:
        """Return the result, or None."""

    def keep_result(self, result: Result) -> None:
        """Keep the result unless there is one."""
