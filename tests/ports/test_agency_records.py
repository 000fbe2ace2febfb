"""`verifier.receipts.records.AgencyRecords` on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select

from verifier.receipts.basis import WatchedEvidence
from verifier.receipts.records import (
    AlreadyCountersigned,
    DecisionReceiptUnknown,
    EntryOf,
    LogEntry,
    LogWriter,
    StoredHead,
)
from verifier.recheck.records import NewWebhook, Standing, WebhookState
from verifier.storage.receipt_tables import ANCHORED, LOG, WATCHES, migrate_receipts
from verifier.storage.receipts import SqlAgencyRecords
from verifier.storage.recheck import SqlRecheckRecords
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import read
from wallet.crypto.merkle import MerkleTree
from wallet.ports.batches import PendingLeaves

NOW = 1_800_000_000
SCHEMA = "urn:seoul-wallet:decision-receipt:1"
WATCHED = WatchedEvidence("p", "did:web:issuer.example", "urn:x", "https://x/1", 7, 60, NOW + 9)


@pytest.fixture
def records(empty_engine: Engine) -> SqlAgencyRecords:
    migrate_receipts(empty_engine)
    return SqlAgencyRecords(empty_engine)


def entry(log: LogWriter, name: str, **changes: Any) -> LogEntry:
    given: dict[str, Any] = {
        "entry_id": name,
        "log_index": log.next_index,
        "kind": EntryOf.DECISION,
        "about": name,
        "holder": name.ljust(43, "h"),
        "token": f"{name}.payload.signature",
        "anchor_salt": name.encode().ljust(32, b"s"),
        "salts": {"resident": bytes(32)},
        "countersignature": None,
        "created_at": NOW,
        "keep_until": NOW + 100,
        **changes,
    }
    return LogEntry(**given)


def add(records: SqlAgencyRecords, name: str, **changes: Any) -> LogEntry:
    with records.writing() as log:
        found = entry(log, name, **changes)
        log.append(found)
    return found


def test_entries_are_kept_in_order_and_their_leaves_wait_for_a_batch(
    records: SqlAgencyRecords, empty_engine: Engine
) -> None:
    kept = [add(records, name) for name in "abc"]
    assert [item.log_index for item in kept] == [0, 1, 2]
    assert list(records.leaves()) == [item.leaf for item in kept]
    assert list(records.leaves(2)) == [item.leaf for item in kept[:2]]
    assert records.entry("b") == kept[1]
    pending = SqlBatchRecords(empty_engine, ANCHORED).pending()
    assert pending == [PendingLeaves(SCHEMA, 3, NOW)]
    with pytest.raises(DecisionReceiptUnknown):
        records.entry("d")


def test_an_entry_with_another_place_is_a_fault_of_the_caller(records: SqlAgencyRecords) -> None:
    with pytest.raises(ValueError, match="at the end"), records.writing() as log:
        log.append(entry(log, "a", log_index=1))
    assert list(records.leaves()) == []


def test_what_is_not_finished_leaves_nothing(records: SqlAgencyRecords) -> None:
    def append_and_fail() -> None:
        with records.writing() as log:
            log.append(entry(log, "a"))
            raise KeyError

    with pytest.raises(KeyError):
        append_and_fail()
    assert list(records.leaves()) == []
    assert add(records, "b").log_index == 0


def test_many_at_once_make_one_log_without_gaps(records: SqlAgencyRecords) -> None:
    names = [f"n{number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        indexes = list(pool.map(lambda name: add(records, name).log_index, names))
    assert sorted(indexes) == list(range(12))
    assert len(records.leaves()) == 12


def test_finds_an_entry_by_what_it_is_about_and_by_its_holder(records: SqlAgencyRecords) -> None:
    first = add(records, "a")
    withdrawn = add(records, "b", kind=EntryOf.WITHDRAWAL, salts={})
    with records.writing() as log:
        assert log.find(EntryOf.DECISION, "a") == first
        assert log.find(EntryOf.WITHDRAWAL, "a") is None
        assert log.of_holder(EntryOf.WITHDRAWAL, withdrawn.holder or "") == withdrawn
        assert log.of_holder(EntryOf.DECISION, withdrawn.holder or "") is None


def test_one_countersignature_is_kept(records: SqlAgencyRecords) -> None:
    add(records, "a")
    for _ in range(2):
        records.countersign("a", "one")
    with pytest.raises(AlreadyCountersigned):
        records.countersign("a", "two")
    with pytest.raises(DecisionReceiptUnknown):
        records.countersign("b", "one")
    assert records.entry("a").countersignature == "one"


def test_the_guardian_countersigns_beside_the_holder(records: SqlAgencyRecords) -> None:
    add(records, "a")
    records.countersign("a", "holder's")
    for _ in range(2):
        records.countersign("a", "guardian's", by_guardian=True)
    with pytest.raises(AlreadyCountersigned):
        records.countersign("a", "another", by_guardian=True)
    with pytest.raises(DecisionReceiptUnknown):
        records.countersign("b", "guardian's", by_guardian=True)
    kept = records.entry("a")
    assert (kept.countersignature, kept.guardian_countersignature) == ("holder's", "guardian's")
    assert records.purge(now=NOW + 100) == 1
    assert records.entry("a").guardian_countersignature is None


def test_finds_the_decision_on_an_application_or_of_a_holder(records: SqlAgencyRecords) -> None:
    first = add(records, "a")
    withdrawn = add(records, "b", kind=EntryOf.WITHDRAWAL, salts={})
    assert records.decision_on("a", "nobody") == first
    assert records.decision_on("nothing", first.holder or "") == first
    for about, holder in (("b", "nobody"), ("nothing", withdrawn.holder or "")):
        with pytest.raises(DecisionReceiptUnknown):
            records.decision_on(about, holder)


def test_heads_cover_the_log_and_wait_for_a_batch(
    records: SqlAgencyRecords, empty_engine: Engine
) -> None:
    assert records.oldest_without_head() is None
    add(records, "a", created_at=NOW - 5)
    add(records, "b")
    assert records.oldest_without_head() == NOW - 5
    head = StoredHead(2, "a.head.s", bytes(32), NOW)
    records.add_head(head)
    records.add_head(StoredHead(2, "another.head.s", bytes(32), NOW))
    assert records.head() == records.head(2) == head
    assert records.head(1) is None
    assert records.oldest_without_head() is None
    (pending,) = SqlBatchRecords(empty_engine, ANCHORED).pending()
    assert pending.count == 3


def test_past_its_time_all_goes_but_the_leaf(
    records: SqlAgencyRecords, empty_engine: Engine
) -> None:
    with records.writing() as log:
        log.append(entry(log, "a"), [WATCHED])
    add(records, "b", keep_until=NOW + 200)
    root = MerkleTree(records.leaves()).root
    assert records.purge(now=NOW + 99) == 0
    assert records.purge(now=NOW + 100) == 1
    assert records.purge(now=NOW + 100) == 0
    gone = records.entry("a")
    assert (gone.token, gone.countersignature, gone.salts) == (None, None, {})
    assert records.entry("b").token is not None
    assert MerkleTree(records.leaves()).root == root
    with read(empty_engine) as connection:
        assert list(connection.execute(select(WATCHES))) == []
        assert len(list(connection.execute(select(LOG)))) == 2


def test_salts_can_be_forgotten_alone(records: SqlAgencyRecords) -> None:
    with records.writing() as log:
        log.append(entry(log, "a"), [WATCHED])
    with records.writing() as log:
        log.forget_salts("a")
        assert log.is_watched("a")
        assert not log.is_watched("b")
    assert records.entry("a").salts == {}
    assert records.entry("a").token == "a.payload.signature"


@pytest.fixture
def watched(records: SqlAgencyRecords, empty_engine: Engine) -> SqlRecheckRecords:
    with records.writing() as log:
        log.append(entry(log, "a"), [WATCHED, WATCHED])
    return SqlRecheckRecords(empty_engine)


def test_watches_are_due_until_they_were_looked_at(watched: SqlRecheckRecords) -> None:
    first, second = watched.due_watches(now=NOW, limit=9)
    assert (first.evidence, first.standing, first.number) == (WATCHED, Standing.GOOD, 0)
    watched.looked_at(first, check_at=NOW + 60)
    assert list(watched.due_watches(now=NOW, limit=9)) == [second]
    assert len(watched.due_watches(now=NOW + 60, limit=9)) == 2
    assert len(watched.due_watches(now=NOW + 60, limit=1)) == 1


def test_a_change_and_its_webhooks_are_noted_once(watched: SqlRecheckRecords) -> None:
    watch, _ = watched.due_watches(now=NOW, limit=9)
    event = NewWebhook("msg_1", "agency", b"{}")
    for expected in (True, False):
        noted = watched.changed(watch, Standing.REVOKED, [event], now=NOW, check_at=2**53)
        assert noted is expected
    assert watched.waiting() == 1


def test_a_webhook_is_leased_settled_and_forgotten(watched: SqlRecheckRecords) -> None:
    watch, _ = watched.due_watches(now=NOW, limit=9)
    event = NewWebhook("msg_1", "agency", b"{}")
    watched.changed(watch, Standing.REVOKED, [event], now=NOW, check_at=2**53)
    (due,) = watched.due_webhooks(now=NOW, limit=9, lease_s=60)
    assert (due.event_id, due.body, due.attempts) == ("msg_1", b"{}", 0)
    assert list(watched.due_webhooks(now=NOW + 59, limit=9, lease_s=60)) == []
    watched.settle(due, WebhookState.WAITING, attempts=1, due_at=NOW + 5)
    (again,) = watched.due_webhooks(now=NOW + 5, limit=9, lease_s=60)
    assert again.attempts == 1
    assert watched.forget(before=NOW + 1) == 0
    watched.settle(again, WebhookState.DELIVERED, attempts=2, due_at=NOW + 5)
    assert list(watched.due_webhooks(now=NOW + 10**6, limit=9, lease_s=60)) == []
    assert watched.forget(before=NOW + 1) == 1
