"""The ballot box of one election: accept ballots, and let the board grow by the clock."""

from __future__ import annotations

from typing import Final

from ballotbox.batches import take_batch
from ballotbox.board import Board
from ballotbox.ceremony import CeremonyDesk
from ballotbox.errors import BoardKeyDiffers
from ballotbox.ports import AcceptedBallot, BoardState, BoxRecords
from ballotbox.publishing import is_due, make_checkpoint, promised_by
from wallet.crypto.secp256k1 import is_equal, secret_multiple
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.errors import ConflictError, MalformedError, RejectedError
from wallet.ports.clock import Clock
from wallet.voting.acceptance import (
    ElectionNotOpen,
    Submission,
    check_history,
    check_is_open,
    open_submission,
    submission_digest,
    verify_ballot,
)
from wallet.voting.board import acceptance_body, rejection_body
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest
from wallet.voting.statements import Statement, parse_statement, sign_statement

MAX_WAITING_REJECTIONS: Final = 20_000


class BallotRefused(RejectedError):
    """A ballot that was refused: why, and the board's signed rejection while the vote is open."""

    code = "ballot_refused"

    def __init__(
        self, cause: MalformedError | RejectedError | ConflictError, rejection: Statement | None
    ) -> None:
        super().__init__(f"{cause.code}: {cause}")
        self.cause = cause
        self.rejection = rejection


class BallotBox:
    """Takes ballots, ceremony messages and batches; `board` shows what is published.

    With `is_on_chain` there is no checkpoint and no ballot before the board is open there.
    """

    def __init__(
        self,
        manifest: Manifest,
        key: Es256kSigningKey,
        records: BoxRecords,
        clock: Clock,
        *,
        ceremony_round_s: int,
        is_on_chain: bool = False,
    ) -> None:
        if not is_equal(secret_multiple(int.from_bytes(key.secret(), "big")), manifest.board_key):
            raise BoardKeyDiffers("the manifest names another key for the board")
        self.manifest = manifest
        self.board = Board(records)
        self.ceremony = CeremonyDesk(manifest, records, clock, key, round_s=ceremony_round_s)
        self._key = key
        self._records = records
        self._clock = clock
        # Without a chain there is nobody to open the board but its manifest.
        self._is_opened = not is_on_chain
        records.begin(manifest.octets, clock.now())

    def election(self) -> Election:
        """Return the election once its key is on the board. Raises `ElectionNotOpen`."""
        result = self.ceremony.result()
        if result is None:
            raise ElectionNotOpen("the election has no key yet")
        return result.election

    def accept(self, data: bytes) -> Statement:
        """Accept a ballot and return the board's signed promise to show it.

        The same bytes again get the same acceptance, also after the close. Raises
        `ElectionNotOpen` before there is a key and the board is open on the chain,
        `BallotRefused` for a ballot that fails a step of docs/voting.md section 9,
        `BallotBoxFull`, `StorageUnavailable`.
        """
        # The moment of arrival: verifying may last beyond the close.
        now = self._clock.now()
        election = self.election()
        known = self._records.acceptance(submission_digest(data))
        if known is not None:
            return parse_statement(known)
        self._check_opened(self._records.state())
        try:
            return self._accept(data, election, now)
        except (MalformedError, RejectedError, ConflictError) as error:
            rejection = self._log_rejection(data, election, error.code, now)
            raise BallotRefused(error, rejection) from error

    def _check_opened(self, state: BoardState) -> None:
        self._is_opened = self._is_opened or state.opened is not None
        if not self._is_opened:
            raise ElectionNotOpen("the board is not open on the chain yet")

    def _accept(self, data: bytes, election: Election, now: int) -> Statement:
        submission = open_submission(data, election)
        check_is_open(election.manifest, now)
        self._records.check(lambda history: check_history(submission, history))
        verify_ballot(submission, election)
        ballot = self._accepted(submission, election, now)
        # Again, in the transaction that keeps it: others were accepted meanwhile.
        kept = self._records.accept(ballot, lambda history: check_history(submission, history))
        return parse_statement(kept)

    def _accepted(self, submission: Submission, election: Election, now: int) -> AcceptedBallot:
        by = promised_by(election.manifest, now)
        body = acceptance_body(election, submission.digest, by)
        header, octets = submission.ballot.header, submission.ballot.octets
        return AcceptedBallot(
            header.nullifier,
            header.sequence,
            submission.digest,
            submission.ciphertext_digest,
            submission_digest(octets),
            submission.tracking_code,
            octets,
            sign_statement(self._key, body).octets,
        )

    def _log_rejection(
        self, data: bytes, election: Election, code: str, now: int
    ) -> Statement | None:
        """Put a rejection on record and sign it; outside the hours there is no entry for it."""
        digest = submission_digest(data)
        try:
            check_is_open(election.manifest, now)
            self._records.reject(digest, code, max_waiting=MAX_WAITING_REJECTIONS)
        except ElectionNotOpen:
            return None
        return sign_statement(self._key, rejection_body(election, digest, code))

    def take_batch(self, payload: bytes) -> int:
        """Keep a batch. Raises as `ballotbox.batches.take_batch`, and `ElectionNotOpen`."""
        return take_batch(self._records, self.election(), payload)

    def work(self) -> None:
        """Do what the clock asks for; called again and again, by any number of processes.

        Raises `CeremonyFailed`, `StorageUnavailable`.
        """
        if self.ceremony.result() is None:
            with self._records.turn() as turn:
                self.ceremony.work(turn)
            # A turn of its own: what the rounds came to stays, also if they came to no key.
            with self._records.turn() as turn:
                self.ceremony.publish_key(turn)
        try:
            election = self.election()
            self._check_opened(self._records.state())
        except ElectionNotOpen:
            return
        if not is_due(self._records, self.manifest, self._clock.now()):
            return
        with self._records.turn() as turn:
            now = self._clock.now()
            # Again, in its turn: another process may have made it meanwhile.
            if is_due(turn, self.manifest, now):
                make_checkpoint(turn, election, self._key, now)
