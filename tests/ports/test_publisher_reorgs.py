"""Publishing to a chain that drops blocks, reverts, or has other transactions of the key."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support.chains import sql_journal
from tests.support.publisher_desk import (
    DIGEST,
    FINALITY_DEPTH,
    ISSUER,
    LIST,
    MANIFEST,
    ROOT,
    SCHEMA,
    Desk,
    publisher_desk,
)
from wallet.adapters.evm.deployment import REGISTRY
from wallet.adapters.evm.node import contract
from wallet.adapters.evm.publisher import MAX_FAILURES
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import (
    LedgerRefused,
    LedgerRound,
)
from wallet.ports.outbox import TransactionState
from wallet.trust.facts import StatusFact

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]

SUBMITTED, INCLUDED, FINAL, _, FAILED = TransactionState


@pytest.fixture
def desk() -> Iterator[Desk]:
    with publisher_desk() as made:
        yield made


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
    registry = contract(desk.w3, desk.stack.deployment, REGISTRY)
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
    registry = contract(desk.w3, desk.stack.deployment, REGISTRY)
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
