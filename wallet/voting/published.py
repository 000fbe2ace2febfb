"""What a voter's device believes of a board: its beginning, its opening on the chain, a ballot.

docs/voting.md, sections 4, 7 and 9. Everything else on a board is for `mvote-verify` to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from wallet.crypto.ethereum import keccak256
from wallet.crypto.merkle import InclusionProofInvalid, verify_inclusion
from wallet.errors import RejectedError
from wallet.trust.boards import BoardState
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.ballot import Ballot, BallotMalformed, parse_ballot
from wallet.voting.board import (
    BALLOT,
    CEREMONY,
    ELECTION_KEY,
    Checkpoint,
    Entry,
    LogOrderInvalid,
    check_order,
)
from wallet.voting.ceremony import replay_ceremony
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest
from wallet.voting.statements import parse_statement

# By how much a voter's clock and the ballot box's may differ.
CLOCK_SKEW_S: Final = 300
_WORD: Final = 32


class ElectionNotPublished(RejectedError):
    """The manifest or its board is not the one that the organiser published."""

    code = "election_not_published"


class ReceiptInvalid(RejectedError):
    """The ballot box's receipt is not of this ballot, or does not show it on the board."""

    code = "receipt_invalid"


class PromiseTooLate(RejectedError):
    """The board promises to show the ballot later than an honest one would."""

    code = "promise_too_late"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a ballot stands: verified, and nothing in it says how anybody voted."""

    index: int
    checkpoint: Checkpoint
    path: tuple[bytes, ...]


def is_beginning(entries: Sequence[Entry]) -> bool:
    """Whether the entries reach up to the election key."""
    return bool(entries) and entries[-1].kind == ELECTION_KEY


def open_beginning(manifest: Manifest, entries: Sequence[Entry]) -> Election:
    """Return the election of a board that begins with these entries, up to its key.

    The ceremony is replayed and the key computed, not believed. Raises `LogOrderInvalid`,
    `ElectionNotPublished` for another manifest, the errors of the ceremony, `ElectionKeyDiffers`,
    `StatementSignatureInvalid`. Whose manifest it is is not checked: see `verify_opening`.
    """
    check_order(entries)
    if not is_beginning(entries):
        raise LogOrderInvalid("the beginning of a board ends with its key")
    if entries[0].payload != manifest.octets:
        raise ElectionNotPublished("the board begins with another manifest")
    messages = [entry.payload for entry in entries if entry.kind in CEREMONY]
    result = replay_ceremony(manifest, messages)
    result.check_entry(parse_statement(entries[-1].payload))
    return result.election


def board_id(manifest: Manifest) -> bytes:
    """Return the id of the election's board in the contract BallotBoard."""
    organiser = manifest.chain.organiser.rjust(_WORD, b"\0")
    return keccak256(organiser + sha256(manifest.id.encode()).digest())


def verify_opening(election: Election, state: BoardState) -> None:
    """Return if the board was opened on the chain for this very election, in time.

    Raises `ElectionNotPublished`. That the facts are those of the manifest's chain and contract
    is for whoever has them.
    """
    manifest, board = election.manifest, state.board
    times = (manifest.opens, manifest.closes, manifest.closes + manifest.grace_s)
    if board.board_id != board_id(manifest) or board.config_digest != election.digest:
        raise ElectionNotPublished("the chain has another election under this board")
    if (board.opens, board.closes, board.flush_until) != times:
        raise ElectionNotPublished("the chain has other times for this board")
    if board.opened_at >= manifest.opens:
        raise ElectionNotPublished("the board was opened too late")


def check_hours(manifest: Manifest, now: int) -> None:
    """Return unless a voter's clock is beyond doubt outside the hours of the vote.

    Near the opening and the close it is for the ballot box to say. Raises `ElectionNotOpen`.
    """
    if not manifest.opens - CLOCK_SKEW_S <= now < manifest.closes + CLOCK_SKEW_S:
        raise ElectionNotOpen("the vote is not open")


def check_promise(manifest: Manifest, by: int, now: int) -> None:
    """Return if the time of an acceptance is within two periods of checkpoints.

    Raises `PromiseTooLate`.
    """
    every = manifest.checkpoint_every_s
    if by > min(now + CLOCK_SKEW_S + 2 * every, manifest.closes + every):
        raise PromiseTooLate("the board promises to show the ballot too late")


def verify_receipt(
    election: Election, ballot_digest: bytes, receipt: Receipt, entry: Entry
) -> Ballot:
    """Return the ballot if the entry is this one and stands under the receipt's checkpoint.

    Raises `ReceiptInvalid`. That the board signed the checkpoint must be checked before.
    """
    if (entry.index, entry.kind) != (receipt.index, BALLOT):
        raise ReceiptInvalid("the entry is no ballot, or stands elsewhere")
    try:
        ballot = parse_ballot(entry.payload, election)
    except BallotMalformed as error:
        raise ReceiptInvalid("the entry is no ballot of this election") from error
    if ballot.digest(election) != ballot_digest:
        raise ReceiptInvalid("the entry is another ballot")
    head = receipt.checkpoint
    try:
        verify_inclusion(entry.leaf, receipt.index, head.size, receipt.path, head.root)
    except InclusionProofInvalid as error:
        raise ReceiptInvalid(f"the receipt does not hold: {error}") from error
    return ballot
