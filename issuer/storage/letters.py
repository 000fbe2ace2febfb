"""Requests for appointment letters in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, Row, select, update

from issuer.ports import Letter, LetterConflict, LetterState, LetterUnknown
from issuer.storage.tables import LETTERS
from wallet.adapters.sql.engine import insert, read, write


class SqlLetterRecords:
    """`ports.LetterRecords` over the schema `issuer`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, letter: Letter) -> None:
        with write(self._engine) as connection:
            added = connection.execute(
                insert(connection, LETTERS).on_conflict_do_nothing(),
                {
                    "letter_id": letter.letter_id,
                    "appointment_id": letter.appointment_id,
                    "state": letter.state.value,
                    "requested_by": letter.requested_by,
                    "requested_at": letter.requested_at,
                },
            )
            if added.rowcount != 1:
                raise LetterConflict("a letter for this appointment was requested already")

    def letter(self, letter_id: str) -> Letter:
        with read(self._engine) as connection:
            return _load(connection, letter_id)

    def letters(self, state: LetterState, *, limit: int) -> Sequence[Letter]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(LETTERS)
                .where(LETTERS.c.state == state.value)
                .order_by(LETTERS.c.requested_at, LETTERS.c.letter_id)
                .limit(limit)
            ).all()
        return [_letter(row) for row in rows]

    def approve(self, letter_id: str, *, operator: str, now: int) -> None:
        with write(self._engine) as connection:
            _load(connection, letter_id)
            approved = connection.execute(
                update(LETTERS)
                .where(
                    LETTERS.c.letter_id == letter_id,
                    LETTERS.c.state == LetterState.REQUESTED.value,
                    LETTERS.c.requested_by != operator,
                )
                .values(state=LetterState.APPROVED.value, approved_by=operator, approved_at=now)
            )
            if approved.rowcount != 1:
                raise LetterConflict("the letter is not waiting for this operator's approval")


def _load(connection: Connection, letter_id: str) -> Letter:
    row = connection.execute(select(LETTERS).where(LETTERS.c.letter_id == letter_id)).one_or_none()
    if row is None:
        raise LetterUnknown("there is no such letter")
    return _letter(row)


def _letter(row: Row[tuple[object, ...]]) -> Letter:
    values = row._asdict()
    return Letter(**{**values, "state": LetterState(values["state"])})
