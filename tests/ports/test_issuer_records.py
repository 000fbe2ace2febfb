"""The issuer's record ports on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from issuer.ports import (
    Issuance,
    IssuanceAlreadyCompleted,
    IssuanceUnknown,
    Letter,
    LetterConflict,
    LetterState,
    LetterUnknown,
    StatusChanged,
    StatusPublication,
)
from issuer.storage.decoys import DECOY, MAX_DECOYS, draw_count
from issuer.storage.issuances import SqlIssuanceRecords
from issuer.storage.letters import SqlLetterRecords
from issuer.storage.publications import SqlStatusPublications
from issuer.storage.recovery.tables import migrate_recovery
from issuer.storage.tables import ANCHORED, migrate_issuer
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.errors import ConflictError
from wallet.ports.batches import (
    Batch,
    BatchConflict,
    BatchState,
    BatchUnknown,
    LeafPlace,
    LeafUnknown,
    PendingLeaves,
)
from wallet.ports.storage import StorageUnavailable

THREADS = 16
CARD = "urn:example:card"


@pytest.fixture
def database(empty_engine: Engine) -> Engine:
    """A database with the issuer's tables."""
    migrate_issuer(empty_engine)
    migrate_recovery(empty_engine)
    return empty_engine


def leaf(number: int) -> bytes:
    return number.to_bytes(32, "big")


def intents(database: Engine, grant: str, count: int = 1, *, size: int = 1024) -> list[Issuance]:
    records = SqlIssuanceRecords(database, list_size=size)
    return list(
        records.record_intents(
            grant, count, credential_type=CARD, subject_id="SYN-F-1", holder_id="SYN-P-1", now=5
        )
    )


def complete(database: Engine, *issued: Issuance, start: int = 1, now: int = 6) -> None:
    leaves = {item.issuance_id: leaf(start + n) for n, item in enumerate(issued)}
    SqlIssuanceRecords(database).complete(leaves, now=now)


def batch(number: int, size: int = 2, state: BatchState = BatchState.SEALED) -> Batch:
    return Batch(leaf(1000 + number), CARD, size, "manifest", leaf(2000 + number), state, number)


