"""`issuer.recovery.ports.RecoveryRecords`, and enrolments, on every database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import Engine

from issuer.recovery.ports import (
    DeviceLost,
    Enrolment,
    EventKind,
    HoldingReplaced,
    HoldingState,
    HoldingTaken,
    HoldingUnknown,
    HoldingWithdrawn,
    Notice,
    NoticeKind,
    Origin,
    RecoveryEvent,
    RecoveryKeyReplaced,
    RecoveryTooOften,
    Registration,
)
from issuer.storage.issuances import SqlIssuanceRecords
from issuer.storage.recovery.records import SqlRecoveryRecords
from issuer.storage.recovery.tables import migrate_recovery
from issuer.storage.tables import migrate_issuer
from wallet.errors import SeoulWalletError
from wallet.status.token_status_list import INVALID, SUSPENDED, VALID

THREADS = 8
KEY, DEVICE = "key", "device"
FIRST = Registration(KEY, "holding-1", DEVICE, "label")


@pytest.fixture
def database(empty_engine: Engine) -> Engine:
    migrate_issuer(empty_engine)
    migrate_recovery(empty_engine)
    return empty_engine


@pytest.fixture
def records(database: Engine) -> SqlRecoveryRecords:
    return SqlRecoveryRecords(database, decoys=lambda: 0)


def issue(
    database: Engine,
    grant: str,
    registration: Registration | None = None,
    *,
    origin: Origin | None = None,
    round_id: str | None = None,
    now: int = 5,
    ward_id: str | None = None,
    guardian: tuple[str, str] | None = None,
) -> frozenset[int]:
    """Issue one copy in a grant; the enrolment is as the issuer makes it."""
    issuances = SqlIssuanceRecords(database, list_size=1024, decoys=lambda: 0)
    round_id = round_id or grant
    (intent,) = issuances.record_intents(
        round_id, 1, credential_type="urn:card", subject_id="F", holder_id="P", now=now
    )
    leaf = intent.issuance_id.encode().ljust(32, b"\0")[:32]
    enrolment = Enrolment(
        grant_id=grant,
        round_id=round_id,
        configuration_id="card",
        subject_id="F",
        holder_id="P",
        registration=registration,
        origin=origin,
        ward_id=ward_id,
        guardian=guardian,
    )
    return issuances.complete({intent.issuance_id: leaf}, now=now, enrolment=enrolment)


def statuses(database: Engine) -> list[int]:
    found = SqlIssuanceRecords(database).issuances_of("F", limit=100)
    return sorted(item.status for item in found if item.leaf is not None)


def event(number: int, kind: EventKind = EventKind.DEVICE_LOST, at: int = 9) -> RecoveryEvent:
    return RecoveryEvent(f"event-{number}", KEY, kind, "speaker", None, at)


def at_once(work: Callable[[int], object]) -> list[str]:
    """Run `work` in several threads that start together; return what each raised, or ''."""
    barrier = Barrier(THREADS)

    def run(number: int) -> str:
        barrier.wait()
        try:
            work(number)
        except SeoulWalletError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_a_holding_is_kept_with_its_device_and_record(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    assert issue(database, "grant", FIRST) == frozenset()
    held = records.holding("holding-1")
    assert (held.key_id, held.device, held.state) == (KEY, DEVICE, HoldingState.ACTIVE)
    assert records.holdings(KEY, limit=5) == [held]
    assert [item.label for item in records.devices(KEY, limit=5)] == ["label"]
    assert [item.kind for item in records.events(KEY, limit=5)] == [EventKind.REGISTERED]
    assert records.waiting_notices(limit=5) == []
    for unknown in (lambda: records.holding("x"), lambda: records.device("other", DEVICE)):
        with pytest.raises(HoldingUnknown):
            unknown()


def test_a_holding_keeps_whom_it_is_for(database: Engine, records: SqlRecoveryRecords) -> None:
    second = Registration(KEY, "holding-2", DEVICE, "label")
    issue(database, "G1", FIRST, ward_id="C", guardian=("F", "P"))
    issue(database, "G2", second)
    found = [records.holding(item.holding_id) for item in (FIRST, second)]
    assert [(item.ward_id, item.guardian) for item in found] == [("C", ("F", "P")), (None, None)]


def test_an_issuance_without_registration_is_none_of_ours(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant")
    assert records.events(None, limit=5) == []


def test_later_rounds_belong_to_the_holding_until_it_ends(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant", FIRST)
    issue(database, "grant", round_id="round-1")
    issue(database, "grant", replace(FIRST, holding_id="another"), round_id="round-2")
    assert len(records.holdings(KEY, limit=5)) == 1
    changed = records.mark_lost(event(1), DEVICE, most=5, since=0)
    assert list(changed) == [1]
    assert statuses(database) == [INVALID] * 3
    with pytest.raises(DeviceLost):
        issue(database, "grant", round_id="round-3")
    assert statuses(database) == [INVALID] * 3


def test_issued_anew_in_place_or_beside(database: Engine, records: SqlRecoveryRecords) -> None:
    issue(database, "grant", FIRST)
    beside = Registration(KEY, "holding-2", "second", "")
    assert issue(database, "g2", beside, origin=Origin("holding-1", True)) == frozenset()
    assert statuses(database) == [VALID, VALID]
    assert records.reissued_as("holding-1", "second") == records.holding("holding-2")
    instead = Registration(KEY, "holding-3", "third", "")
    assert issue(database, "g3", instead, origin=Origin("holding-1", False)) == {1}
    assert statuses(database) == [VALID, VALID, INVALID]
    assert records.holding("holding-1").state is HoldingState.REPLACED
    assert [item.kind for item in records.waiting_notices(limit=9)] == [NoticeKind.REISSUED] * 2
    with pytest.raises(HoldingReplaced):
        issue(
            database,
            "g4",
            Registration(KEY, "holding-4", "fourth", ""),
            origin=Origin("holding-1", True),
        )


@pytest.mark.parametrize("keep", [False, True])
def test_parallel_reissues_to_one_device_succeed_once(
    database: Engine, records: SqlRecoveryRecords, keep: bool
) -> None:
    issue(database, "grant", FIRST)
    origin = Origin("holding-1", keep)

    def reissue(number: int) -> None:
        issue(database, f"g{number}", Registration(KEY, f"h{number}", "new", ""), origin=origin)

    raised = at_once(reissue)
    assert sorted(raised) == ["", *[HoldingReplaced.code] * (THREADS - 1)]
    assert statuses(database) == [VALID, VALID] if keep else [VALID, INVALID]
    assert len(records.waiting_notices(limit=99)) == 1


def test_parallel_reports_are_one(database: Engine, records: SqlRecoveryRecords) -> None:
    issue(database, "grant", FIRST)
    raised = at_once(lambda n: records.mark_lost(event(n), DEVICE, most=99, since=0))
    assert raised == [""] * THREADS
    assert len(records.events(KEY, limit=99)) == 2
    assert [item.kind for item in records.waiting_notices(limit=9)] == [NoticeKind.DEVICE_LOST]


def test_parallel_acts_are_counted_one_by_one(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant", FIRST)
    asked = EventKind.REISSUE_ASKED
    raised = at_once(lambda n: records.note(event(n, asked), None, most=3, since=0))
    assert sorted(raised) == ["", "", "", *[RecoveryTooOften.code] * (THREADS - 3)]
    with pytest.raises(RecoveryTooOften):
        records.note(event(90, asked), None, most=3, since=8)
    notice = Notice("notice", "P", NoticeKind.REISSUE_ASKED, 10)
    records.note(event(91, asked, at=10), notice, most=3, since=9)
    assert records.waiting_notices(limit=9) == [notice]
    records.mark_told("notice", now=11)
    assert records.waiting_notices(limit=9) == []


@pytest.mark.parametrize(
    ("status", "reason", "withdrawn"),
    [
        (SUSPENDED, "under_review", True),
        (INVALID, "issued_in_error", True),
        (INVALID, "device_lost", False),
        (INVALID, "key_compromised", False),
    ],
)
def test_what_was_withdrawn_is_not_issued_anew(
    database: Engine, records: SqlRecoveryRecords, status: int, reason: str, withdrawn: bool
) -> None:
    issue(database, "grant", FIRST)
    issuances = SqlIssuanceRecords(database, decoys=lambda: 0)
    (issued,) = issuances.issuances_of("F", limit=5)
    issuances.change_status(
        issued.issuance_id, expected=VALID, status=status, reason=reason, now=6
    )
    assert records.is_withdrawn("holding-1") is withdrawn
    new = Registration(KEY, "holding-2", "new", "")
    if withdrawn:
        with pytest.raises(HoldingWithdrawn):
            issue(database, "g2", new, origin=Origin("holding-1", False))
        assert records.holding("holding-1").state is HoldingState.ACTIVE
    else:
        issue(database, "g2", new, origin=Origin("holding-1", False))
        assert statuses(database) == [VALID, INVALID]


def test_names_are_taken_once(database: Engine) -> None:
    issue(database, "grant", FIRST)
    for taken in (
        Registration("other", "holding-2", DEVICE, ""),
        Registration(KEY, "holding-1", DEVICE, ""),
    ):
        with pytest.raises(HoldingTaken):
            issue(database, "g2", taken)
    with pytest.raises(HoldingReplaced):
        issue(
            database,
            "g2",
            Registration("other", "holding-2", "second", ""),
            origin=Origin("holding-1", False),
        )
    assert statuses(database) == [VALID]


def test_what_belongs_to_a_key_belongs_to_its_successor(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant", FIRST)
    issue(database, "other grant", Registration("other", "holding-2", "device-2", "its"))
    replaced = event(1, EventKind.KEY_REPLACED)
    labels = {DEVICE: "anew", "device-2": "not its"}
    for _ in range(2):
        records.replace_key(replaced, "next", labels, most=9, since=0)
    assert records.holding("holding-1").key_id == records.successor(KEY) == "next"
    assert records.holding("holding-2").key_id == "other"
    assert [item.label for item in records.devices("next", limit=5)] == ["anew"]
    assert records.device("other", "device-2").label == "its"
    assert records.devices(KEY, limit=5) == []
    assert [item.kind for item in records.events("next", limit=5)] == [
        EventKind.KEY_REPLACED,
        EventKind.REGISTERED,
    ]
    assert [item.kind for item in records.waiting_notices(limit=5)] == [NoticeKind.KEY_REPLACED]
    # What is registered by the old key afterwards is the new one's.
    issue(database, "third grant", Registration(KEY, "holding-3", DEVICE, "label"))
    assert records.holding("holding-3").key_id == "next"


def test_a_row_of_successors_ends_at_the_latest(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant", FIRST)
    records.replace_key(event(1, EventKind.KEY_REPLACED), "second", {}, most=9, since=0)
    second = replace(event(2, EventKind.KEY_REPLACED), key_id="second")
    records.replace_key(second, "third", {}, most=9, since=0)
    assert records.successor(KEY) == records.successor("second") == "third"
    assert len(records.events("third", limit=9)) == 3
    for number, (old, new) in enumerate(((KEY, "thief"), ("third", KEY), ("third", "second"))):
        with pytest.raises(RecoveryKeyReplaced):
            records.replace_key(
                replace(event(10 + number, EventKind.KEY_REPLACED), key_id=old),
                new, {}, most=9, since=0,
            )  # fmt: skip


def test_of_parallel_successors_one_takes_the_place(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant", FIRST)
    codes = at_once(
        lambda n: records.replace_key(
            event(n, EventKind.KEY_REPLACED), f"next-{n}", {}, most=99, since=0
        )
    )
    assert sorted(codes) == ["", *["recovery_key_replaced"] * (THREADS - 1)]
    assert records.holding("holding-1").key_id == records.successor(KEY)


def test_a_key_is_not_replaced_too_often_and_an_unknown_one_not_at_all(
    database: Engine, records: SqlRecoveryRecords
) -> None:
    issue(database, "grant", FIRST)
    with pytest.raises(RecoveryTooOften):
        records.replace_key(event(1, EventKind.KEY_REPLACED), "next", {}, most=0, since=0)
    assert records.successor(KEY) is None
    unknown = replace(event(2, EventKind.KEY_REPLACED), key_id="unknown")
    records.replace_key(unknown, "next", {}, most=9, since=0)
    assert records.devices("next", limit=5) == []
