"""Issuances and their statuses in SQL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, bindparam, select, update

from issuer.ports import Issuance, IssuanceAlreadyCompleted, IssuanceUnknown, StatusChanged
from issuer.recovery.ports import Enrolment
from issuer.storage.decoys import DECOY, draw_count, move_decoys
from issuer.storage.recovery.enrolment import enrol
from issuer.storage.tables import ISSUANCES, LEAVES, STATUS_LISTS
from wallet.adapters.sql.engine import insert, insert_or_ignore, read, write
from wallet.ports.storage import StorageUnavailable
from wallet.status.token_status_list import VALID

DEFAULT_LIST_SIZE: Final = 131_072
# A list is at most half full, so each draw fails with a chance below one half.
MAX_INDEX_DRAWS: Final = 128
_COLUMNS: Final = tuple(column for column in ISSUANCES.c if column.name != "status_changed_at")

# What every issuance runs, put together once: that takes longer than to run it.
_NEWEST_LIST: Final = select(STATUS_LISTS).order_by(STATUS_LISTS.c.list_number.desc()).limit(1)
_ALLOCATE: Final = (
    update(STATUS_LISTS)
    .where(STATUS_LISTS.c.list_number == bindparam("of_list"))
    .values(allocated=STATUS_LISTS.c.allocated + 1)
    .returning(STATUS_LISTS.c.size)
)
_OF_GRANT: Final = (
    select(*_COLUMNS)
    .where(ISSUANCES.c.grant_id == bindparam("of_grant"))
    .order_by(ISSUANCES.c.ordinal)
)
_COMPLETE: Final = (
    update(ISSUANCES)
    .where(ISSUANCES.c.issuance_id == bindparam("of_issuance"), ISSUANCES.c.leaf.is_(None))
    .values(leaf=bindparam("leaf"))
    .returning(ISSUANCES.c.credential_type)
)


class SqlIssuanceRecords:
    """`ports.IssuanceRecords` over the schema `issuer`. Status lists have `list_size` entries.

    `decoys` says how many decoys go along with a change of status.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        list_size: int = DEFAULT_LIST_SIZE,
        decoys: Callable[[], int] = draw_count,
    ) -> None:
        self._engine = engine
        self._list_size = list_size
        self._decoys = decoys

    def record_intents(
        self,
        grant_id: str,
        count: int,
        *,
        credential_type: str,
        subject_id: str,
        holder_id: str,
        now: int,
    ) -> Sequence[Issuance]:
        with write(self._engine) as connection:
            known = _of_grant(connection, grant_id)
            if any(issuance.leaf is not None for issuance in known):
                raise IssuanceAlreadyCompleted("the credentials of this offer were issued")
            if len(known) >= count:
                return known[:count]
            for ordinal in range(len(known), count):
                list_number, size = self._list_with_room(connection)
                self._insert(
                    connection,
                    {
                        "issuance_id": secrets.token_urlsafe(16),
                        "grant_id": grant_id,
                        "ordinal": ordinal,
                        "credential_type": credential_type,
                        "subject_id": subject_id,
                        "holder_id": holder_id,
                        "list_number": list_number,
                        "status": VALID,
                        "intended_at": now,
                    },
                    size,
                )
            return _of_grant(connection, grant_id)[:count]

    def _list_with_room(self, connection: Connection) -> tuple[int, int]:
        newest = connection.execute(_NEWEST_LIST).one_or_none()
        if newest is not None and newest.allocated * 2 < newest.size:
            number: int = newest.list_number
        else:
            number = 1 if newest is None else newest.list_number + 1
            # On PostgreSQL two transactions may both open the next list: one row, both use it.
            connection.execute(
                insert_or_ignore(connection, STATUS_LISTS),
                {"list_number": number, "size": self._list_size, "allocated": 0},
            )
        size: int = connection.execute(_ALLOCATE, {"of_list": number}).scalar_one()
        return number, size

    def _insert(self, connection: Connection, row: dict[str, object], size: int) -> None:
        for _ in range(MAX_INDEX_DRAWS):
            # Random, so that the order of issuing does not show in the indexes.
            drawn = {**row, "status_index": secrets.randbelow(size)}
            done = connection.execute(insert_or_ignore(connection, ISSUANCES), drawn)
            if done.rowcount == 1:
                return
            taken = select(ISSUANCES.c.issuance_id).where(
                ISSUANCES.c.grant_id == row["grant_id"], ISSUANCES.c.ordinal == row["ordinal"]
            )
            if connection.execute(taken).one_or_none() is not None:
                return  # another request of the same grant was here first: its index is used
        raise StorageUnavailable("no free status index was found")

    def complete(
        self, leaves: Mapping[str, bytes], *, now: int, enrolment: Enrolment | None = None
    ) -> frozenset[int]:
        with write(self._engine) as connection:
            for issuance_id, leaf in leaves.items():
                done = connection.execute(
                    _COMPLETE, {"of_issuance": issuance_id, "leaf": leaf}
                ).one_or_none()
                if done is None:
                    raise IssuanceAlreadyCompleted("the credentials of this offer were issued")
                connection.execute(
                    insert(connection, LEAVES),
                    {"leaf": leaf, "credential_type": done.credential_type, "since": now},
                )
            if enrolment is None:
                return frozenset()
            return enrol(connection, enrolment, decoys=self._decoys, now=now)

    def issuance(self, issuance_id: str) -> Issuance:
        return self._one(ISSUANCES.c.issuance_id == issuance_id)

    def issuance_at(self, list_number: int, status_index: int) -> Issuance:
        return self._one(
            and_(
                ISSUANCES.c.list_number == list_number,
                ISSUANCES.c.status_index == status_index,
                ISSUANCES.c.credential_type != DECOY,
            )
        )

    def _one(self, condition: ColumnElement[bool]) -> Issuance:
        with read(self._engine) as connection:
            row = connection.execute(select(*_COLUMNS).where(condition)).one_or_none()
        if row is None:
            raise IssuanceUnknown("there is no such issuance")
        return _issuance(row)

    def issuances_of(self, subject_id: str, *, limit: int) -> Sequence[Issuance]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(*_COLUMNS)
                .where(ISSUANCES.c.subject_id == subject_id, ISSUANCES.c.credential_type != DECOY)
                .order_by(ISSUANCES.c.intended_at.desc(), ISSUANCES.c.issuance_id)
                .limit(limit)
            ).all()
        return [_issuance(row) for row in rows]

    def change_status(
        self, issuance_id: str, *, expected: int, status: int, reason: str, now: int
    ) -> None:
        with write(self._engine) as connection:
            list_number = connection.execute(
                select(ISSUANCES.c.list_number).where(ISSUANCES.c.issuance_id == issuance_id)
            ).scalar_one_or_none()
            if list_number is None:
                raise IssuanceUnknown("there is no such issuance")
            changed = connection.execute(
                update(ISSUANCES)
                .where(
                    ISSUANCES.c.issuance_id == bindparam("of_id"),
                    ISSUANCES.c.status == bindparam("expected"),
                )
                .values(status=status, reason=reason, status_changed_at=now),
                {"of_id": issuance_id, "expected": expected},
            )
            if changed.rowcount != 1:
                raise StatusChanged("the status was changed in the meantime")
            move_decoys(
                connection,
                list_number,
                expected=expected,
                status=status,
                count=self._decoys(),
                now=now,
            )

    def lists(self) -> Mapping[int, int]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(STATUS_LISTS.c.list_number, STATUS_LISTS.c.size).order_by(
                    STATUS_LISTS.c.list_number
                )
            ).all()
        return {row.list_number: row.size for row in rows}

    def statuses(self, list_number: int) -> Mapping[int, int]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(ISSUANCES.c.status_index, ISSUANCES.c.status).where(
                    ISSUANCES.c.list_number == list_number, ISSUANCES.c.status != VALID
                )
            ).all()
        return {row.status_index: row.status for row in rows}


def _of_grant(connection: Connection, grant_id: str) -> list[Issuance]:
    return [_issuance(row) for row in connection.execute(_OF_GRANT, {"of_grant": grant_id})]


def _issuance(row: Row[tuple[object, ...]]) -> Issuance:
    return Issuance(**row._asdict())