class TestIssuances:
    def test_an_intent_asked_for_again_is_the_same(self, database: Engine) -> None:
        first = intents(database, "grant", 2)
        assert intents(database, "grant", 2) == first
        assert intents(database, "grant", 1) == first[:1]
        assert intents(database, "grant", 3)[:2] == first
        assert len({item.status_index for item in intents(database, "grant", 3)}) == 3

    def test_a_grant_completes_once_and_gives_no_intents_after(self, database: Engine) -> None:
        first, second = intents(database, "grant", 2)
        complete(database, first)
        with pytest.raises(IssuanceAlreadyCompleted):
            complete(database, first, start=9)
        with pytest.raises(IssuanceAlreadyCompleted):
            intents(database, "grant", 2)
        records = SqlIssuanceRecords(database)
        assert records.issuance(first.issuance_id).leaf == leaf(1)
        assert records.issuance(second.issuance_id).leaf is None

    def test_an_issuance_is_found_by_its_place_in_the_list(self, database: Engine) -> None:
        first, second = intents(database, "grant", 2)
        records = SqlIssuanceRecords(database)
        for item in (first, second):
            assert records.issuance_at(item.list_number, item.status_index) == item
        free = next(
            index for index in range(10) if index not in (first.status_index, second.status_index)
        )
        for place in ((first.list_number, free), (first.list_number + 1, first.status_index)):
            with pytest.raises(IssuanceUnknown):
                records.issuance_at(*place)

    def test_completing_is_all_or_nothing(self, database: Engine) -> None:
        first, second = intents(database, "grant", 2)
        complete(database, second, start=7)
        with pytest.raises(IssuanceAlreadyCompleted):
            complete(database, first, second)
        assert SqlIssuanceRecords(database).issuance(first.issuance_id).leaf is None
        assert SqlBatchRecords(database, ANCHORED).pending_leaves(CARD, limit=9) == [leaf(7)]

    def test_parallel_requests_of_one_grant_share_one_index(self, database: Engine) -> None:
        barrier = Barrier(THREADS)

        def ask(_: int) -> Issuance:
            barrier.wait()
            return intents(database, "grant")[0]

        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(ask, range(THREADS)))
        assert found == [found[0]] * THREADS

    def test_parallel_completions_of_one_grant_succeed_once(self, database: Engine) -> None:
        (intent,) = intents(database, "grant")
        barrier = Barrier(THREADS)

        def finish(number: int) -> int:
            barrier.wait()
            try:
                complete(database, intent, start=number)
            except IssuanceAlreadyCompleted:
                return 0
            return 1

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(finish, range(THREADS))) == 1
        (pending,) = SqlBatchRecords(database, ANCHORED).pending()
        assert pending.count == 1

    def test_parallel_grants_never_share_an_index(self, database: Engine) -> None:
        barrier = Barrier(THREADS)

        def ask(number: int) -> list[Issuance]:
            barrier.wait()
            return [intents(database, f"grant {number} {turn}", size=64)[0] for turn in range(4)]

        with ThreadPoolExecutor(THREADS) as pool:
            found = [item for some in pool.map(ask, range(THREADS)) for item in some]
        assert len({(item.list_number, item.status_index) for item in found}) == 4 * THREADS
        assert all(0 <= item.status_index < 64 for item in found)
        sizes = SqlIssuanceRecords(database).lists()
        assert sizes == {1: 64, 2: 64}

    def test_a_status_changes_only_from_the_expected_one(self, database: Engine) -> None:
        (intent,) = intents(database, "grant")
        records = SqlIssuanceRecords(database, decoys=lambda: 0)
        records.change_status(intent.issuance_id, expected=0, status=2, reason="why", now=7)
        with pytest.raises(StatusChanged):
            records.change_status(intent.issuance_id, expected=0, status=1, reason="why", now=8)
        assert records.statuses(intent.list_number) == {intent.status_index: 2}
        assert records.issuance(intent.issuance_id).reason == "why"

    def test_decoys_take_the_steps_of_a_credential(self, database: Engine) -> None:
        # In a long list, where a decoy hardly ever meets an index that is taken.
        (intent,) = intents(database, "grant", size=1 << 24)
        records = SqlIssuanceRecords(database, decoys=lambda: 2)
        steps = ((0, 2, 3), (2, 0, 0), (0, 1, 3))
        for expected, status, others in steps:
            records.change_status(
                intent.issuance_id, expected=expected, status=status, reason="why", now=7
            )
            found = records.statuses(intent.list_number)
            assert list(found.values()) == [status] * others
            assert found.get(intent.status_index, 0) == status
        assert [item.issuance_id for item in records.issuances_of("SYN-F-1", limit=9)] == [
            intent.issuance_id
        ]
        assert records.issuances_of(DECOY, limit=9) == []

    def test_no_credential_gets_the_index_of_a_decoy(self, database: Engine) -> None:
        given = intents(database, "grant", 4, size=32)
        records = SqlIssuanceRecords(database, list_size=32, decoys=lambda: 2)
        for item in given:
            records.change_status(item.issuance_id, expected=0, status=1, reason="why", now=7)
        decoys = records.statuses(1).keys() - {item.status_index for item in given}
        assert 0 < len(decoys) <= 8
        later = intents(database, "another", 20, size=32)
        taken = {item.status_index for item in later if item.list_number == 1}
        assert taken
        assert not taken & decoys
        # Decoys count as given: a list is never more than half full of both.
        assert len(taken) + len(given) + len(decoys) == 16

    def test_a_refused_change_moves_no_decoy(self, database: Engine) -> None:
        (intent,) = intents(database, "grant")
        records = SqlIssuanceRecords(database, decoys=lambda: 2)
        with pytest.raises(StatusChanged):
            records.change_status(intent.issuance_id, expected=2, status=1, reason="why", now=8)
        assert records.statuses(intent.list_number) == {}

    def test_how_many_decoys_go_along_is_drawn(self) -> None:
        assert {draw_count() for _ in range(200)} == set(range(MAX_DECOYS + 1))

    def test_an_unknown_issuance_is_refused(self, database: Engine) -> None:
        records = SqlIssuanceRecords(database)
        with pytest.raises(IssuanceUnknown):
            records.issuance("none")
        with pytest.raises(IssuanceUnknown):
            records.change_status("none", expected=0, status=1, reason="why", now=1)
        assert records.issuances_of("SYN-F-9", limit=5) == []

    def test_without_its_tables_it_is_unavailable(self, empty_engine: Engine) -> None:
        with pytest.raises(StorageUnavailable):
            intents(empty_engine, "grant")


