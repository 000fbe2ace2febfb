"""`ports.PublicationRecords` over the schema `ballotbox`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, Table, select, update

from ballotbox.ports import BoardState, Result, SignedCheckpoint
from ballotbox.storage.tables import BOARDS, CHECKPOINTS, RESULTS, TIE_BLOCKS
from ballotbox.storage.turns import checkpoint_of, load_messages, load_state
from wallet.adapters.sql.engine import insert, read, write
from wallet.voting.tie_break import TieBlock


class SqlPublication:
    """What became of the election with this digest of its manifest."""

    def __init__(self, engine: Engine, election: bytes) -> None:
        self._engine = engine
        self._election = election

    def state(self) -> BoardState:
        with read(self._engine) as connection:
            return load_state(connection, self._election)

    def keep_opening(self, transaction: bytes) -> None:
        self._note("opened", transaction)

    def keep_seal(self, transaction: bytes) -> None:
        self._note("sealed", transaction)

    def _note(self, column: str, transaction: bytes) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(BOARDS)
                .where(BOARDS.c.election == self._election)
                .values({column: transaction})
            )

    def keep_anchor(self, number: int, transaction: bytes) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(CHECKPOINTS)
                .where(CHECKPOINTS.c.election == self._election, CHECKPOINTS.c.number == number)
                .values(transaction_hash=transaction)
            )

    def not_anchored(self, count: int) -> Sequence[SignedCheckpoint]:
        query = (
            select(CHECKPOINTS)
            .where(
                CHECKPOINTS.c.election == self._election,
                CHECKPOINTS.c.transaction_hash.is_(None),
            )
            .order_by(CHECKPOINTS.c.number)
            .limit(count)
        )
        with read(self._engine) as connection:
            return [checkpoint_of(row) for row in connection.execute(query).mappings()]

    def messages(self, kind: str) -> Sequence[bytes]:
        with read(self._engine) as connection:
            return load_messages(connection, self._election, kind)

    def tie_block(self) -> TieBlock | None:
        query = select(TIE_BLOCKS).where(TIE_BLOCKS.c.election == self._election)
        with read(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else TieBlock(row.number, row.hash, row.time)

    def keep_tie_block(self, block: TieBlock) -> None:
        self._add(TIE_BLOCKS, {"number": block.number, "hash": block.hash, "time": block.time})

    def result(self) -> Result | None:
        query = select(RESULTS).where(RESULTS.c.election == self._election)
        with read(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Result(row.shares, row.tie, row.tally, row.outcome)

    def keep_result(self, result: Result) -> None:
        self._add(
            RESULTS,
            {
                "shares": result.shares,
                "tie": result.tie,
                "tally": result.tally,
                "outcome": result.outcome,
            },
        )

    def _add(self, table: Table, values: dict[str, object]) -> None:
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, table).on_conflict_do_nothing(),
                {"election": self._election, **values},
            )
