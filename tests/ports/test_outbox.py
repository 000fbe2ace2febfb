"""The journal of transactions on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from wallet.adapters.sql.engine import open_engine
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.ports.outbox import (
    ContractCall,
    Inclusion,
    JournalEntry,
    SendingKey,
    SignedTransaction,
    TransactionJournal,
    TransactionState,
)
from wallet.ports.storage import StorageUnavailable

KEY = SendingKey(31337, "0x" + "a1" * 20)
OTHER_KEY = SendingKey(31337, "0x" + "b2" * 20)
OTHER_CHAIN = SendingKey(1, KEY.address)
CALL = ContractCall("0x" + "c3" * 20, b"\x01\x02", 90_000)
THREADS = 12


def signed(nonce: int, attempt: int = 0) -> SignedTransaction:
    text = bytes([attempt]) * 24 + nonce.to_bytes(8, "big")
    return SignedTransaction(text, b"raw" + text, 30 + attempt, 2)


@pytest.fixture
def journal(engine: Engine) -> SqlTransactionJournal:
    return SqlTransactionJournal(engine)


def enqueue(
    journal: TransactionJournal, purpose: str, key: SendingKey = KEY, *, at_least: int = 0
) -> JournalEntry:
    return journal.enqueue(key, purpose, CALL, signed, at_least=at_least, now=5)


def included(entry: JournalEntry, block: int = 7) -> Inclusion:
    return Inclusion(entry.newest.signed.hash, block, bytes(32), 50_000, 10**14)


class TestTransactionJournal:
    def test_gives_each_purpose_of_a_key_the_next_nonce(self, journal: TransactionJournal) -> None:
        assert [enqueue(journal, name).nonce for name in "abc"] == [0, 1, 2]
        assert enqueue(journal, "a", OTHER_KEY).nonce == 0
        assert enqueue(journal, "a", OTHER_CHAIN).nonce == 0

    def test_a_purpose_that_is_under_way_or_final_gets_no_second_nonce(
        self, journal: TransactionJournal
    ) -> None:
        first = enqueue(journal, "a")
        assert enqueue(journal, "a") == first
        for state in (TransactionState.INCLUDED, TransactionState.FINAL):
            journal.mark(first, state, now=6, inclusion=included(first))
            assert enqueue(journal, "a").nonce == 0
        assert enqueue(journal, "b").nonce == 1

    @pytest.mark.parametrize("state", [TransactionState.FAILED, TransactionState.REPLACED])
    def test_a_purpose_whose_transaction_was_lost_gets_a_new_nonce(
        self, journal: TransactionJournal, state: TransactionState
    ) -> None:
        first = enqueue(journal, "a")
        journal.mark(first, state, now=6, reason="because", settled=True)
        assert journal.live(KEY, "a") is None
        assert enqueue(journal, "a").nonce == 1
        failed = ["because"] if state is TransactionState.FAILED else []
        assert journal.failures(KEY, "a") == failed

    def test_never_falls_behind_what_the_chain_has_used(self, journal: TransactionJournal) -> None:
        assert enqueue(journal, "a", at_least=5).nonce == 5
        assert enqueue(journal, "b", at_least=3).nonce == 6

    def test_keeps_everything_that_is_needed_to_send_again(
        self, journal: TransactionJournal
    ) -> None:
        entry = enqueue(journal, "a")
        (kept,) = journal.unsettled(KEY, limit=9)
        assert kept == entry == journal.live(KEY, "a")
        assert (kept.call, kept.state, kept.created_at) == (CALL, TransactionState.SUBMITTED, 5)
        (attempt,) = kept.attempts
        assert (attempt.signed, attempt.signed_at, attempt.sent_at) == (signed(0), 5, None)
        journal.mark_sent(entry, signed(0).hash, now=8)
        (kept,) = journal.unsettled(KEY, limit=9)
        assert kept.newest.sent_at == 8

    def test_a_transaction_that_could_not_be_signed_uses_no_nonce(
        self, journal: TransactionJournal
    ) -> None:
        def fail(nonce: int) -> SignedTransaction:
            raise StorageUnavailable(f"nonce {nonce}")

        with pytest.raises(StorageUnavailable, match="nonce 0"):
            journal.enqueue(KEY, "a", CALL, fail, at_least=0, now=5)
        assert journal.live(KEY, "a") is None
        assert enqueue(journal, "b").nonce == 0

    def test_keeps_every_signed_form_in_order_and_only_the_first_of_two_rivals(
        self, journal: TransactionJournal
    ) -> None:
        entry = enqueue(journal, "a")
        changed = journal.add_attempt(entry, lambda: signed(0, 1), now=6)
        assert [attempt.signed for attempt in changed.attempts] == [signed(0), signed(0, 1)]
        assert journal.add_attempt(entry, lambda: signed(0, 9), now=7) == changed
        again = journal.add_attempt(changed, lambda: signed(0, 2), now=7)
        assert again.newest.signed == signed(0, 2)

    def test_what_is_settled_changes_no_more(self, journal: TransactionJournal) -> None:
        entry = enqueue(journal, "a")
        where = included(entry)
        journal.mark(entry, TransactionState.FINAL, now=6, inclusion=where, settled=True)
        journal.mark(entry, TransactionState.SUBMITTED, now=7)
        final = journal.live(KEY, "a")
        assert final is not None
        assert (final.state, final.inclusion, final.settled_at) == (
            TransactionState.FINAL,
            where,
            6,
        )
        assert journal.add_attempt(entry, lambda: signed(0, 1), now=8) == final
        assert journal.unsettled(KEY, limit=9) == []

    def test_what_fell_out_of_the_chain_forgets_its_block(
        self, journal: TransactionJournal
    ) -> None:
        entry = enqueue(journal, "a")
        journal.mark(
            entry, TransactionState.FAILED, now=6, inclusion=included(entry), reason="because"
        )
        journal.mark(entry, TransactionState.SUBMITTED, now=7)
        (kept,) = journal.unsettled(KEY, limit=9)
        assert (kept.state, kept.inclusion, kept.reason) == (
            TransactionState.SUBMITTED,
            None,
            None,
        )

    def test_says_which_nonces_the_chain_must_have_used(self, journal: TransactionJournal) -> None:
        assert journal.settled_below(KEY) == 0
        entries = [enqueue(journal, name) for name in "abc"]
        journal.mark(entries[1], TransactionState.FINAL, now=6, settled=True)
        assert journal.settled_below(KEY) == 2
        assert [entry.nonce for entry in journal.unsettled(KEY, limit=9)] == [0, 2]
        assert [entry.nonce for entry in journal.unsettled(KEY, limit=1)] == [0]
        assert journal.settled_below(OTHER_KEY) == 0

    def test_parallel_writers_of_one_key_leave_no_gap_and_repeat_no_purpose(
        self, journal: TransactionJournal
    ) -> None:
        barrier = Barrier(THREADS)

        def write(turn: int) -> tuple[str, int]:
            barrier.wait()
            entry = enqueue(journal, f"purpose {turn % 6}")
            return entry.purpose, entry.nonce

        with ThreadPoolExecutor(THREADS) as pool:
            given = set(pool.map(write, range(THREADS)))
        assert sorted(nonce for _, nonce in given) == list(range(6))
        assert len({purpose for purpose, _ in given}) == 6

    @pytest.mark.parametrize("purpose", ["", "x" * 256])
    def test_refuses_a_purpose_that_cannot_be_kept(
        self, journal: TransactionJournal, purpose: str
    ) -> None:
        with pytest.raises(ValueError, match="purpose"):
            enqueue(journal, purpose)
        assert journal.unsettled(KEY, limit=9) == []

    def test_survives_the_process(self, journal: TransactionJournal, database_url: str) -> None:
        entry = enqueue(journal, "a")
        other = open_engine(database_url)
        assert SqlTransactionJournal(other).unsettled(KEY, limit=9) == [entry]
        other.dispose()