class TestBatches:
    def test_leaves_wait_until_they_are_sealed(self, database: Engine) -> None:
        issued = intents(database, "grant", 3)
        complete(database, *issued, now=6)
        records = SqlBatchRecords(database, ANCHORED)
        assert records.pending() == [PendingLeaves(CARD, 3, 6)]
        assert records.place(leaf(1)) == LeafPlace(None, None)
        records.seal(batch(1, 3), [leaf(2), leaf(99), leaf(1)], [leaf(1), leaf(2)])
        assert records.pending() == [PendingLeaves(CARD, 1, 6)]
        assert records.place(leaf(1)) == LeafPlace(leaf(1001), 2)
        assert records.leaves(leaf(1001)) == [leaf(2), leaf(99), leaf(1)]
        assert records.batch(leaf(1001)) == batch(1, 3)

    def test_a_leaf_is_sealed_once(self, database: Engine) -> None:
        issued = intents(database, "grant", 2)
        complete(database, *issued)
        records = SqlBatchRecords(database, ANCHORED)
        records.seal(batch(1), [leaf(1), leaf(98)], [leaf(1)])
        with pytest.raises(BatchConflict):
            records.seal(batch(2), [leaf(1), leaf(2)], [leaf(1), leaf(2)])
        assert records.place(leaf(2)) == LeafPlace(None, None)
        with pytest.raises(BatchUnknown):
            records.batch(leaf(1002))

    def test_parallel_seals_of_the_same_leaves_succeed_once(self, database: Engine) -> None:
        complete(database, *intents(database, "grant", 1))
        records = SqlBatchRecords(database, ANCHORED)
        barrier = Barrier(THREADS)

        def seal(number: int) -> int:
            barrier.wait()
            try:
                records.seal(batch(number, 1), [leaf(1)], [leaf(1)])
            except ConflictError:
                return 0
            return 1

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(seal, range(THREADS))) == 1
        assert len(records.unfinished()) == 1

    def test_a_final_batch_stays_final(self, database: Engine) -> None:
        complete(database, *intents(database, "grant"))
        records = SqlBatchRecords(database, ANCHORED)
        records.seal(batch(1, 1), [leaf(1)], [leaf(1)])
        records.mark(leaf(1001), BatchState.INCLUDED, now=7)
        assert records.batch(leaf(1001)).sent_at == 7
        records.mark(leaf(1001), BatchState.FINAL, now=8)
        records.mark(leaf(1001), BatchState.INCLUDED, now=9)
        assert records.batch(leaf(1001)).state is BatchState.FINAL
        assert records.unfinished() == []
        records.mark_revoked(leaf(1001), now=10)
        records.mark_revoked(leaf(1001), now=11)
        assert records.batch(leaf(1001)).revoked_at == 10

    def test_unknown_leaves_and_batches_are_refused(self, database: Engine) -> None:
        records = SqlBatchRecords(database, ANCHORED)
        with pytest.raises(LeafUnknown):
            records.place(leaf(1))
        with pytest.raises(BatchUnknown):
            records.leaves(leaf(1))


class TestStatusPublications:
    def test_the_newest_version_counts_and_a_confirmed_one_stays(self, database: Engine) -> None:
        intents(database, "grant")
        records = SqlStatusPublications(database)
        assert records.latest(1) is None
        records.record(StatusPublication(1, 1, leaf(1), 10, False))
        records.record(StatusPublication(1, 1, leaf(2), 20, False))
        assert records.latest(1) == StatusPublication(1, 1, leaf(2), 20, False)
        records.confirm(1, 1)
        records.record(StatusPublication(1, 1, leaf(3), 30, False))
        assert records.latest(1) == StatusPublication(1, 1, leaf(2), 20, True)
        records.record(StatusPublication(1, 2, leaf(4), 40, False))
        assert records.latest(1) == StatusPublication(1, 2, leaf(4), 40, False)


class TestLetters:
    def test_a_letter_is_approved_once_and_by_another(self, database: Engine) -> None:
        records = SqlLetterRecords(database)
        letter = Letter("letter", "SYN-A-1", LetterState.REQUESTED, "alice", 5)
        records.add(letter)
        with pytest.raises(LetterConflict):
            records.add(Letter("second", "SYN-A-1", LetterState.REQUESTED, "bob", 6))
        with pytest.raises(LetterConflict):
            records.approve("letter", operator="alice", now=7)
        assert records.letters(LetterState.REQUESTED, limit=5) == [letter]
        records.approve("letter", operator="bob", now=8)
        assert records.letter("letter").approved_by == "bob"
        with pytest.raises(LetterConflict):
            records.approve("letter", operator="carol", now=9)

    def test_an_unknown_letter_is_refused(self, database: Engine) -> None:
        records = SqlLetterRecords(database)
        with pytest.raises(LetterUnknown):
            records.letter("none")
        with pytest.raises(LetterUnknown):
            records.approve("none", operator="bob", now=1)
