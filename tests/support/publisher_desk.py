"""A publisher over a node that mines only when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth_account.signers.local import LocalAccount

from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack, ledger_stack, sql_journal
from tests.support.clock import SettableClock
from wallet.adapters.evm.fees import GWEI, FeeLimits
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.adapters.evm.writer import EvmLedgerWriter
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.ports.outbox import JournalEntry, TransactionState
from wallet.trust.facts import BatchFact

ISSUER, SCHEMA, ROOT, LIST = (bytes([n]) * 32 for n in (1, 2, 3, 4))
MANIFEST, DIGEST = b"\x05" * 32, b"\x06" * 32
FEES = FeeLimits(tip_wei=GWEI, max_fee_wei=100 * GWEI, raise_after_s=60)
# Deep enough for a reorganisation of three blocks above the final one.
FINALITY_DEPTH = 5


class Desk:
    """A writer over a node that mines only when it is told to, and a look behind its back."""

    def __init__(self, stack: LedgerStack, journal: SqlTransactionJournal) -> None:
        assert isinstance(stack.chain, AnvilNode)
        self.stack = stack
        self.node = stack.chain
        self.w3 = stack.w3
        self.journal = journal
        self.clock = SettableClock(stack.now())
        self.account: LocalAccount = stack.controller.account
        self.publisher, self.writer = self.another(journal)
        self.until = stack.now() + 100_000
        stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, self.until)
        self.accredit()
        self.mine(FINALITY_DEPTH)
        self.node.request("evm_setAutomine", [False])

    def another(self, journal: SqlTransactionJournal) -> tuple[Publisher, EvmLedgerWriter]:
        """Return a publisher and writer of the same key over a journal."""
        stack = self.stack
        finality = f"depth:{FINALITY_DEPTH}"
        reader = EvmLedgerReader(stack.nodes, stack.deployment, finality=finality)
        publisher = Publisher(
            stack.w3,
            self.account,
            chain_id=stack.deployment.chain_id,
            journal=journal,
            clock=self.clock,
            finalized=reader.finalized_head,
            fees=FEES,
        )
        return publisher, EvmLedgerWriter(stack.w3, stack.deployment, publisher)

    def accredit(self) -> None:
        self.stack.accreditor.accredit_issuer(
            ISSUER, self.stack.controller_address, SCHEMA, self.until
        )

    def anchor(self, root: bytes = ROOT) -> TransactionState:
        return self.writer.anchor_batch(ISSUER, SCHEMA, root, 64, MANIFEST)

    def mine(self, blocks: int = 1, *, base_fee: int | None = None) -> None:
        if base_fee is not None:
            self.node.request("anvil_setNextBlockBaseFeePerGas", [hex(base_fee)])
        self.node.request("anvil_mine", [hex(blocks)])

    def reorganise(self, depth: int) -> None:
        self.node.request("anvil_reorg", [depth, []])

    def entries(self) -> list[JournalEntry]:
        return list(self.journal.unsettled(self.publisher.key, limit=99))

    def entry(self) -> JournalEntry:
        (found,) = self.entries()
        return found

    def in_pool(self) -> list[bytes]:
        """The transactions that wait at the node."""
        block = self.w3.eth.get_block("pending")
        return [bytes(found) for found in block["transactions"]]  # type: ignore[arg-type]

    def anchored(self) -> list[bytes]:
        return [event.root for event in self.events() if isinstance(event, BatchFact)]

    def events(self) -> list[Any]:
        return list(self.stack.events())

    def send_past_the_journal(
        self,
        nonce: int,
        call: Any,
        *,
        by: Sender | None = None,
        fee: int = 90 * GWEI,
        tip: int = 50 * GWEI,
    ) -> None:
        """Put a transaction into the pool, with a fee that beats every other; ours by default."""
        account = self.account if by is None else by.account
        transaction = call.build_transaction(
            {
                "from": account.address,
                "nonce": nonce,
                "gas": 300_000,
                "chainId": self.w3.eth.chain_id,
                "maxFeePerGas": fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        signed = account.sign_transaction(transaction)
        self.w3.eth.send_raw_transaction(signed.raw_transaction)

    def set_balance(self, wei: int) -> None:
        self.node.request("anvil_setBalance", [self.account.address, hex(wei)])


@contextmanager
def publisher_desk() -> Iterator[Desk]:
    """Start a node with fresh contracts and an accredited issuer."""
    with ledger_stack("anvil") as stack, sql_journal() as journal:
        yield Desk(stack, journal)
