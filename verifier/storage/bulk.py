"""Batches of applications in SQL."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, Row, and_, delete, select, update

from verifier.bulk.records import (
    ApplicationState,
    BulkBatch,
    BulkBatchFull,
    BulkBatchSealed,
    BulkBatchUnknown,
    BulkChunkConflict,
    BulkChunkOutOfOrder,
    BulkLeaseLost,
    DecidedChunk,
    NewChunk,
    PendingChunk,
)
from verifier.receipts.records import LogWriter
from verifier.storage.bulk_tables import BATCHES, CHUNKS, SEEN
from verifier.storage.receipts import SqlLogWriter
from wallet.adapters.sql.engine import insert, read, write

# Parameters of one IN clause: below the limit of every SQLite that Python comes with.
_ASKED_AT_ONCE: Final = 500
# Decisions repeat the same texts: a chunk of them shrinks to a few hundredths.
_COMPRESSION: Final = 6


class SqlBulkRecords:
    """`verifier.bulk.records.BulkRecords` over the schema `bulk`.

    Counts stand in the batch's row and change with its chunks in one transaction; the decisions
    on a chunk are one compressed value.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, batch: BulkBatch) -> None:
        row = {
            "batch_id": batch.batch_id,
            "agency": batch.agency,
            "nonce": batch.nonce,
            "created_at": batch.created_at,
            "expires_at": batch.expires_at,
            "chunks": 0,
            "chunks_decided": 0,
            "applications": 0,
            "leased_until": 0,
            **{state.value: 0 for state in ApplicationState},
        }
        with write(self._engine) as connection:
            connection.execute(insert(connection, BATCHES), row)

    def batch(self, batch_id: str, agency: str, *, now: int) -> BulkBatch:
        with read(self._engine) as connection:
            return _batch(_row(connection, batch_id, agency, now))

    def add_chunk(
        self, batch_id: str, agency: str, chunk: NewChunk, *, max_applications: int, now: int
    ) -> BulkBatch:
        with write(self._engine) as connection:
            row = _row(connection, batch_id, agency, now, for_update=True)
            if chunk.number < row.chunks:
                kept = connection.execute(
                    select(CHUNKS.c.digest).where(
                        CHUNKS.c.batch_id == batch_id, CHUNKS.c.number == chunk.number
                    )
                ).scalar_one()
                if kept != chunk.digest:
                    raise BulkChunkConflict("this chunk was received with other content")
                return _batch(row)
            if row.sealed_at is not None:
                raise BulkBatchSealed("the batch was sealed")
            if chunk.number > row.chunks:
                raise BulkChunkOutOfOrder(f"the next chunk has the number {row.chunks}")
            if row.applications + chunk.count > max_applications:
                raise BulkBatchFull(f"a batch has up to {max_applications} applications")
            connection.execute(
                insert(connection, CHUNKS),
                {
                    "batch_id": batch_id,
                    "number": chunk.number,
                    "first": row.applications,
                    "size": chunk.count,
                    "digest": chunk.digest,
                    "body": chunk.body,
                },
            )
            connection.execute(
                update(BATCHES)
                .where(BATCHES.c.batch_id == batch_id)
                .values(chunks=row.chunks + 1, applications=row.applications + chunk.count)
            )
            return _batch(_row(connection, batch_id, agency, now))

    def seal(self, batch_id: str, agency: str, *, now: int) -> BulkBatch:
        with write(self._engine) as connection:
            row = _row(connection, batch_id, agency, now, for_update=True)
            if row.sealed_at is None:
                is_decided = row.chunks_decided == row.chunks
                connection.execute(
                    update(BATCHES)
                    .where(BATCHES.c.batch_id == batch_id)
                    .values(sealed_at=now, finished_at=now if is_decided else None)
                )
            return _batch(_row(connection, batch_id, agency, now))

    def forget(self, batch_id: str, agency: str, *, now: int) -> None:
        with write(self._engine) as connection:
            _row(connection, batch_id, agency, now, for_update=True)
            connection.execute(delete(BATCHES).where(BATCHES.c.batch_id == batch_id))

    def decided_lines(self, batch_id: str, position: int) -> tuple[int, Sequence[bytes]] | None:
        with read(self._engine) as connection:
            row = connection.execute(
                select(CHUNKS.c.first, CHUNKS.c.decisions)
                .where(
                    CHUNKS.c.batch_id == batch_id,
                    CHUNKS.c.first <= position,
                    CHUNKS.c.first + CHUNKS.c.size > position,
                    CHUNKS.c.decisions.is_not(None),
                )
                .order_by(CHUNKS.c.number)
            ).one_or_none()
        if row is None:
            return None
        return row.first, zlib.decompress(row.decisions).split(b"\n")

    def lease(self, owner: str, *, now: int, until: int) -> BulkBatch | None:
        with write(self._engine) as connection:
            row = connection.execute(
                select(BATCHES)
                .where(
                    BATCHES.c.chunks > BATCHES.c.chunks_decided,
                    BATCHES.c.leased_until <= now,
                    BATCHES.c.expires_at > now,
                )
                .order_by(BATCHES.c.leased_until, BATCHES.c.created_at, BATCHES.c.batch_id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            connection.execute(
                update(BATCHES)
                .where(BATCHES.c.batch_id == row.batch_id)
                .values(leased_by=owner, leased_until=until)
            )
            return _batch(row)

    def release(self, batch_id: str, owner: str, *, now: int) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(BATCHES)
                .where(BATCHES.c.batch_id == batch_id, BATCHES.c.leased_by == owner)
                .values(leased_by=None, leased_until=now)
            )

    def pending(self, batch_id: str, number: int) -> PendingChunk | None:
        with read(self._engine) as connection:
            row = connection.execute(
                select(CHUNKS.c.number, CHUNKS.c.first, CHUNKS.c.size, CHUNKS.c.body).where(
                    CHUNKS.c.batch_id == batch_id,
                    CHUNKS.c.number == number,
                    CHUNKS.c.body.is_not(None),
                )
            ).one_or_none()
        return None if row is None else PendingChunk(row.number, row.first, row.size, row.body)

    def seen(self, batch_id: str, digests: Collection[bytes]) -> frozenset[bytes]:
        asked, found = list(digests), set[bytes]()
        with read(self._engine) as connection:
            for at in range(0, len(asked), _ASKED_AT_ONCE):
                found.update(
                    connection.execute(
                        select(SEEN.c.digest).where(
                            SEEN.c.batch_id == batch_id,
                            SEEN.c.digest.in_(asked[at : at + _ASKED_AT_ONCE]),
                        )
                    ).scalars()
                )
        return frozenset(found)

    def decide(
        self,
        batch_id: str,
        owner: str,
        number: int,
        make: Callable[[LogWriter], DecidedChunk],
        *,
        now: int,
        until: int,
    ) -> None:
        with write(self._engine) as connection:
            row = connection.execute(
                select(BATCHES)
                .where(
                    BATCHES.c.batch_id == batch_id,
                    BATCHES.c.leased_by == owner,
                    BATCHES.c.chunks_decided == number,
                )
                .with_for_update()
            ).one_or_none()
            if row is None:
                raise BulkLeaseLost("the batch is decided elsewhere, or was forgotten")
            log = SqlLogWriter(connection)
            chunk = make(log)
            log.flush()
            connection.execute(
                update(CHUNKS)
                .where(CHUNKS.c.batch_id == batch_id, CHUNKS.c.number == number)
                .values(body=None, decisions=zlib.compress(b"\n".join(chunk.lines), _COMPRESSION))
            )
            if chunk.seen:
                connection.execute(
                    SEEN.insert(),
                    [{"batch_id": batch_id, "digest": item} for item in sorted(chunk.seen)],
                )
            decided = number + 1
            is_done = row.sealed_at is not None and decided == row.chunks
            counts = {
                state.value: getattr(row, state.value) + chunk.outcomes.get(state, 0)
                for state in ApplicationState
            }
            connection.execute(
                update(BATCHES)
                .where(BATCHES.c.batch_id == batch_id)
                .values(
                    chunks_decided=decided,
                    finished_at=now if is_done else None,
                    leased_until=until,
                    **counts,
                )
            )

    def waits_for(self, nonce: str, *, now: int) -> bool:
        waiting = (
            BATCHES.c.nonce == nonce, BATCHES.c.expires_at > now, BATCHES.c.finished_at.is_(None)
        )  # fmt: skip
        with read(self._engine) as connection:
            found = connection.execute(select(BATCHES.c.batch_id).where(*waiting).limit(1))
            return found.one_or_none() is not None

    def purge(self, *, now: int) -> int:
        with write(self._engine) as connection:
            return connection.execute(delete(BATCHES).where(BATCHES.c.expires_at <= now)).rowcount


def _row(
    connection: Connection, batch_id: str, agency: str, now: int, *, for_update: bool = False
) -> Row[tuple[object, ...]]:
    wanted = select(BATCHES).where(
        and_(
            BATCHES.c.batch_id == batch_id,
            BATCHES.c.agency == agency,
            BATCHES.c.expires_at > now,
        )
    )
    row = connection.execute(wanted.with_for_update() if for_update else wanted).one_or_none()
    if row is None:
        raise BulkBatchUnknown("there is no such batch")
    return row


def _batch(row: Row[tuple[object, ...]]) -> BulkBatch:
    values = row._asdict()
    return BulkBatch(
        batch_id=values["batch_id"],
        agency=values["agency"],
        nonce=values["nonce"],
        created_at=values["created_at"],
        expires_at=values["expires_at"],
        sealed_at=values["sealed_at"],
        finished_at=values["finished_at"],
        chunks=values["chunks"],
        chunks_decided=values["chunks_decided"],
        applications=values["applications"],
        outcomes={state: values[state.value] for state in ApplicationState},
    )
