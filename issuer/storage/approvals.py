"""Held issuances and registered nym keys in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, Row, select, update

from issuer.ports import (
    Approval,
    ApprovalConflict,
    ApprovalState,
    ApprovalUnknown,
    NymKeyTaken,
    NymRegistration,
)
from issuer.storage.tables import APPROVALS, NYM_REGISTRATIONS
from wallet.adapters.sql.engine import insert, read, write

_ENTROPY_BYTES = 32


class SqlApprovalRecords:
    """`ports.ApprovalRecords` over the schema `issuer`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, approval: Approval) -> Approval:
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, APPROVALS).on_conflict_do_nothing(),
                {
                    "approval_id": approval.approval_id,
                    "issuance_id": approval.issuance_id,
                    "configuration_id": approval.configuration_id,
                    "subject_id": approval.subject_id,
                    "holder_id": approval.holder_id,
                    "state": approval.state.value,
                    "held_by": approval.held_by,
                    "asked_at": approval.asked_at,
                },
            )
            kept = select(APPROVALS).where(APPROVALS.c.issuance_id == approval.issuance_id)
            return _approval(connection.execute(kept).one())

    def approval(self, approval_id: str) -> Approval:
        with read(self._engine) as connection:
            return _load(connection, approval_id)

    def approvals(self, state: ApprovalState, *, limit: int) -> Sequence[Approval]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(APPROVALS)
                .where(APPROVALS.c.state == state.value)
                .order_by(APPROVALS.c.asked_at, APPROVALS.c.approval_id)
                .limit(limit)
            ).all()
        return [_approval(row) for row in rows]

    def decide(self, approval_id: str, state: ApprovalState, *, operator: str, now: int) -> None:
        with write(self._engine) as connection:
            _load(connection, approval_id)
            decided = connection.execute(
                update(APPROVALS)
                .where(
                    APPROVALS.c.approval_id == approval_id,
                    APPROVALS.c.state == ApprovalState.WAITING.value,
                    APPROVALS.c.held_by != operator,
                )
                .values(state=state.value, decided_by=operator, decided_at=now)
            )
            if decided.rowcount != 1:
                raise ApprovalConflict("it does not wait for this operator's decision")


def _load(connection: Connection, approval_id: str) -> Approval:
    row = connection.execute(
        select(APPROVALS).where(APPROVALS.c.approval_id == approval_id)
    ).one_or_none()
    if row is None:
        raise ApprovalUnknown("there is no such held issuance")
    return _approval(row)


def _approval(row: Row[tuple[object, ...]]) -> Approval:
    values = row._asdict()
    return Approval(**{**values, "state": ApprovalState(values["state"])})


class SqlNymRegistrations:
    """`ports.NymRegistrations` over the schema `issuer`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def registration(self, resident_id: str, epoch: str) -> NymRegistration | None:
        with read(self._engine) as connection:
            return _registration(connection, resident_id, epoch)

    def register(
        self, resident_id: str, epoch: str, registration: NymRegistration, *, now: int
    ) -> NymRegistration:
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, NYM_REGISTRATIONS).on_conflict_do_nothing(),
                {
                    "resident_id": resident_id,
                    "epoch": epoch,
                    "nym_key": registration.nym_key,
                    "entropy": registration.entropy.to_bytes(_ENTROPY_BYTES, "big"),
                    "registered_at": now,
                },
            )
            kept = _registration(connection, resident_id, epoch)
        if kept is None:
            raise NymKeyTaken("another resident has registered this nym key")
        return kept


def _registration(connection: Connection, resident_id: str, epoch: str) -> NymRegistration | None:
    row = connection.execute(
        select(NYM_REGISTRATIONS).where(
            NYM_REGISTRATIONS.c.resident_id == resident_id, NYM_REGISTRATIONS.c.epoch == epoch
        )
    ).one_or_none()
    return None if row is None else NymRegistration(row.nym_key, int.from_bytes(row.entropy))
