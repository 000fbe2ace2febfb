"""Putting the board on the chain: its opening, every checkpoint in order, and the seal.

What the board's clock made is in the database already; a round looks how far the chain is and
does the next step. Nothing is noted here before it is final, so a round may be cut off anywhere
and run in several processes: the writer sends nothing twice.
"""

from __future__ import annotations

from typing import Final

from ballotbox.ports import BoxRecords, PublicationRecords
from wallet.ports.ballot_board import NO_LEAVES, BoardTerms, BoardWriter, TreeHead
from wallet.ports.ledger import LedgerRound
from wallet.ports.outbox import TransactionState
from wallet.voting.election import Election
from wallet.voting.record import tally_digest

MAX_CHECKPOINTS_AT_ONCE: Final = 64


class BoardAnchoring:
    """The board of one election on the chain of its manifest."""

    def __init__(
        self, records: BoxRecords, publication: PublicationRecords, writer: BoardWriter
    ) -> None:
        self._records = records
        self._publication = publication
        self._writer = writer

    def work(self, election: Election) -> LedgerRound:
        """Do what can be done now and return what became of the transactions under way.

        Raises `ChainUnavailable`, `LedgerRefused`, `BoardConflicts`, `StorageUnavailable`; the
        next round goes on from where this one came to.
        """
        ledger = self._writer.advance()
        state = self._publication.state()
        if state.sealed is None and (state.opened is not None or self._open(election)):
            self._put_checkpoints()
            if state.is_ended:
                self._seal()
        return ledger

    def _open(self, election: Election) -> bool:
        manifest = election.manifest
        terms = BoardTerms(election.digest, manifest.opens, manifest.closes, manifest.grace_s)
        written = self._writer.open_board(terms)
        if written is None or not written.is_final or written.transaction is None:
            return False
        self._publication.keep_opening(written.transaction)
        return True

    def _put_checkpoints(self) -> None:
        for item in self._publication.not_anchored(MAX_CHECKPOINTS_AT_ONCE):
            known = item.checkpoint
            head = TreeHead(known.size, known.root)
            written = self._writer.checkpoint(known.number, self._before(known.number), head)
            if written.is_final and written.transaction is not None:
                self._publication.keep_anchor(known.number, written.transaction)
            elif written.state is TransactionState.SUBMITTED:
                # The next one is built on it: the contract refuses it before this one is there.
                return

    def _before(self, number: int) -> TreeHead:
        if number == 1:
            return NO_LEAVES
        (item,) = self._records.checkpoints(number - 1, 1)
        return TreeHead(item.checkpoint.size, item.checkpoint.root)

    def _seal(self) -> None:
        result = self._publication.result()
        newest = self._records.newest_checkpoint()
        if result is None or newest is None or self._publication.not_anchored(1):
            return
        digest = tally_digest(result.shares, result.tie, result.tally, result.outcome)
        head = TreeHead(newest.checkpoint.size, newest.checkpoint.root)
        written = self._writer.seal(head, digest)
        if written.is_final and written.transaction is not None:
            self._publication.keep_seal(written.transaction)
