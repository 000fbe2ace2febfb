"""Collecting decryption shares and nonces after the end of the board, and making the result.

docs/voting.md, sections 10 to 12. The box decrypts nothing: it adds up what trustees send, as
anybody can from the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import Final

from ballotbox.ceremony import CeremonyDesk
from ballotbox.errors import AggregateNotReady, TallyNotOpen, TrusteeOut
from ballotbox.ports import BoxRecords, PublicationRecords, Result
from wallet.ports.ballot_board import BoardWriter
from wallet.ports.clock import Clock
from wallet.ports.compute import Compute
from wallet.recount import index_ballots, recount
from wallet.voting.aggregate import Aggregate
from wallet.voting.batches import verify_batch
from wallet.voting.board import BATCH, Entry
from wallet.voting.ceremony import CeremonyResult
from wallet.voting.decryption import KIND as SHARE
from wallet.voting.decryption import check_shares, verify_share
from wallet.voting.outcome import decide_outcome
from wallet.voting.record import shares_octets
from wallet.voting.statements import Statement, parse_statement
from wallet.voting.tally import tally_board
from wallet.voting.tie_break import KIND as NONCE
from wallet.voting.tie_break import TieBlock, break_ties, tie_octets, verify_tie_nonce

_PAGE: Final = 100
OpenCompute = Callable[[], AbstractContextManager[Compute]]


class Counting:
    """Takes shares and nonces, and makes the result once.

    It waits until every qualified trustee has sent both, or `result_wait_s` seconds after the
    block of the tie-break; then the threshold of shares is enough, and a nonce that is missing is
    withheld. Ballots are added up where `open_compute` says, in chunks, and are not kept.
    """

    def __init__(
        self,
        desk: CeremonyDesk,
        records: BoxRecords,
        publication: PublicationRecords,
        clock: Clock,
        *,
        result_wait_s: int,
        open_compute: OpenCompute,
    ) -> None:
        self._desk = desk
        self._records = records
        self._publication = publication
        self._clock = clock
        self._result_wait_s = result_wait_s
        self._open_compute = open_compute
        self._aggregate: Aggregate | None = None

    def take_share(self, payload: bytes) -> int:
        """Keep a trustee's decryption share and return the trustee's number.

        The first valid one stands; another one later is no error. Raises `StatementMalformed`,
        `TallyNotOpen`, `AggregateNotReady`, `TrusteeOut`, and as
        `wallet.voting.decryption.verify_share`.
        """
        statement = parse_statement(payload)
        ceremony = self._ceremony()
        trustee = _author(statement, ceremony.qualified)
        if self._aggregate is None:
            raise AggregateNotReady("the ballots are being added up")
        verify_share(statement, trustee, self._aggregate, ceremony.verification_keys)
        self._records.add_message(SHARE, trustee, payload)
        return trustee

    def take_nonce(self, payload: bytes) -> int:
        """Keep a trustee's nonce and return the trustee's number.

        Raises `StatementMalformed`, `TallyNotOpen`, `TrusteeOut`, and as
        `wallet.voting.tie_break.verify_tie_nonce`.
        """
        statement = parse_statement(payload)
        ceremony = self._ceremony()
        self.tie_block()
        # One that is out committed to a nonce all the same.
        trustee = _author(statement, ceremony.ties)
        verify_tie_nonce(statement, trustee, ceremony)
        self._records.add_message(NONCE, trustee, payload)
        return trustee

    def tie_block(self) -> TieBlock:
        """Return the block of the tie-break. Raises `TallyNotOpen` before it is final."""
        block = self._publication.tie_block()
        if block is None:
            raise TallyNotOpen("the block of the tie-break is not final yet")
        return block

    def _ceremony(self) -> CeremonyResult:
        ceremony = self._desk.result()
        if ceremony is None or not self._publication.state().is_ended:
            raise TallyNotOpen("the board has not ended")
        if self._publication.result() is not None:
            raise TallyNotOpen("the result is made")
        return ceremony

    def work(self, writer: BoardWriter) -> None:
        """Do the next step towards the result, if there is one.

        Raises `TooFewBallots`, `TooFewShares`, `ChainUnavailable`, `StorageUnavailable`.
        """
        ceremony = self._desk.result()
        if ceremony is None or not self._publication.state().is_ended:
            return
        if self._publication.result() is not None:
            return
        if self._aggregate is None:
            self._aggregate = self._added_up(ceremony)
        block = self._publication.tie_block() or self._found_block(writer, ceremony)
        if block is not None and self._is_due(ceremony, block):
            self._publication.keep_result(self._counted(ceremony, self._aggregate, block))

    def _added_up(self, ceremony: CeremonyResult) -> Aggregate:
        election, newest = ceremony.election, self._records.newest_checkpoint()
        if newest is None:
            raise TallyNotOpen("the board has no checkpoint")
        head = newest.checkpoint.size, newest.checkpoint.root
        index = index_ballots(self._entries(), election)
        with self._open_compute() as compute:
            return recount(election, head, index, self._entries(), compute, is_verified=True)

    def _entries(self) -> Iterator[Entry]:
        start = 0
        while page := self._records.entries(start, _PAGE):
            yield from page
            start += len(page)

    def _found_block(self, writer: BoardWriter, ceremony: CeremonyResult) -> TieBlock | None:
        found = writer.first_block_from(ceremony.election.manifest.tie_block_time)
        if found is None:
            return None
        block = TieBlock(found.number, found.hash, found.time)
        self._publication.keep_tie_block(block)
        return block

    def _is_due(self, ceremony: CeremonyResult, block: TieBlock) -> bool:
        if self._clock.now() >= block.time + self._result_wait_s:
            return True
        return all(set(ceremony.qualified) <= self._sent(kind).keys() for kind in (SHARE, NONCE))

    def _sent(self, kind: str) -> dict[int, Statement]:
        sent = (parse_statement(data) for data in self._publication.messages(kind))
        return {statement.body["trustee"]: statement for statement in sent}

    def _counted(self, ceremony: CeremonyResult, aggregate: Aggregate, block: TieBlock) -> Result:
        election = ceremony.election
        statements = list(self._sent(SHARE).values())
        shares, ignored = check_shares(statements, aggregate, ceremony)
        batches = [
            verify_batch(parse_statement(data), election) for data in self._records.payloads(BATCH)
        ]
        tally = tally_board(aggregate, shares, ignored, batches)
        sent = self._sent(NONCE)
        trustees = range(1, len(election.manifest.trustees) + 1)
        nonces = [sent.get(trustee) for trustee in trustees]
        tie = break_ties(block, nonces, ceremony)
        outcome = decide_outcome(election.manifest, election.digest, tally.groups, tie)
        return Result(
            shares_octets(statements),
            tie_octets(election, block, nonces),
            tally.octets,
            outcome.octets,
        )


def _author(statement: Statement, trustees: Collection[int]) -> int:
    trustee = statement.body.get("trustee")
    if type(trustee) is not int or trustee not in trustees:
        raise TrusteeOut("the statement names no trustee that may send it")
    return trustee
