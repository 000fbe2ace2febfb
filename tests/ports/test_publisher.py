"""A publisher against a real node: lost, stuck and unpaid transactions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.chains import sql_journal
from tests.support.publisher_desk import (
    FEES,
    FINALITY_DEPTH,
    ISSUER,
    MANIFEST,
    ROOT,
    SCHEMA,
    Desk,
    publisher_desk,
)
from wallet.adapters.evm.fees import GWEI
from wallet.adapters.evm.publisher import MAX_WAITING
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import (
    GasPriceAboveLimit,
    LedgerRound,
    WriterBusy,
    WriterUnfunded,
)
from wallet.ports.outbox import TransactionState

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]

SUBMITTED, INCLUDED, FINAL, _, _ = TransactionState


@pytest.fixture
def desk() -> Iterator[Desk]:
    with publisher_desk() as made:
        yield made


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
