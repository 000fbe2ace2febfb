"""A publisher against a real node: lost, stuck, orphaned, reverted and displaced transactions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack, ledger_stack, sql_journal
from tests.support.clock import SettableClock
from wallet.adapters.evm.fees import GWEI, FeeLimits
from wallet.adapters.evm.publisher import MAX_FAILURES, MAX_WAITING, Publisher
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.adapters.evm.writer import EvmLedgerWriter
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import (
    GasPriceAboveLimit,
    LedgerRefused,
    LedgerRound,
    WriterBusy,
    WriterUnfunded,
)
from wallet.ports.outbox import JournalEntry, TransactionState
from wallet.trust.facts import BatchFact, StatusFact

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]

ISSUER, SCHEMA, ROOT, LIST = (bytes([n]) * 32 for n in (1, 2, 3, 4))
MANIFEST, DIGEST = b"\x05" * 32, b"\x06" * 32
FEES = FeeLimits(tip_wei=GWEI, max_fee_wei=100 * GWEI, raise_after_s=60)
# Deep enough for a reorganisation of three blocks above the final one.
FINALITY_DEPTH = 5
SUBMITTED, INCLUDED, FINAL, REPLACED, FAILED = TransactionState


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
        reader = EvmLedgerReader(stack.w3, stack.deployment, finality=finality)
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
        first = self.stack.deployment.first_block
        return list(self.stack.reader.events(first, self.w3.eth.block_number))

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


@pytest.fixture
def desk() -> Iterator[Desk]:
    with ledger_stack("anvil") as stack, sql_journal() as journal:
        yield Desk(stack, journal)


def test_a_transaction_is_submitted_then_included_then_final(desk: Desk) -> None:
    assert desk.anchor() is SUBMITTED
    assert desk.writer.advance() == LedgerRound(
        unsettled=1, waiting=1, waiting_since=desk.clock.now()
    )
    assert desk.anchor() is SUBMITTED
    desk.mine()
    assert desk.writer.advance() == LedgerRound(unsettled=1)
    assert desk.anchor() is INCLUDED
    assert desk.entry().inclusion is not None
    desk.mine(FINALITY_DEPTH)
    assert desk.writer.advance() == LedgerRound()
    assert desk.anchor() is FINAL
    assert desk.anchored() == [ROOT]


def test_with_nothing_under_way_no_node_is_asked(desk: Desk) -> None:
    desk.anchor()
    desk.mine(1 + FINALITY_DEPTH)
    desk.writer.advance()
    desk.node.kill()
    assert desk.writer.advance() == LedgerRound()
    assert desk.anchor() is FINAL


def test_with_something_under_way_a_silent_node_is_unavailable(desk: Desk) -> None:
    desk.anchor()
    desk.node.kill()
    with pytest.raises(ChainUnavailable):
        desk.writer.advance()
    assert desk.anchor() is SUBMITTED


def test_what_the_node_dropped_is_sent_again_byte_for_byte(desk: Desk) -> None:
    desk.anchor()
    (sent,) = desk.in_pool()
    desk.node.request("anvil_dropTransaction", ["0x" + sent.hex()])
    assert desk.in_pool() == []
    desk.writer.advance()
    assert desk.in_pool() == [sent]
    assert len(desk.entry().attempts) == 1
    desk.mine()
    desk.writer.advance()
    assert desk.anchored() == [ROOT]


def test_what_the_node_has_is_not_sent_again(desk: Desk) -> None:
    desk.anchor()
    before = desk.entry()
    desk.clock.set(desk.clock.now() + FEES.raise_after_s - 1)
    desk.writer.advance()
    assert desk.entry() == before


def test_a_transaction_that_the_node_knows_counts_as_sent(desk: Desk) -> None:
    desk.anchor()
    sent = desk.entry()
    with sql_journal() as other:
        publisher, writer = desk.another(other)
        writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST)
        (same,) = other.unsettled(publisher.key, limit=9)
    assert same.newest.signed == sent.newest.signed
    assert same.newest.sent_at is not None
    assert len(desk.in_pool()) == 1


def test_a_stuck_transaction_is_replaced_by_one_that_offers_more(desk: Desk) -> None:
    desk.anchor()
    first = desk.entry().newest.signed
    desk.mine(base_fee=first.max_fee_wei + GWEI)
    desk.clock.set(desk.clock.now() + FEES.raise_after_s - 1)
    desk.writer.advance()
    assert len(desk.entry().attempts) == 1
    desk.clock.set(desk.clock.now() + 1)
    assert desk.writer.advance().repriced == 1
    entry = desk.entry()
    second = entry.newest.signed
    assert len(entry.attempts) == 2
    assert second.max_fee_wei * 8 >= first.max_fee_wei * 9
    assert second.tip_wei * 8 >= first.tip_wei * 9
    assert desk.writer.advance().repriced == 0
    desk.mine()
    desk.writer.advance()
    inclusion = desk.entry().inclusion
    assert inclusion is not None
    assert (inclusion.transaction_hash, desk.entry().nonce) == (second.hash, 0)
    assert desk.anchored() == [ROOT]


def test_what_another_transaction_of_the_nonce_keeps_out_outbids_it(desk: Desk) -> None:
    functions = desk.writer._anchor.functions
    rival = functions.anchorBatch(ISSUER, SCHEMA, b"\x07" * 32, 64, MANIFEST)
    desk.send_past_the_journal(0, rival, tip=2 * GWEI, fee=20 * GWEI)
    desk.anchor()
    assert desk.entry().newest.sent_at is None
    for _ in range(30):
        desk.writer.advance()
        if desk.entry().newest.sent_at is not None:
            break
    assert desk.in_pool() == [desk.entry().newest.signed.hash]
    desk.mine()
    desk.writer.advance()
    assert desk.anchored() == [ROOT]


def test_the_first_offer_counts_too_when_it_is_the_one_that_got_in(desk: Desk) -> None:
    desk.anchor()
    first = desk.entry().newest.signed
    desk.clock.set(desk.clock.now() + FEES.raise_after_s)
    assert desk.writer.advance().repriced == 1
    replacement = desk.entry().newest.signed
    desk.node.request("anvil_dropTransaction", ["0x" + replacement.hash.hex()])
    desk.w3.eth.send_raw_transaction(first.raw)
    desk.mine()
    desk.writer.advance()
    inclusion = desk.entry().inclusion
    assert inclusion is not None
    assert inclusion.transaction_hash == first.hash


def test_no_offer_goes_beyond_the_limit_and_what_waits_is_sent_when_gas_is_cheap_again(
    desk: Desk,
) -> None:
    desk.anchor()
    desk.mine(base_fee=FEES.max_fee_wei + 1)
    desk.clock.set(desk.clock.now() + FEES.raise_after_s)
    done = desk.writer.advance()
    assert (done.waiting, done.repriced) == (1, 0)
    assert "gas_price_above_limit" in done.blocked
    with pytest.raises(GasPriceAboveLimit):
        desk.anchor(b"\x07" * 32)
    assert len(desk.entries()) == 1
    desk.mine(base_fee=GWEI)
    desk.anchor(b"\x07" * 32)
    desk.writer.advance()
    desk.mine()
    assert desk.writer.advance().blocked == frozenset()
    assert desk.anchored() == [ROOT, b"\x07" * 32]


def test_without_funds_nothing_is_signed(desk: Desk) -> None:
    desk.set_balance(1)
    with pytest.raises(WriterUnfunded):
        desk.anchor()
    assert desk.entries() == []
    desk.set_balance(10**18)
    desk.anchor()
    assert desk.entry().nonce == 0


def test_funds_must_cover_what_is_under_way_too(desk: Desk) -> None:
    desk.anchor()
    entry = desk.entry()
    desk.set_balance(entry.call.gas * entry.newest.signed.max_fee_wei * 3 // 2)
    with pytest.raises(WriterUnfunded):
        desk.anchor(b"\x07" * 32)
    assert desk.entry() == entry


def test_what_was_signed_before_the_funds_ran_out_waits_for_new_ones(desk: Desk) -> None:
    desk.anchor()
    (sent,) = desk.in_pool()
    desk.node.request("anvil_dropTransaction", ["0x" + sent.hex()])
    desk.set_balance(1)
    assert desk.writer.advance().blocked == {"writer_unfunded"}
    desk.set_balance(10**18)
    assert desk.writer.advance().blocked == frozenset()
    desk.mine()
    desk.writer.advance()
    assert desk.entry().state is INCLUDED


def test_no_more_are_sent_than_a_node_keeps(desk: Desk) -> None:
    for number in range(MAX_WAITING):
        desk.anchor(bytes([100 + number]) * 32)
    with pytest.raises(WriterBusy):
        desk.anchor()
    desk.mine()
    desk.writer.advance()
    assert desk.anchor() is SUBMITTED
    assert [entry.nonce for entry in desk.entries()] == list(range(MAX_WAITING + 1))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_a_reorganisation_orphaned_is_sent_again_unchanged(
    desk: Desk, depth: int, caplog: pytest.LogCaptureFixture
) -> None:
    desk.anchor()
    signed = desk.entry().newest.signed
    desk.mine(depth)
    desk.writer.advance()
    assert desk.anchor() is INCLUDED
    desk.reorganise(depth)
    assert desk.anchored() == []
    with caplog.at_level(logging.WARNING):
        done = desk.writer.advance()
    assert (done.orphaned, done.waiting) == (1, 1)
    assert "fell out of the chain" in caplog.text
    assert desk.anchor() is SUBMITTED
    assert desk.entry().attempts[0].signed == signed
    assert desk.in_pool() == [signed.hash]
    desk.mine(1 + FINALITY_DEPTH)
    desk.writer.advance()
    assert desk.anchor() is FINAL
    assert desk.anchored() == [ROOT]


def test_a_block_that_was_replaced_by_another_with_the_transaction_is_noted(desk: Desk) -> None:
    desk.anchor()
    raw = desk.entry().newest.signed.raw
    desk.mine()
    desk.writer.advance()
    before = desk.entry().inclusion
    desk.reorganise(1)
    desk.w3.eth.send_raw_transaction(raw)
    desk.mine()
    assert desk.writer.advance() == LedgerRound(unsettled=1)
    after = desk.entry().inclusion
    assert before is not None
    assert after is not None
    assert after.block_hash != before.block_hash


def test_a_chain_that_lost_what_was_final_is_not_written_to(desk: Desk) -> None:
    desk.anchor()
    desk.mine(1 + FINALITY_DEPTH)
    desk.writer.advance()
    desk.anchor(b"\x07" * 32)
    desk.reorganise(2 + FINALITY_DEPTH)
    with pytest.raises(ChainUnavailable, match="behind what was final"):
        desk.writer.advance()


def test_what_reverts_in_its_block_is_recorded_with_the_rule_that_it_broke(desk: Desk) -> None:
    desk.anchor()
    registry = desk.stack.accreditor._registry
    key = desk.stack.accreditor._key
    nonce = desk.w3.eth.get_transaction_count(key.account.address)
    desk.send_past_the_journal(nonce, registry.functions.revokeIssuer(ISSUER, SCHEMA, 0), by=key)
    desk.mine()
    assert desk.writer.advance().failed == 1
    assert (desk.entry().state, desk.entry().reason) == (
        FAILED,
        "the contract refused: NotAccredited",
    )
    assert desk.writer.advance().failed == 0
    with pytest.raises(LedgerRefused, match="NotAccredited"):
        desk.anchor()
    desk.node.request("evm_setAutomine", [True])
    desk.accredit()
    assert desk.anchor() is SUBMITTED
    desk.writer.advance()
    assert desk.anchored() == [ROOT]


def test_a_revert_that_a_reorganisation_undid_counts_no_more(desk: Desk) -> None:
    desk.mine(FINALITY_DEPTH)
    desk.anchor()
    registry = desk.stack.accreditor._registry
    key = desk.stack.accreditor._key
    nonce = desk.w3.eth.get_transaction_count(key.account.address)
    desk.send_past_the_journal(nonce, registry.functions.revokeIssuer(ISSUER, SCHEMA, 0), by=key)
    desk.mine()
    desk.writer.advance()
    assert desk.entry().state is FAILED
    desk.reorganise(1)
    assert desk.writer.advance().orphaned == 1
    assert desk.anchor() is SUBMITTED
    desk.mine(1 + FINALITY_DEPTH)
    desk.writer.advance()
    assert desk.anchor() is FINAL
    assert desk.anchored() == [ROOT]


def test_a_foreign_transaction_of_the_key_displaces_one_and_both_effects_arrive_once(
    desk: Desk,
) -> None:
    desk.writer.publish_status(ISSUER, LIST, DIGEST, 1, desk.until)
    desk.anchor()
    functions = desk.writer._anchor.functions
    desk.send_past_the_journal(0, functions.anchorBatch(ISSUER, SCHEMA, ROOT, 64, MANIFEST))
    desk.mine()
    assert desk.writer.advance().failed == 1
    status, anchor = desk.entries()
    assert (status.state, anchor.state, anchor.reason) == (
        SUBMITTED,
        FAILED,
        "the contract refused: BatchExists",
    )
    assert desk.anchor() is INCLUDED
    desk.mine(FINALITY_DEPTH)
    assert desk.writer.advance().displaced == 1
    assert desk.writer.publish_status(ISSUER, LIST, DIGEST, 1, desk.until) is SUBMITTED
    assert desk.entry().nonce == 2
    desk.mine()
    desk.writer.advance()
    assert desk.anchored() == [ROOT]
    assert [event.version for event in desk.events() if isinstance(event, StatusFact)] == [1]


def test_a_journal_that_was_lost_goes_on_from_the_chain(desk: Desk) -> None:
    desk.anchor()
    desk.mine()
    with sql_journal() as empty:
        publisher, writer = desk.another(empty)
        assert writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST) is INCLUDED
        assert writer.publish_status(ISSUER, LIST, DIGEST, 1, desk.until) is SUBMITTED
        (entry,) = empty.unsettled(publisher.key, limit=9)
        assert entry.nonce == 1
    desk.mine()
    assert desk.anchored() == [ROOT]


def test_what_failed_again_and_again_is_not_paid_for_any_more(desk: Desk) -> None:
    for _ in range(MAX_FAILURES):
        assert desk.anchor() is SUBMITTED
        desk.journal.mark(
            desk.entry(), FAILED, now=desk.clock.now(), reason="it broke", settled=True
        )
    with pytest.raises(LedgerRefused, match=f"it broke, {MAX_FAILURES} times"):
        desk.anchor()


def test_a_revocation_is_sent_once_and_refused_when_it_is_in_a_block(desk: Desk) -> None:
    with pytest.raises(LedgerRefused, match="UnknownBatch"):
        desk.writer.revoke_batch(ISSUER, ROOT)
    desk.anchor()
    desk.mine()
    assert desk.writer.revoke_batch(ISSUER, ROOT) is SUBMITTED
    assert desk.writer.revoke_batch(ISSUER, ROOT) is SUBMITTED
    desk.mine()
    desk.writer.advance()
    with pytest.raises(LedgerRefused, match="BatchAlreadyRevoked"):
        desk.writer.revoke_batch(ISSUER, ROOT)
    assert [entry.nonce for entry in desk.entries()] == [0, 1]
