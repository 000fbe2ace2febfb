"""What completing an issuance, or losing a device, changes in the tables of recovery.

Each function runs in the transaction of its caller. Rows of holdings are locked by updating them,
so that of parallel changes of one holding the later sees the earlier.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from issuer.recovery.ports import (
    DeviceLost,
    Enrolment,
    EventKind,
    HoldingReplaced,
    HoldingState,
    HoldingTaken,
    HoldingWithdrawn,
    NoticeKind,
    Origin,
    RecoveryEvent,
    Registration,
)
from issuer.status import StatusReason
from issuer.storage.decoys import move_decoys
from issuer.storage.recovery.tables import DEVICES, EVENTS, HOLDINGS, KEYS, NOTICES, ROUNDS
from issuer.storage.tables import ISSUANCES
from wallet.adapters.sql.engine import insert, insert_or_ignore
from wallet.status.token_status_list import INVALID, SUSPENDED, VALID

# What says that a key is gone, and not that the right is.
KEY_GONE: Final = (
    StatusReason.DEVICE_LOST.value,
    StatusReason.KEY_COMPROMISED.value,
    StatusReason.REISSUED.value,
)
_ID_BYTES: Final = 16
# Updated to their own values, which locks them.
_LOCK_HOLDING: Final = (
    update(HOLDINGS)
    .where(HOLDINGS.c.grant_id == bindparam("of_grant"))
    .values(grant_id=HOLDINGS.c.grant_id)
    .returning(HOLDINGS.c.holding_id, HOLDINGS.c.state)
)
_LOCK_DEVICE: Final = (
    update(DEVICES)
    .where(DEVICES.c.device == bindparam("of_device"))
    .values(device=DEVICES.c.device)
    .returning(DEVICES.c.key_id, DEVICES.c.lost_at)
)


def enrol(
    connection: Connection, change: Enrolment, *, decoys: Callable[[], int], now: int
) -> frozenset[int]:
    """Register a holding, or join its next round to it; end the one that it is anew from.

    Returns the numbers of the status lists that changed. Raises `HoldingTaken`,
    `HoldingReplaced`, `HoldingWithdrawn`, `DeviceLost`.
    """
    known = connection.execute(_LOCK_HOLDING, {"of_grant": change.grant_id}).one_or_none()
    if known is not None:
        if known.state != HoldingState.ACTIVE:
            raise DeviceLost("nothing more is issued to this device for this credential")
        _join(connection, change, known.holding_id)
        return frozenset()
    registration = change.registration
    if registration is None:
        return frozenset()
    # A device that has not heard of the new recovery phrase registers for it all the same.
    latest = _successor_from_now_on(connection, registration.key_id)
    if latest is not None:
        registration = replace(registration, key_id=latest)
    _add_device(connection, registration, now)
    changed: frozenset[int] = frozenset()
    if change.origin is not None:
        changed = _end_origin(connection, change.origin, registration, decoys, now)
    _add_holding(connection, change, registration, now)
    _join(connection, change, registration.holding_id)
    kind = EventKind.REGISTERED if change.origin is None else EventKind.REISSUED
    add_event(
        connection,
        RecoveryEvent(
            secrets.token_urlsafe(_ID_BYTES),
            registration.key_id,
            kind,
            registration.device,
            registration.holding_id,
            now,
        ),
    )
    if change.origin is not None:
        add_notice(connection, change.holder_id, NoticeKind.REISSUED, now)
    return changed


def successor_of(connection: Connection, key_id: str) -> str | None:
    """See `RecoveryRecords.successor`."""
    return connection.execute(
        select(KEYS.c.successor).where(KEYS.c.key_id == key_id)
    ).scalar_one_or_none()


def _successor_from_now_on(connection: Connection, key_id: str) -> str | None:
    """Return the successor of a key, which gets no other one before this transaction ends."""
    same = update(KEYS).where(KEYS.c.key_id == key_id).values(used_at=KEYS.c.used_at)
    return connection.execute(same.returning(KEYS.c.successor)).scalar_one_or_none()


def _join(connection: Connection, change: Enrolment, holding_id: str) -> None:
    row = {"round_id": change.round_id, "holding_id": holding_id}
    connection.execute(insert_or_ignore(connection, ROUNDS), row)


def _add_device(connection: Connection, registration: Registration, now: int) -> None:
    key = {"key_id": registration.key_id, "registered_at": now, "used_at": now}
    connection.execute(insert_or_ignore(connection, KEYS), key)
    device = {
        "device": registration.device,
        "key_id": registration.key_id,
        "label": registration.label,
        "registered_at": now,
    }
    connection.execute(insert_or_ignore(connection, DEVICES), device)
    # Locked, so that it cannot be lost in the meantime.
    kept = connection.execute(_LOCK_DEVICE, {"of_device": registration.device}).one()
    if kept.key_id != registration.key_id:
        raise HoldingTaken("the device is another key's")
    if kept.lost_at is not None:
        raise DeviceLost("this device was reported as lost")


def _end_origin(
    connection: Connection,
    origin: Origin,
    registration: Registration,
    decoys: Callable[[], int],
    now: int,
) -> frozenset[int]:
    ending = {"state": HoldingState.REPLACED.value, "ended_at": now}
    ended = connection.execute(
        update(HOLDINGS)
        .where(
            HOLDINGS.c.holding_id == origin.holding_id,
            HOLDINGS.c.key_id == registration.key_id,
            HOLDINGS.c.state != HoldingState.REPLACED.value,
        )
        .values({"holding_id": origin.holding_id} if origin.keep else ending)
    )
    if ended.rowcount != 1:
        raise HoldingReplaced("it was issued anew already")
    if is_withdrawn(connection, origin.holding_id):
        raise HoldingWithdrawn("the department withdrew this credential")
    if origin.keep:
        return frozenset()
    return revoke_copies(
        connection, [origin.holding_id], StatusReason.REISSUED, decoys=decoys, now=now
    )


def _add_holding(
    connection: Connection, change: Enrolment, registration: Registration, now: int
) -> None:
    row = {
        "holding_id": registration.holding_id,
        "key_id": registration.key_id,
        "device": registration.device,
        "grant_id": change.grant_id,
        "configuration_id": change.configuration_id,
        "subject_id": change.subject_id,
        "holder_id": change.holder_id,
        "ward_id": change.ward_id,
        "guardian_family_id": None if change.guardian is None else change.guardian[0],
        "guardian_id": None if change.guardian is None else change.guardian[1],
        "origin": None if change.origin is None else change.origin.holding_id,
        "state": HoldingState.ACTIVE.value,
        "registered_at": now,
    }
    done = connection.execute(insert_or_ignore(connection, HOLDINGS), row)
    if done.rowcount != 1:
        if change.origin is not None:
            raise HoldingReplaced("this device has it already")
        raise HoldingTaken("a holding has this name already")


def is_withdrawn(connection: Connection, holding_id: str) -> bool:
    """See `RecoveryRecords.is_withdrawn`."""
    rounds = select(ROUNDS.c.round_id).where(ROUNDS.c.holding_id == holding_id)
    bad = (ISSUANCES.c.status == SUSPENDED) | (
        (ISSUANCES.c.status == INVALID) & ISSUANCES.c.reason.not_in(KEY_GONE)
    )
    query = select(ISSUANCES.c.issuance_id).where(ISSUANCES.c.grant_id.in_(rounds), bad).limit(1)
    return connection.execute(query).one_or_none() is not None


def revoke_copies(
    connection: Connection,
    holding_ids: Sequence[str],
    reason: StatusReason,
    *,
    decoys: Callable[[], int],
    now: int,
) -> frozenset[int]:
    """Revoke every copy of some holdings; return the numbers of their status lists.

    A suspended copy stays as it is: the department has yet to decide about it.
    """
    rounds = select(ROUNDS.c.round_id).where(ROUNDS.c.holding_id.in_(holding_ids))
    lists = connection.scalars(
        update(ISSUANCES)
        .where(ISSUANCES.c.grant_id.in_(rounds), ISSUANCES.c.status == VALID)
        .values(status=INVALID, reason=reason.value, status_changed_at=now)
        .returning(ISSUANCES.c.list_number)
    ).all()
    for number in sorted(set(lists)):
        move_decoys(connection, number, expected=VALID, status=INVALID, count=decoys(), now=now)
    return frozenset(lists)


def add_event(connection: Connection, event: RecoveryEvent) -> None:
    """Put an event on record."""
    row = {
        "event_id": event.event_id,
        "key_id": event.key_id,
        "kind": event.kind.value,
        "device": event.device,
        "holding_id": event.holding_id,
        "at": event.at,
    }
    connection.execute(insert(connection, EVENTS), row)


def add_notice(connection: Connection, holder_id: str, kind: NoticeKind, now: int) -> None:
    """Put a notice into the outbox."""
    row = {
        "notice_id": secrets.token_urlsafe(_ID_BYTES),
        "holder_id": holder_id,
        "kind": kind.value,
        "at": now,
        "told": False,
    }
    connection.execute(insert(connection, NOTICES), row)
