"""Ballot boards as the chain has them: opening, checkpoints, seal. Never a ballot.

Roots are RFC 9162 tree heads over SHA-256; times are unix seconds. That one checkpoint extends the
one before is for whoever holds the board to check: the chain only says which came when.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoardFact:
    """A board that `organiser` opened for an election, and its present `operator`.

    `config_digest` is h_E of docs/voting.md, over manifest and key. Checkpoints are taken in
    [opens, flush_until), and the seal from `closes` on.
    """

    board_id: bytes
    organiser: str
    election_id: bytes
    operator: str
    config_digest: bytes
    opens: int
    closes: int
    flush_until: int
    opened_at: int


@dataclass(frozen=True, slots=True)
class CheckpointFact:
    """The board had `size` leaves and this root, in the block with time `recorded_at`."""

    board_id: bytes
    number: int
    old_size: int
    size: int
    old_root: bytes
    root: bytes
    recorded_at: int


@dataclass(frozen=True, slots=True)
class SealFact:
    """The board ended with this root and the digest of the tally, at block time."""

    board_id: bytes
    root: bytes
    size: int
    tally_digest: bytes
    sealed_at: int


@dataclass(frozen=True, slots=True)
class OperatorChanged:
    """The organiser replaced the operator of a board."""

    board_id: bytes
    operator: str


@dataclass(frozen=True, slots=True)
class BoardState:
    """A board with its newest checkpoint and its seal; None while there is none."""

    board: BoardFact
    newest: CheckpointFact | None
    seal: SealFact | None
