"""A ballot box whose board is on a chain, with the trustees and voters of a whole election."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ballotbox.app import BallotBoxApplication, board_name, build_ballot_box
from ballotbox.timing import BoxTimes
from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack
from tests.support.clock import SettableClock
from tests.support.voting import Trustees, cast, manifest, public_hex, signing_key, voter
from wallet.adapters.evm.board import EvmBoardWriter
from wallet.adapters.evm.deployment import BOARD
from wallet.adapters.evm.fees import GWEI, FeeLimits
from wallet.adapters.evm.node import contract
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.crypto.hashing import sha256
from wallet.voting.acceptance import counted_ballots, open_submission
from wallet.voting.aggregate import aggregate_board
from wallet.voting.batches import Batch
from wallet.voting.board import BALLOT, MANIFEST
from wallet.voting.decryption import decryption_share_body
from wallet.voting.statements import sign_statement
from wallet.voting.tie_break import tie_nonce_body

EVERY_S = 300
OPEN_S = 1200
GRACE_S = 600
LEAD_S = 1000
ROUND_S = 100
FEES = FeeLimits(tip_wei=GWEI, max_fee_wei=100 * GWEI, raise_after_s=60)
MAX_TURNS = 40


class ElectionOnChain:
    """One election from its ceremony to its seal.

    The operator's key is the organiser's too, unless `organiser` is another address.
    """

    def __init__(
        self,
        stack: LedgerStack,
        folder: Path,
        *,
        organiser: str | None = None,
        finality: str | None = None,
        lead_s: int = LEAD_S,
        **changes: Any,
    ) -> None:
        self.stack = stack
        self.reader = EvmLedgerReader(
            stack.nodes, stack.deployment, finality=finality or stack.finality
        )
        self.folder = folder
        self.opens = stack.now() + lead_s
        self.closes = self.opens + OPEN_S
        self.clock = SettableClock(stack.now())
        address = organiser or stack.controller_address
        # Elections that follow each other on one chain have different ids.
        identifier = f"synthetic-{self.opens}"
        defaults: dict[str, Any] = {
            "trustees": 2,
            "threshold": 2,
            "id": identifier,
            "opens": self.opens,
            "closes": self.closes,
            "grace_s": GRACE_S,
            "census": {
                "taken_at": self.opens - lead_s,
                "digest": sha256(b"synthetic census").hex(),
                "people": {"citizen": 1000, "committee": 50},
            },
            "board": {
                "signing_key": public_hex("board"),
                "checkpoint_every_s": EVERY_S,
            },
            "chain": {
                "chain_id": stack.deployment.chain_id,
                "contract": stack.deployment.contracts[BOARD].address[2:],
                "organiser": address[2:],
            },
            "tie_break": {"block_time": self.closes + GRACE_S + 100},
        }
        self.manifest = manifest(**{**defaults, **changes})
        self.name = board_name(self.manifest)
        self.trustees = Trustees(self.manifest)
        self.application = self.build()

    @property
    def database_url(self) -> str:
        """Of box and journal."""
        return sqlite_url(self.folder / "box.db")

    def writer(self) -> EvmBoardWriter:
        """Another writer over the journal."""
        stack = self.stack
        engine = open_engine(self.database_url)
        migrate(engine, "outbox")
        publisher = Publisher(
            stack.w3,
            stack.controller.account,
            chain_id=stack.deployment.chain_id,
            journal=SqlTransactionJournal(engine),
            clock=self.clock,
            finalized=self.reader.finalized_head,
            fees=FEES,
        )
        return EvmBoardWriter(stack.w3, self.reader, publisher, self.name)

    def build(self) -> BallotBoxApplication:
        """Another ballot box over the same database."""
        return build_ballot_box(
            self.manifest,
            signing_key("board"),
            self.database_url,
            self.clock,
            writer=self.writer(),
            times=BoxTimes(ceremony_round_s=ROUND_S, result_wait_s=100),
        )

    def restart(self) -> None:
        """A new process over the same database."""
        self.application.close()
        self.application = self.build()

    def travel_to(self, time: int) -> None:
        """Set the box's clock and the chain's."""
        self.clock.set(time)
        if time > self.stack.now():
            self.stack.travel_to(time)

    def mine(self) -> None:
        """Let blocks come, so that what is in one becomes final."""
        if isinstance(self.stack.chain, AnvilNode):
            self.stack.chain.request("anvil_mine", ["0x3"])

    def work(self) -> None:
        """A round of each job."""
        assert self.application.chain is not None
        self.application.box.work()
        self.application.chain.work()

    def settle(self, is_done: Callable[[], bool]) -> None:
        """Work until something is so."""
        for _ in range(MAX_TURNS):
            self.work()
            if is_done():
                return
            self.mine()
        raise AssertionError("it did not come to that")

    @property
    def is_anchored(self) -> bool:
        """Every checkpoint is final on the chain."""
        return not self.application.publication.not_anchored(1)

    def run_ceremony(self) -> None:
        """All rounds."""
        while self.trustees.ceremony.round < 4:
            start = len(self.trustees.ceremony.payloads)
            self.trustees.run_round()
            for payload in self.trustees.ceremony.payloads[start:]:
                self.application.box.ceremony.take(payload)
            self.application.box.work()

    def open(self) -> None:
        """Ceremony, opening on the chain, and the first checkpoint."""
        self.run_ceremony()
        self.open_board()

    def open_board(self) -> None:
        """Opening on the chain and the first checkpoint, after a ceremony."""
        self.settle(lambda: self.application.publication.state().opened is not None)
        self.travel_to(self.opens)
        self.settle(lambda: self.is_anchored)

    def vote(self, numbers: Sequence[int], sequence: int = 1) -> None:
        """Residents vote, each for two projects."""
        election = self.application.box.election()
        for number in numbers:
            choices = [0] * 6
            choices[number % 6] = choices[(number + 1) % 6] = 1
            ballot = cast(election, voter(number), choices, sequence)
            self.application.box.accept(ballot.octets)

    def next_checkpoint(self) -> None:
        """Go on by one period."""
        self.travel_to(self.clock.now() + EVERY_S)
        self.settle(lambda: self.is_anchored)

    def finish(self) -> None:
        """Close, a batch, and the end of the board."""
        self.travel_to(self.closes)
        self.settle(lambda: self.is_anchored)
        batch = Batch(1, 1, "paper", "citizen", 9, (1, 2, 3, 0, 0, 0))
        body = batch.body(self.application.box.election())
        self.application.box.take_batch(sign_statement(signing_key("officer"), body).octets)
        self.travel_to(self.closes + GRACE_S // 2)
        self.settle(lambda: self.is_anchored)

    def share(self, trustee: int) -> bytes:
        """A trustee's decryption share, from what the board shows."""
        board = self.application.box.board
        election = self.application.box.election()
        entries = [
            entry
            for start in range(0, board.published_size(), 100)
            for entry in board.entries(start, 100)
        ]
        ballots = [open_submission(e.payload, election) for e in entries if e.kind == BALLOT]
        assert entries[0].kind == MANIFEST
        newest = board.newest_checkpoint().checkpoint
        aggregate = aggregate_board(election, newest.size, newest.root, counted_ballots(ballots))
        share = self.trustees.share(self.trustees.ceremony.finish(), trustee)
        body = decryption_share_body(aggregate, share, decrypted_before=None)
        return self.trustees.sign(trustee, body).octets

    def nonce(self, trustee: int) -> bytes:
        """A trustee's nonce."""
        election = self.application.box.election()
        return self.trustees.sign(
            trustee, tie_nonce_body(election, self.trustees.own[trustee])
        ).octets

    def count(self) -> None:
        """Shares, the block of the tie-break, nonces, the result, the seal."""
        self.work()
        counting = self.application.counting
        for trustee in self.trustees.own:
            counting.take_share(self.share(trustee))
        self.travel_to(self.manifest.tie_block_time + 1)
        self.settle(lambda: self.application.publication.tie_block() is not None)
        for trustee in self.trustees.own:
            counting.take_nonce(self.nonce(trustee))
        self.settle(lambda: self.application.publication.state().sealed is not None)

    def run(self) -> None:
        """Everything, with two dozen voters of whom one votes twice."""
        self.open()
        self.vote(range(1, 15))
        self.next_checkpoint()
        self.vote(range(15, 25))
        self.vote([1], sequence=2)
        self.next_checkpoint()
        self.finish()
        self.count()

    def on_chain(self) -> list[tuple[int, int, bytes]]:
        """Number, size and root of every checkpoint of the board on the chain."""
        board = contract(self.stack.w3, self.stack.deployment, BOARD)
        logs = board.events.Checkpointed().get_logs(
            from_block=self.stack.deployment.first_block,
            argument_filters={"boardId": self.name.board_id},
        )
        return [(log["args"]["number"], log["args"]["size"], log["args"]["root"]) for log in logs]

    def signed(self) -> list[tuple[int, int, bytes]]:
        """The same of every checkpoint that the board signed."""
        found = self.application.box.board.checkpoints(1, 100)
        return [
            (item.checkpoint.number, item.checkpoint.size, item.checkpoint.root) for item in found
        ]
