"""A turn at the board in SQL, and the rows that turns and records both read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, select, update

from ballotbox.ports import BoardState, SignedCheckpoint
from ballotbox.storage.tables import (
    BALLOTS,
    BATCHES,
    BOARDS,
    CHECKPOINTS,
    ENTRIES,
    MESSAGES,
    REJECTIONS,
)
from wallet.adapters.sql.engine import insert
from wallet.voting.board import CLOSE, END, Checkpoint, Entry


def load_state(
    connection: Connection, election: bytes, *, lock: bool = False, share: bool = False
) -> BoardState:
    """The board's row; locked against other turns, or shared against any turn.

    SQLite has one writer at a time anyway.
    """
    query = select(BOARDS).where(BOARDS.c.election == election)
    if lock or share:
        query = query.with_for_update(read=share)
    row = connection.execute(query).one()
    return BoardState(
        row.round,
        row.round_began,
        row.size,
        row.is_closed,
        row.is_ended,
        row.opened,
        row.sealed,
    )


def load_payloads(
    connection: Connection, election: bytes, kinds: Sequence[str]
) -> Sequence[bytes]:
    """The payloads of the entries of these kinds, in board order."""
    query = (
        select(ENTRIES.c.payload)
        .where(ENTRIES.c.election == election, ENTRIES.c.kind.in_(kinds))
        .order_by(ENTRIES.c.position)
    )
    return connection.execute(query).scalars().all()


def load_leaves(connection: Connection, election: bytes, size: int) -> Sequence[bytes]:
    """The leaf hashes of the first `size` entries."""
    query = (
        select(ENTRIES.c.leaf)
        .where(ENTRIES.c.election == election, ENTRIES.c.position < size)
        .order_by(ENTRIES.c.position)
    )
    return connection.execute(query).scalars().all()


def load_messages(connection: Connection, election: bytes, kind: str) -> Sequence[bytes]:
    """The trustees' messages of a kind, ascending by trustee."""
    query = (
        select(MESSAGES.c.payload)
        .where(MESSAGES.c.election == election, MESSAGES.c.kind == kind)
        .order_by(MESSAGES.c.trustee)
    )
    return connection.execute(query).scalars().all()


def load_newest(connection: Connection, election: bytes) -> SignedCheckpoint | None:
    """The newest checkpoint."""
    query = (
        select(CHECKPOINTS)
        .where(CHECKPOINTS.c.election == election)
        .order_by(CHECKPOINTS.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else checkpoint_of(row)


def checkpoint_of(row: RowMapping) -> SignedCheckpoint:
    """A checkpoint from its row."""
    checkpoint = Checkpoint(row["number"], row["size"], row["root"], row["time"])
    return SignedCheckpoint(checkpoint, row["statement"], row["transaction_hash"])


def append_entry(connection: Connection, election: bytes, entry: Entry) -> None:
    """Insert an entry; the caller has the turn."""
    connection.execute(
        insert(connection, ENTRIES),
        {
            "election": election,
            "position": entry.index,
            "kind": entry.kind,
            "payload": entry.payload,
            "leaf": entry.leaf,
        },
    )


class SqlTurn:
    """`ports.Turn` in one transaction."""

    def __init__(self, connection: Connection, election: bytes) -> None:
        self._connection = connection
        self._election = election
        self._state = load_state(connection, election, lock=True)

    def state(self) -> BoardState:
        return self._state

    def leaves(self) -> Sequence[bytes]:
        return load_leaves(self._connection, self._election, self._state.size)

    def payloads(self, *kinds: str) -> Sequence[bytes]:
        return load_payloads(self._connection, self._election, kinds)

    def append(self, kind: str, payload: bytes) -> Entry:
        state = self._state
        entry = Entry(state.size, kind, payload)
        append_entry(self._connection, self._election, entry)
        self._keep(
            replace(
                state,
                size=state.size + 1,
                is_closed=state.is_closed or kind == CLOSE,
                is_ended=state.is_ended or kind == END,
            )
        )
        return entry

    def waiting_ballots(self) -> Sequence[bytes]:
        query = select(BALLOTS.c.octets).where(
            BALLOTS.c.election == self._election, BALLOTS.c.position.is_(None)
        )
        return self._connection.execute(query).scalars().all()

    def place(self, submission: bytes, index: int) -> None:
        self._connection.execute(
            update(BALLOTS)
            .where(BALLOTS.c.election == self._election, BALLOTS.c.submission == submission)
            .values(position=index)
        )

    def placed_ballots(self) -> Sequence[tuple[bytes, bytes]]:
        query = (
            select(BALLOTS.c.nullifier, BALLOTS.c.digest)
            .where(BALLOTS.c.election == self._election, BALLOTS.c.position.is_not(None))
            .order_by(BALLOTS.c.position)
        )
        return [(row.nullifier, row.digest) for row in self._connection.execute(query)]

    def waiting_rejections(self) -> Sequence[tuple[bytes, str]]:
        query = select(REJECTIONS.c.submission, REJECTIONS.c.code).where(
            REJECTIONS.c.election == self._election, REJECTIONS.c.is_published.is_(False)
        )
        return [(row.submission, row.code) for row in self._connection.execute(query)]

    def clear_rejections(self) -> None:
        self._connection.execute(
            update(REJECTIONS)
            .where(REJECTIONS.c.election == self._election, REJECTIONS.c.is_published.is_(False))
            .values(is_published=True)
        )

    def messages(self, kind: str) -> Sequence[bytes]:
        return load_messages(self._connection, self._election, kind)

    def begin_round(self, number: int, now: int) -> None:
        self._keep(replace(self._state, round=number, round_began=now))

    def waiting_batches(self) -> Sequence[bytes]:
        query = (
            select(BATCHES.c.payload)
            .where(BATCHES.c.election == self._election, BATCHES.c.is_published.is_(False))
            .order_by(BATCHES.c.officer, BATCHES.c.number)
        )
        return self._connection.execute(query).scalars().all()

    def clear_batches(self) -> None:
        self._connection.execute(
            update(BATCHES).where(BATCHES.c.election == self._election).values(is_published=True)
        )

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        return load_newest(self._connection, self._election)

    def add_checkpoint(self, checkpoint: SignedCheckpoint) -> None:
        known = checkpoint.checkpoint
        self._connection.execute(
            insert(self._connection, CHECKPOINTS),
            {
                "election": self._election,
                "number": known.number,
                "size": known.size,
                "root": known.root,
                "time": known.time,
                "statement": checkpoint.statement,
            },
        )

    def _keep(self, state: BoardState) -> None:
        self._connection.execute(
            update(BOARDS)
            .where(BOARDS.c.election == self._election)
            .values(
                round=state.round,
                round_began=state.round_began,
                size=state.size,
                is_closed=state.is_closed,
                is_ended=state.is_ended,
            )
        )
        self._state = state
