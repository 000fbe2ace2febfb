"""Which ballots are accepted, in the order of docs/voting.md section 9, and which of them count.

A ballot box runs `open_submission`, `check_is_open`, `check_history` and `verify_ballots` for
what comes in; `history` is its database inside the transaction that inserts the ballot. Whoever
replays a board uses `ReplayedHistory`. Verifying is the expensive step and needs no history, so
it can be done in batches and in other processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, TypeVar

from wallet.errors import ConflictError, RejectedError
from wallet.voting.ballot import Ballot, ciphertext_digest, parse_ballot, tracking_code
from wallet.voting.election import Election
from wallet.voting.eligibility import check_eligibility, check_eligible
from wallet.voting.manifest import Manifest
from wallet.voting.suite import BallotClaim

Item = TypeVar("Item")


class ElectionNotOpen(ConflictError):
    """The vote has not opened yet, or is closed."""

    code = "election_not_open"


class BallotReplayed(ConflictError):
    """A ballot with the same ciphertexts was accepted before, from this voter or another."""

    code = "ballot_replayed"


class BallotSequenceNotNext(ConflictError):
    """The sequence is not the one after that of the voter's last accepted ballot."""

    code = "ballot_sequence"


class MoreBallotsThanPeople(RejectedError):
    """More ballots of a stratum count than its people hold credentials."""

    code = "more_ballots_than_people"


@dataclass(frozen=True, slots=True)
class Submission:
    """A ballot in the right form for its election, not verified."""

    ballot: Ballot
    digest: bytes
    ciphertext_digest: bytes

    @property
    def tracking_code(self) -> str:
        """The voter's tracking code."""
        return tracking_code(self.digest)


@dataclass(frozen=True, slots=True)
class VerifiedBallot:
    """A ballot whose proofs hold: an eligible resident's legal vote. Made by verification."""

    submission: Submission


class History(Protocol):
    """The ballots accepted before."""

    def has_ciphertexts(self, digest: bytes) -> bool:
        """Whether an accepted ballot has ciphertexts of this digest."""

    def last_sequence(self, nullifier: bytes) -> int:
        """The largest sequence accepted for the nullifier; 0 without one."""


class ReplayedHistory:
    """The history of a board that is read from its beginning."""

    def __init__(self) -> None:
        self._ciphertexts: set[bytes] = set()
        self._sequences: dict[bytes, int] = {}

    def has_ciphertexts(self, digest: bytes) -> bool:
        """As `History.has_ciphertexts`."""
        return digest in self._ciphertexts

    def last_sequence(self, nullifier: bytes) -> int:
        """As `History.last_sequence`."""
        return self._sequences.get(nullifier, 0)

    def add(self, submission: Submission) -> None:
        """Remember an accepted ballot."""
        header = submission.ballot.header
        self._ciphertexts.add(submission.ciphertext_digest)
        self._sequences[header.nullifier] = header.sequence


def submission_digest(data: bytes) -> bytes:
    """How a rejection names the bytes that were sent."""
    return sha256(data).digest()


def open_submission(data: bytes, election: Election) -> Submission:
    """Return the ballot in `data`. Raises `BallotMalformed` or `BallotNotEligible`.

    Neither the proofs nor time, replay and sequence are checked.
    """
    ballot = parse_ballot(data, election)
    check_eligible(ballot.header, ballot.issuer, election.manifest)
    return Submission(ballot, ballot.digest(election), ciphertext_digest(ballot, election))


def check_is_open(manifest: Manifest, now: int) -> None:
    """Return if ballots are taken at `now`: from `opens` on, before `closes`.

    Raises `ElectionNotOpen`.
    """
    if not manifest.opens <= now < manifest.closes:
        raise ElectionNotOpen("the vote is not open")


def check_history(submission: Submission, history: History) -> None:
    """Return if the ballot is new and the voter's latest.

    Raises `BallotReplayed` or `BallotSequenceNotNext`.
    """
    if history.has_ciphertexts(submission.ciphertext_digest):
        raise BallotReplayed("these ciphertexts were accepted before")
    header = submission.ballot.header
    # Without gaps: nobody who steals a secret can use up all sequences at once, and a ballot that
    # is taken away from a board shows.
    if header.sequence != history.last_sequence(header.nullifier) + 1:
        raise BallotSequenceNotNext("the sequence does not follow that of the last ballot")


def check_ballots(
    submissions: Sequence[Submission], election: Election
) -> tuple[VerifiedBallot | RejectedError, ...]:
    """Verify the proofs of many ballots; return each verified, or the error that it gets.

    The errors are `BallotProofInvalid` and `EligibilityProofInvalid`. Time, replay and sequence
    are not checked.
    """
    claims = [
        BallotClaim(submission.ballot.header.context(election), submission.ballot.body)
        for submission in submissions
    ]
    proofs = election.suite.check(claims)
    eligible = check_eligibility([submission.ballot for submission in submissions], election)
    return tuple(
        proof or voter or VerifiedBallot(submission)
        for submission, proof, voter in zip(submissions, proofs, eligible, strict=True)
    )


def verify_ballot(submission: Submission, election: Election) -> VerifiedBallot:
    """Verify one ballot. Raises `BallotProofInvalid` or `EligibilityProofInvalid`."""
    (outcome,) = check_ballots([submission], election)
    if isinstance(outcome, RejectedError):
        raise outcome
    return outcome


def counted_ballots(submissions: Iterable[Submission]) -> tuple[Submission, ...]:
    """Return of all accepted ballots in log order those that count: each voter's last."""
    return last_of_each((item.ballot.header.nullifier, item) for item in submissions)


def last_of_each(ballots: Iterable[tuple[bytes, Item]]) -> tuple[Item, ...]:
    """Return what belongs to each nullifier's last ballot, in the order of these ballots."""
    last: dict[bytes, Item] = {}
    for nullifier, item in ballots:
        # Taken out first, so that the order is that of the ballots that count.
        last.pop(nullifier, None)
        last[nullifier] = item
    return tuple(last.values())


def check_census(counted: Iterable[Submission], manifest: Manifest) -> None:
    """Return if no stratum value has more counted ballots than the census has people.

    What an issuer adds to the register unseen shows here. Raises `MoreBallotsThanPeople`.
    """
    numbers = Counter(submission.ballot.header.stratum for submission in counted)
    for stratum, number in numbers.items():
        if number > manifest.census.people.get(stratum, 0):
            raise MoreBallotsThanPeople(f"{number} ballots of the stratum {stratum} count")
