"""Where a cast ballot is: receipts, one board for all, and ballots by a secret that was stolen.

docs/voting.md, sections 7, 9 and 17. Nothing here knows how anybody voted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from wallet.crypto.merkle import ConsistencyProofInvalid, MerkleTree, verify_consistency
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, RejectedError
from wallet.holder.ballot_box import BallotBoxClient, SignedHead
from wallet.holder.votes import CastBallot, ElectionVotes, RefusedBallot, Votes
from wallet.ports.clock import Clock
from wallet.ports.facts import BoardRegistry
from wallet.voting.ballot import BallotMalformed, parse_ballot, tracking_code
from wallet.voting.board import BALLOT, Entry, verify_checkpoint
from wallet.voting.election import Election
from wallet.voting.published import CLOCK_SKEW_S, board_id, verify_receipt
from wallet.voting.statements import statement_of

MAX_SEARCHED_ENTRIES: Final = 2**22


class NothingCast(ConflictError):
    """This wallet has cast nothing in this election."""

    code = "nothing_cast"


class BoardInconsistent(RejectedError):
    """The board contradicts what it signed before, or what the chain has: keep the evidence."""

    code = "board_inconsistent"


class Standing(StrEnum):
    """Where a cast ballot is."""

    ON_BOARD = "on_board"
    AWAITED = "awaited"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class BoardBallot:
    """A ballot of this voter on the board."""

    index: int
    sequence: int
    tracking_code: str


@dataclass(frozen=True, slots=True)
class Tracking:
    """What became of the newest ballot of this wallet in an election.

    `counts` is whether it is the voter's last on the board, None where the log was not searched.
    `strangers` are ballots by this voter's secret that this wallet did not cast. `refused` is a
    later ballot that the box refused.
    """

    ballot: CastBallot
    standing: Standing
    index: int | None
    counts: bool | None
    strangers: tuple[BoardBallot, ...]
    refused: RefusedBallot | None
    head: JsonObject | None = field(repr=False)

    def evidence(self) -> JsonObject:
        """Return what a dispute needs. It does not show how anybody voted."""
        return {
            "tracking_code": self.ballot.tracking_code,
            "acceptance": self.ballot.acceptance,
            "receipt": self.ballot.receipt,
            "checkpoint": self.head,
        }


class Tracker:
    """Tracks ballots; `boards` tells what the chain has, None where nobody can say."""

    def __init__(self, votes: Votes, clock: Clock, boards: BoardRegistry | None) -> None:
        self._votes = votes
        self._clock = clock
        self._boards = boards

    def track(
        self,
        client: BallotBoxClient,
        election: Election,
        votes: ElectionVotes,
        nullifier: bytes | None,
    ) -> Tracking:
        """Tell what became of the newest ballot, and store its receipt and the newest head.

        With a nullifier the whole log is searched for it. Raises as `Voting.track`.
        """
        newest = newest_of(votes)
        index: int | None = None
        found = client.find_ballot(election, newest.tracking_code)
        if found is None:
            head = client.newest_head(election)
        else:
            verify_receipt(election, newest.digest, found.receipt, found.entry)
            head, index = found.head, found.receipt.index
            path = [step.hex() for step in found.receipt.path]
            receipt = {"index": index, "checkpoint": head.statement.to_json(), "path": path}
            votes = votes.with_ballot(replace(newest, receipt=receipt))
        votes = self._followed(client, election, votes, head)
        searched: tuple[BoardBallot, ...] | None = None
        if nullifier is not None and head is not None:
            searched = search_board(client, election, head, nullifier)
            votes = _gone_on(votes, searched)
        return self._tracking(self._votes.save(votes), head, index, searched)

    def find_own(
        self,
        client: BallotBoxClient,
        election: Election,
        votes: ElectionVotes,
        nullifier: bytes,
    ) -> tuple[BoardBallot, ...]:
        """See `Voting.find_own`."""
        head = client.newest_head(election)
        votes = self._followed(client, election, votes, head)
        found = () if head is None else search_board(client, election, head, nullifier)
        self._votes.save(_gone_on(votes, found))
        return found

    def _tracking(
        self,
        votes: ElectionVotes,
        head: SignedHead | None,
        index: int | None,
        searched: tuple[BoardBallot, ...] | None,
    ) -> Tracking:
        ballot = newest_of(votes)
        if index is not None:
            standing = Standing.ON_BOARD
        elif self._clock.now() > ballot.by + CLOCK_SKEW_S or (
            head is not None and head.checkpoint.time >= ballot.by
        ):
            standing = Standing.MISSING
        else:
            standing = Standing.AWAITED
        own = {item.tracking_code for item in votes.ballots}
        strangers = tuple(item for item in searched or () if item.tracking_code not in own)
        counts = None
        if searched is not None:
            counts = bool(searched) and searched[-1].tracking_code == ballot.tracking_code
        refused = votes.refused[-1] if votes.refused else None
        if refused is not None and refused.sequence <= ballot.sequence:
            refused = None
        shown = None if head is None else head.statement.to_json()
        return Tracking(ballot, standing, index, counts, strangers, refused, shown)

    def _followed(
        self,
        client: BallotBoxClient,
        election: Election,
        votes: ElectionVotes,
        head: SignedHead | None,
    ) -> ElectionVotes:
        """Compare the board with what it signed before and with the chain. `BoardInconsistent`."""
        if head is None:
            if votes.head is not None:
                raise BoardInconsistent("the board has lost its checkpoints")
            return votes
        earlier = []
        if votes.head is not None:
            known = verify_checkpoint(statement_of(votes.head), election)
            earlier.append((known.size, known.root))
        if self._boards is not None:
            on_chain = self._boards.board(board_id(election.manifest)).value.newest
            if on_chain is not None:
                earlier.append((on_chain.size, on_chain.root))
        size, root = head.checkpoint.size, head.checkpoint.root
        for old_size, old_root in earlier:
            try:
                path = () if old_size >= size else client.consistency(old_size, size)
                verify_consistency(old_size, old_root, size, root, path)
            except ConsistencyProofInvalid as error:
                raise BoardInconsistent(f"the board was changed: {error}") from error
        return replace(votes, head=head.statement.to_json())


def search_board(
    client: BallotBoxClient, election: Election, head: SignedHead, nullifier: bytes
) -> tuple[BoardBallot, ...]:
    """Return all ballots of a nullifier on the board, in the order of the log.

    The log is compared with its checkpoint. Raises `BoardInconsistent`.
    """
    size = head.checkpoint.size
    if size > MAX_SEARCHED_ENTRIES:
        raise BoardInconsistent("the log is too long to be searched")
    leaves, found = [], []
    for entry in client.all_entries(size):
        leaves.append(entry.leaf)
        mine = _own_ballot(entry, election, nullifier)
        if mine is not None:
            found.append(mine)
    if MerkleTree(leaves).root != head.checkpoint.root:
        raise BoardInconsistent("the log is not the one that its checkpoint is over")
    return tuple(found)


def _gone_on(votes: ElectionVotes, found: tuple[BoardBallot, ...]) -> ElectionVotes:
    last = max((item.sequence for item in found), default=0)
    return replace(votes, last_sequence=max(votes.last_sequence, last))


def _own_ballot(entry: Entry, election: Election, nullifier: bytes) -> BoardBallot | None:
    if entry.kind != BALLOT:
        return None
    try:
        ballot = parse_ballot(entry.payload, election)
    except BallotMalformed:
        return None  # whoever verifies the whole record names it
    if ballot.header.nullifier != nullifier:
        return None
    code = tracking_code(ballot.digest(election))
    return BoardBallot(entry.index, ballot.header.sequence, code)


def newest_of(votes: ElectionVotes) -> CastBallot:
    """Return the newest ballot that was accepted. Raises `NothingCast`."""
    if votes.newest is None:
        raise NothingCast("no ballot of this wallet was accepted in this election")
    return votes.newest
