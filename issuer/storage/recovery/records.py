"""`issuer.recovery.ports.RecoveryRecords` in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, Row, func, select, update

from issuer.recovery.ports import (
    Device,
    EventKind,
    Holding,
    HoldingState,
    HoldingUnknown,
    Notice,
    NoticeKind,
    RecoveryEvent,
    RecoveryKeyReplaced,
    RecoveryTooOften,
)
from issuer.status import StatusReason
from issuer.storage.decoys import draw_count
from issuer.storage.recovery.enrolment import (
    add_event,
    add_notice,
    is_withdrawn,
    revoke_copies,
    successor_of,
)
from issuer.storage.recovery.tables import DEVICES, EVENTS, HOLDINGS, KEYS, NOTICES
from wallet.adapters.sql.engine import insert, read, write

_COUNTED: Final = (
    EventKind.REISSUE_ASKED.value,
    EventKind.DEVICE_LOST.value,
    EventKind.KEY_REPLACED.value,
)
_HOLDING: Final = tuple(c for c in HOLDINGS.c if c.name not in ("grant_id", "ended_at"))


class SqlRecoveryRecords:
    """Over the schemas `issuer` and `issuer_recovery` of one database.

    `decoys` says how many decoys go along with a change of status.
    """

    def __init__(self, engine: Engine, *, decoys: Callable[[], int] = draw_count) -> None:
        self._engine = engine
        self._decoys = decoys

    def successor(self, key_id: str) -> str | None:
        with read(self._engine) as connection:
            return successor_of(connection, key_id)

    def replace_key(
        self,
        event: RecoveryEvent,
        successor: str,
        labels: Mapping[str, str],
        *,
        most: int,
        since: int,
    ) -> None:
        old, now = event.key_id, event.at
        with write(self._engine) as connection:
            _lock(connection, event)
            known = successor_of(connection, old)
            if known == successor or not _is_known(connection, old):
                return
            if known is not None or successor_of(connection, successor) is not None:
                raise RecoveryKeyReplaced("it was replaced by another key")
            _note(connection, event, most=most, since=since)
            key = {"key_id": successor, "registered_at": now, "used_at": now}
            connection.execute(insert(connection, KEYS).on_conflict_do_nothing(), key)
            for table in (DEVICES, HOLDINGS):
                connection.execute(
                    update(table).where(table.c.key_id == old).values(key_id=successor)
                )
            before = (KEYS.c.key_id == old) | (KEYS.c.successor == old)
            connection.execute(update(KEYS).where(before).values(successor=successor))
            mine = DEVICES.c.key_id == successor
            for device, label in labels.items():
                connection.execute(
                    update(DEVICES).where(DEVICES.c.device == device, mine).values(label=label)
                )
            holders = connection.scalars(
                select(HOLDINGS.c.holder_id)
                .where(
                    HOLDINGS.c.key_id == successor, HOLDINGS.c.state == HoldingState.ACTIVE.value
                )
                .distinct()
            ).all()
            for holder_id in sorted(holders):
                add_notice(connection, holder_id, NoticeKind.KEY_REPLACED, now)

    def holding(self, holding_id: str) -> Holding:
        with read(self._engine) as connection:
            row = connection.execute(
                select(*_HOLDING).where(HOLDINGS.c.holding_id == holding_id)
            ).one_or_none()
        if row is None:
            raise HoldingUnknown("there is no such holding")
        return _holding(row)

    def reissued_as(self, origin: str, device: str) -> Holding | None:
        with read(self._engine) as connection:
            row = connection.execute(
                select(*_HOLDING).where(HOLDINGS.c.origin == origin, HOLDINGS.c.device == device)
            ).one_or_none()
        return None if row is None else _holding(row)

    def is_withdrawn(self, holding_id: str) -> bool:
        with read(self._engine) as connection:
            return is_withdrawn(connection, holding_id)

    def device(self, key_id: str, device: str) -> Device:
        with read(self._engine) as connection:
            return _device_of(connection, key_id, device)

    def devices(self, key_id: str, *, limit: int) -> Sequence[Device]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(DEVICES)
                .where(DEVICES.c.key_id == key_id)
                .order_by(DEVICES.c.registered_at.desc(), DEVICES.c.device)
                .limit(limit)
            ).all()
        return [Device(**row._asdict()) for row in rows]

    def holdings(self, key_id: str, *, limit: int) -> Sequence[Holding]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(*_HOLDING)
                .where(HOLDINGS.c.key_id == key_id)
                .order_by(HOLDINGS.c.registered_at.desc(), HOLDINGS.c.holding_id)
                .limit(limit)
            ).all()
        return [_holding(row) for row in rows]

    def note(self, event: RecoveryEvent, notice: Notice | None, *, most: int, since: int) -> None:
        with write(self._engine) as connection:
            _note(connection, event, most=most, since=since)
            if notice is not None:
                row = {
                    "notice_id": notice.notice_id,
                    "holder_id": notice.holder_id,
                    "kind": notice.kind.value,
                    "at": notice.at,
                    "told": False,
                }
                connection.execute(insert(connection, NOTICES), row)

    def mark_lost(
        self, event: RecoveryEvent, device: str, *, most: int, since: int
    ) -> Sequence[int]:
        now = event.at
        with write(self._engine) as connection:
            _lock(connection, event)
            if _device_of(connection, event.key_id, device).lost_at is not None:
                return ()
            _note(connection, event, most=most, since=since)
            connection.execute(
                update(DEVICES).where(DEVICES.c.device == device).values(lost_at=now)
            )
            rows = connection.execute(
                update(HOLDINGS)
                .where(HOLDINGS.c.device == device, HOLDINGS.c.state == HoldingState.ACTIVE.value)
                .values(state=HoldingState.LOST.value, ended_at=now)
                .returning(HOLDINGS.c.holding_id, HOLDINGS.c.holder_id)
            ).all()
            for holder_id in sorted({row.holder_id for row in rows}):
                add_notice(connection, holder_id, NoticeKind.DEVICE_LOST, now)
            lost = [row.holding_id for row in rows]
            changed = revoke_copies(
                connection, lost, StatusReason.DEVICE_LOST, decoys=self._decoys, now=now
            )
        return sorted(changed)

    def events(self, key_id: str | None, *, limit: int) -> Sequence[RecoveryEvent]:
        query = select(EVENTS).order_by(EVENTS.c.at.desc(), EVENTS.c.event_id).limit(limit)
        if key_id is not None:
            before = select(KEYS.c.key_id).where(KEYS.c.successor == key_id)
            query = query.where((EVENTS.c.key_id == key_id) | EVENTS.c.key_id.in_(before))
        with read(self._engine) as connection:
            rows = connection.execute(query).all()
        return [RecoveryEvent(**{**row._asdict(), "kind": EventKind(row.kind)}) for row in rows]

    def waiting_notices(self, *, limit: int) -> Sequence[Notice]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(NOTICES)
                .where(NOTICES.c.told.is_(False))
                .order_by(NOTICES.c.at, NOTICES.c.notice_id)
                .limit(limit)
            ).all()
        return [Notice(row.notice_id, row.holder_id, NoticeKind(row.kind), row.at) for row in rows]

    def mark_told(self, notice_id: str, *, now: int) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(NOTICES)
                .where(NOTICES.c.notice_id == notice_id)
                .values(told=True, told_at=now)
            )


def _note(connection: Connection, event: RecoveryEvent, *, most: int, since: int) -> None:
    _lock(connection, event)
    counted = connection.execute(
        select(func.count())
        .select_from(EVENTS)
        .where(EVENTS.c.key_id == event.key_id, EVENTS.c.at > since, EVENTS.c.kind.in_(_COUNTED))
    ).scalar_one()
    if counted >= most:
        raise RecoveryTooOften("the recovery key was used too often; try again tomorrow")
    add_event(connection, event)


def _lock(connection: Connection, event: RecoveryEvent) -> None:
    """Let parallel acts of one key wait for each other, so that each sees the ones before it."""
    connection.execute(update(KEYS).where(KEYS.c.key_id == event.key_id).values(used_at=event.at))


def _is_known(connection: Connection, key_id: str) -> bool:
    found = connection.execute(select(KEYS.c.key_id).where(KEYS.c.key_id == key_id))
    return found.one_or_none() is not None


def _device_of(connection: Connection, key_id: str, device: str) -> Device:
    row = connection.execute(
        select(DEVICES).where(DEVICES.c.device == device, DEVICES.c.key_id == key_id)
    ).one_or_none()
    if row is None:
        raise HoldingUnknown("there is no such device")
    return Device(**row._asdict())


def _holding(row: Row[tuple[object, ...]]) -> Holding:
    values = row._asdict()
    family, guardian = values.pop("guardian_family_id"), values.pop("guardian_id")
    values["guardian"] = None if guardian is None else (family, guardian)
    return Holding(**{**values, "state": HoldingState(values["state"])})
