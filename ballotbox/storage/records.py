"""`ports.BoxRecords` over the schema `ballotbox`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, select

from ballotbox.errors import BallotBoxFull, BatchesNotOpen
from ballotbox.ports import AcceptedBallot, BoardState, SignedCheckpoint, Turn
from ballotbox.storage.tables import (
    BALLOTS,
    BATCHES,
    BOARDS,
    CHECKPOINTS,
    ENTRIES,
    MESSAGES,
    REJECTIONS,
)
from ballotbox.storage.turns import (
    SqlTurn,
    append_entry,
    checkpoint_of,
    load_leaves,
    load_newest,
    load_payloads,
    load_state,
)
from wallet.adapters.sql.engine import insert, read, write
from wallet.voting.acceptance import (
    BallotReplayed,
    BallotSequenceNotNext,
    ElectionNotOpen,
    History,
)
from wallet.voting.board import MANIFEST, Entry


class SqlBoxRecords:
    """The records of the election with this digest of its manifest."""

    def __init__(self, engine: Engine, election: bytes) -> None:
        self._engine = engine
        self._election = election

    def begin(self, manifest: bytes, now: int) -> None:
        with write(self._engine) as connection:
            began = connection.execute(
                insert(connection, BOARDS).on_conflict_do_nothing(),
                {
                    "election": self._election,
                    "round": 0,
                    "round_began": now,
                    "size": 1,
                    "is_closed": False,
                    "is_ended": False,
                },
            )
            if began.rowcount == 1:
                append_entry(connection, self._election, Entry(0, MANIFEST, manifest))

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        with write(self._engine) as connection:
            yield SqlTurn(connection, self._election)

    def state(self) -> BoardState:
        with read(self._engine) as connection:
            return load_state(connection, self._election)

    def acceptance(self, submission: bytes) -> bytes | None:
        with read(self._engine) as connection:
            return self._acceptance(connection, submission)

    def check(self, check: Callable[[History], None]) -> None:
        with read(self._engine) as connection:
            check(_SqlHistory(connection, self._election))

    def accept(self, ballot: AcceptedBallot, check: Callable[[History], None]) -> bytes:
        with write(self._engine) as connection:
            state = load_state(connection, self._election, share=True)
            known = self._acceptance(connection, ballot.submission)
            if known is not None:
                return known
            if state.is_closed:
                raise ElectionNotOpen("the vote is closed")
            history = _SqlHistory(connection, self._election)
            check(history)
            kept = connection.execute(
                insert(connection, BALLOTS).on_conflict_do_nothing(),
                {
                    "election": self._election,
                    "nullifier": ballot.nullifier,
                    "sequence": ballot.sequence,
                    "digest": ballot.digest,
                    "ciphertexts": ballot.ciphertexts,
                    "submission": ballot.submission,
                    "tracking_code": ballot.tracking_code,
                    "octets": ballot.octets,
                    "acceptance": ballot.acceptance,
                },
            )
            if kept.rowcount == 1:
                return ballot.acceptance
            # Another transaction was faster since `check`; PostgreSQL shows it now.
            known = self._acceptance(connection, ballot.submission)
            if known is not None:
                return known
            if history.has_ciphertexts(ballot.ciphertexts):
                raise BallotReplayed("these ciphertexts were accepted before")
            raise BallotSequenceNotNext("another ballot with this sequence was accepted")

    def _acceptance(self, connection: Connection, submission: bytes) -> bytes | None:
        query = select(BALLOTS.c.acceptance).where(
            BALLOTS.c.election == self._election, BALLOTS.c.submission == submission
        )
        return connection.execute(query).scalar_one_or_none()

    def reject(self, submission: bytes, code: str, *, max_waiting: int) -> None:
        with write(self._engine) as connection:
            state = load_state(connection, self._election, share=True)
            if state.is_closed:
                raise ElectionNotOpen("the vote is closed")
            waiting = connection.execute(
                select(func.count())
                .select_from(REJECTIONS)
                .where(
                    REJECTIONS.c.election == self._election, REJECTIONS.c.is_published.is_(False)
                )
            ).scalar_one()
            if waiting >= max_waiting:
                raise BallotBoxFull("too many rejections wait for the next checkpoint")
            connection.execute(
                insert(connection, REJECTIONS).on_conflict_do_nothing(),
                {
                    "election": self._election,
                    "submission": submission,
                    "code": code,
                    "is_published": False,
                },
            )

    def add_message(self, kind: str, trustee: int, payload: bytes) -> bytes:
        values = {"election": self._election, "kind": kind, "trustee": trustee}
        with write(self._engine) as connection:
            load_state(connection, self._election, share=True)
            connection.execute(
                insert(connection, MESSAGES).on_conflict_do_nothing(),
                {**values, "payload": payload},
            )
            return _payload(connection, MESSAGES, _same(MESSAGES, values))

    def add_batch(self, officer: int, number: int, payload: bytes) -> bytes:
        values = {"election": self._election, "officer": officer, "number": number}
        with write(self._engine) as connection:
            state = load_state(connection, self._election, share=True)
            if not state.is_closed or state.is_ended:
                raise BatchesNotOpen("batches are taken after the close, until the end")
            connection.execute(
                insert(connection, BATCHES).on_conflict_do_nothing(),
                {**values, "payload": payload, "is_published": False},
            )
            return _payload(connection, BATCHES, _same(BATCHES, values))

    def last_batch(self, officer: int) -> int:
        query = select(func.max(BATCHES.c.number)).where(
            BATCHES.c.election == self._election, BATCHES.c.officer == officer
        )
        with read(self._engine) as connection:
            return connection.execute(query).scalar_one() or 0

    def entries(self, start: int, count: int) -> Sequence[Entry]:
        query = (
            select(ENTRIES)
            .where(ENTRIES.c.election == self._election, ENTRIES.c.position >= start)
            .order_by(ENTRIES.c.position)
            .limit(count)
        )
        with read(self._engine) as connection:
            rows = connection.execute(query).all()
        return [Entry(row.position, row.kind, row.payload) for row in rows]

    def payloads(self, *kinds: str) -> Sequence[bytes]:
        with read(self._engine) as connection:
            return load_payloads(connection, self._election, kinds)

    def leaves(self, size: int) -> Sequence[bytes]:
        with read(self._engine) as connection:
            return load_leaves(connection, self._election, size)

    def index_of(self, tracking_code: str) -> int | None:
        query = (
            select(BALLOTS.c.position)
            .where(BALLOTS.c.election == self._election, BALLOTS.c.tracking_code == tracking_code)
            .limit(1)
        )
        with read(self._engine) as connection:
            return connection.execute(query).scalar_one_or_none()

    def checkpoints(self, first: int, count: int) -> Sequence[SignedCheckpoint]:
        query = (
            select(CHECKPOINTS)
            .where(CHECKPOINTS.c.election == self._election, CHECKPOINTS.c.number >= first)
            .order_by(CHECKPOINTS.c.number)
            .limit(count)
        )
        with read(self._engine) as connection:
            return [checkpoint_of(row) for row in connection.execute(query).mappings()]

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        with read(self._engine) as connection:
            return load_newest(connection, self._election)


class _SqlHistory:
    """`acceptance.History` inside a transaction."""

    def __init__(self, connection: Connection, election: bytes) -> None:
        self._connection = connection
        self._election = election

    def has_ciphertexts(self, digest: bytes) -> bool:
        query = select(BALLOTS.c.sequence).where(
            BALLOTS.c.election == self._election, BALLOTS.c.ciphertexts == digest
        )
        return self._connection.execute(query).scalar_one_or_none() is not None

    def last_sequence(self, nullifier: bytes) -> int:
        query = select(func.max(BALLOTS.c.sequence)).where(
            BALLOTS.c.election == self._election, BALLOTS.c.nullifier == nullifier
        )
        return self._connection.execute(query).scalar_one() or 0


def _same(table: Table, values: dict[str, object]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in values.items()]


def _payload(
    connection: Connection, table: Table, conditions: Sequence[ColumnElement[bool]]
) -> bytes:
    payload: bytes = connection.execute(select(table.c.payload).where(*conditions)).scalar_one()
    return payload
