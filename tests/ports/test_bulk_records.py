"""`verifier.bulk.records.BulkRecords` on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select

from verifier.bulk.records import (
    ApplicationState,
    BatchState,
    BulkBatch,
    BulkBatchFull,
    BulkBatchSealed,
    BulkBatchUnknown,
    BulkChunkConflict,
    BulkChunkOutOfOrder,
    BulkLeaseLost,
    DecidedChunk,
    NewChunk,
)
from verifier.storage.bulk import SqlBulkRecords
from verifier.storage.bulk_tables import CHUNKS, SEEN, migrate_bulk
from wallet.adapters.sql.engine import read
from wallet.errors import SeoulWalletError

NOW = 1_800_000_000
LATER = NOW + 100


@pytest.fixture
def records(empty_engine: Engine) -> SqlBulkRecords:
    migrate_bulk(empty_engine)
    return SqlBulkRecords(empty_engine)


def batch(name: str, *, created_at: int = NOW) -> BulkBatch:
    return BulkBatch(
        batch_id=name, agency="gate", nonce="n", created_at=created_at, expires_at=NOW + 1000
    )


def chunk(number: int, *, count: int = 2) -> NewChunk:
    return NewChunk(number, b"body %d" % number, count, bytes([number]) * 32)


def add(
    records: SqlBulkRecords, found: NewChunk, *, name: str = "b", most: int = 100
) -> BulkBatch:
    return records.add_chunk(name, "gate", found, max_applications=most, now=NOW)


def decided(number: int, *seen: bytes) -> DecidedChunk:
    lines = [b"line %d.0" % number, b"line %d.1" % number]
    outcomes = {ApplicationState.ELIGIBLE: 1, ApplicationState.REFUSED: 1}
    return DecidedChunk(number, lines, outcomes, seen)


def decide(
    records: SqlBulkRecords, name: str, owner: str, found: DecidedChunk, *, now: int, until: int
) -> None:
    records.decide(name, owner, found.number, lambda _: found, now=now, until=until)


def test_counts_what_was_received_and_what_was_decided(records: SqlBulkRecords) -> None:
    records.create(batch("b"))
    add(records, chunk(0))
    add(records, chunk(1))
    assert records.lease("me", now=NOW, until=LATER) is not None
    decide(records, "b", "me", decided(0), now=NOW, until=LATER)
    found = records.batch("b", "gate", now=NOW)
    assert (found.chunks, found.chunks_decided, found.applications) == (2, 1, 4)
    assert found.outcomes[ApplicationState.ELIGIBLE] == 1
    assert found.decided == 2
    assert found.state is BatchState.OPEN
    assert records.seal("b", "gate", now=NOW).state is BatchState.SEALED
    decide(records, "b", "me", decided(1), now=NOW + 5, until=LATER)
    done = records.seal("b", "gate", now=NOW + 9)
    assert (done.state, done.sealed_at, done.finished_at) == (BatchState.DONE, NOW, NOW + 5)


def test_a_batch_sealed_after_its_last_decision_is_done(records: SqlBulkRecords) -> None:
    records.create(batch("b"))
    assert records.seal("b", "gate", now=NOW).state is BatchState.DONE


def test_a_decided_chunk_keeps_its_lines_and_forgets_its_applications(
    records: SqlBulkRecords, empty_engine: Engine
) -> None:
    records.create(batch("b"))
    add(records, chunk(0))
    pending = records.pending("b", 0)
    assert pending is not None
    assert (pending.first, pending.count, pending.body) == (0, 2, b"body 0")
    assert records.decided_lines("b", 0) is None
    records.lease("me", now=NOW, until=LATER)
    decide(records, "b", "me", decided(0), now=NOW, until=LATER)
    assert records.pending("b", 0) is None
    assert records.decided_lines("b", 1) == (0, [b"line 0.0", b"line 0.1"])
    assert records.decided_lines("b", 2) is None
    with read(empty_engine) as connection:
        assert connection.execute(select(CHUNKS.c.body)).scalar_one() is None


def test_the_same_chunk_again_changes_nothing(records: SqlBulkRecords) -> None:
    records.create(batch("b"))
    assert add(records, chunk(0)) == add(records, chunk(0))
    records.seal("b", "gate", now=NOW)
    assert add(records, chunk(0)).chunks == 1


@pytest.mark.parametrize(
    ("found", "most", "error"),
    [
        (NewChunk(0, b"other", 2, b"x" * 32), 100, BulkChunkConflict),
        (chunk(2), 100, BulkChunkOutOfOrder),
        (chunk(1), 3, BulkBatchFull),
    ],
)
def test_refuses_a_chunk_that_does_not_follow(
    records: SqlBulkRecords, found: NewChunk, most: int, error: type[SeoulWalletError]
) -> None:
    records.create(batch("b"))
    add(records, chunk(0))
    with pytest.raises(error):
        add(records, found, most=most)
    assert records.batch("b", "gate", now=NOW).applications == 2


def test_a_sealed_batch_refuses_a_chunk(records: SqlBulkRecords) -> None:
    records.create(batch("b"))
    records.seal("b", "gate", now=NOW)
    with pytest.raises(BulkBatchSealed):
        add(records, chunk(0))


def test_another_agencys_batch_and_an_expired_one_are_unknown(records: SqlBulkRecords) -> None:
    records.create(batch("b"))
    with pytest.raises(BulkBatchUnknown):
        records.batch("b", "other", now=NOW)
    with pytest.raises(BulkBatchUnknown):
        records.batch("b", "gate", now=NOW + 1000)
    assert records.batch("b", "gate", now=NOW + 999).batch_id == "b"


def test_of_parallel_posts_of_one_chunk_one_is_kept(records: SqlBulkRecords) -> None:
    records.create(batch("b"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add(records, chunk(0)), range(8)))
    assert records.batch("b", "gate", now=NOW).applications == 2


def test_one_process_at_a_time_has_a_batch_and_a_dead_one_gives_it_up(
    records: SqlBulkRecords,
) -> None:
    records.create(batch("b"))
    add(records, chunk(0))
    assert records.lease("first", now=NOW, until=LATER) is not None
    assert records.lease("second", now=LATER - 1, until=LATER + 50) is None
    assert records.lease("second", now=LATER, until=LATER + 50) is not None
    with pytest.raises(BulkLeaseLost):
        decide(records, "b", "first", decided(0), now=LATER, until=LATER + 50)
    decide(records, "b", "second", decided(0), now=LATER, until=LATER + 50)
    with pytest.raises(BulkLeaseLost):
        decide(records, "b", "second", decided(0), now=LATER, until=LATER + 50)


def test_the_batch_that_waited_longest_is_next(records: SqlBulkRecords) -> None:
    for name, created_at in (("young", NOW), ("old", NOW - 5), ("empty", NOW - 9)):
        records.create(batch(name, created_at=created_at))
        if name != "empty":
            add(records, chunk(0), name=name)
    order = []
    for turn in range(3):
        found = records.lease("me", now=NOW + turn, until=LATER)
        assert found is not None
        order.append(found.batch_id)
        records.release(found.batch_id, "me", now=NOW + turn)
    assert order == ["old", "young", "old"]


def test_what_decided_chunks_have_seen_is_the_batchs_own(records: SqlBulkRecords) -> None:
    digests = [bytes([number]) * 32 for number in range(3)]
    for name in ("b", "c"):
        records.create(batch(name))
        add(records, chunk(0), name=name)
    found = records.lease("me", now=NOW, until=LATER)
    assert found is not None
    assert found.batch_id == "b"
    decide(records, "b", "me", decided(0, *digests[:2]), now=NOW, until=LATER)
    many = [*digests, *(number.to_bytes(32, "big") for number in range(1000, 2500))]
    assert records.seen("b", many) == frozenset(digests[:2])
    assert records.seen("c", many) == frozenset()


def test_forgetting_and_purging_take_everything_along(
    records: SqlBulkRecords, empty_engine: Engine
) -> None:
    for name in ("b", "c"):
        records.create(batch(name))
        add(records, chunk(0), name=name)
        records.lease("me", now=NOW, until=LATER)
        decide(records, name, "me", decided(0, b"s" * 32), now=NOW, until=LATER)
    records.forget("b", "gate", now=NOW)
    with pytest.raises(BulkBatchUnknown):
        records.forget("b", "gate", now=NOW)
    assert records.purge(now=NOW + 999) == 0
    assert records.purge(now=NOW + 1000) == 1
    with read(empty_engine) as connection:
        for table in (CHUNKS, SEEN):
            assert connection.execute(select(table)).all() == []
