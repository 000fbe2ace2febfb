"""The outbox of leaves and the batches made of it in SQL, for everyone who anchors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
    update,
)

from wallet.adapters.sql.engine import insert, read, write
from wallet.crypto.merkle import HASH_BYTES
from wallet.ports.batches import (
    Batch,
    BatchConflict,
    BatchState,
    BatchUnknown,
    LeafPlace,
    LeafUnknown,
    PendingLeaves,
)


@dataclass(frozen=True, slots=True)
class BatchTables:
    """The two tables of one who anchors: what was sealed, and the leaves with their places."""

    batches: Table
    leaves: Table


def batch_tables(prefix: str, metadata: MetaData) -> BatchTables:
    """Declare `<prefix>_batches` and `<prefix>_leaves` in a schema; its migrations make them."""
    batches = Table(
        f"{prefix}_batches",
        metadata,
        Column("root", LargeBinary(32), primary_key=True),
        Column("credential_type", String(255), nullable=False),
        Column("size", Integer, nullable=False),
        Column("manifest", Text, nullable=False),
        Column("manifest_digest", LargeBinary(32), nullable=False),
        Column("leaves", LargeBinary, nullable=False),
        Column("state", String(16), nullable=False, index=True),
        Column("sealed_at", BigInteger, nullable=False),
        Column("sent_at", BigInteger),
        Column("revoked_at", BigInteger),
    )
    leaves = Table(
        f"{prefix}_leaves",
        metadata,
        Column("leaf", LargeBinary(32), primary_key=True),
        Column("credential_type", String(255), nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("root", ForeignKey(f"{prefix}_batches.root"), index=True),
        Column("position", Integer),
    )
    return BatchTables(batches, leaves)


class SqlBatchRecords:
    """`ports.batches.BatchRecords` over the two tables of one who anchors."""

    def __init__(self, engine: Engine, tables: BatchTables) -> None:
        self._engine = engine
        self._batches = tables.batches
        self._leaves = tables.leaves
        self._batch, self._leaf = tables.batches.c, tables.leaves.c
        self._described = tuple(c for c in tables.batches.c if c.name != "leaves")

    def pending(self) -> Sequence[PendingLeaves]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(self._leaf.credential_type, func.count(), func.min(self._leaf.since))
                .where(self._leaf.root.is_(None))
                .group_by(self._leaf.credential_type)
                .order_by(self._leaf.credential_type)
            ).all()
        return [PendingLeaves(*row) for row in rows]

    def pending_leaves(self, credential_type: str, *, limit: int) -> Sequence[bytes]:
        with read(self._engine) as connection:
            return list(
                connection.execute(
                    select(self._leaf.leaf)
                    .where(
                        self._leaf.root.is_(None),
                        self._leaf.credential_type == credential_type,
                    )
                    .order_by(self._leaf.since, self._leaf.leaf)
                    .limit(limit)
                ).scalars()
            )

    def seal(self, batch: Batch, leaves: Sequence[bytes], issued: Sequence[bytes]) -> None:
        position = {leaf: index for index, leaf in enumerate(leaves)}
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, self._batches),
                {
                    "root": batch.root,
                    "credential_type": batch.credential_type,
                    "size": batch.size,
                    "manifest": batch.manifest,
                    "manifest_digest": batch.manifest_digest,
                    "leaves": b"".join(leaves),
                    "state": batch.state.value,
                    "sealed_at": batch.sealed_at,
                },
            )
            connection.execute(
                update(self._leaves)
                .where(self._leaf.leaf == bindparam("of_leaf"), self._leaf.root.is_(None))
                .values(root=batch.root, position=bindparam("at")),
                [{"of_leaf": leaf, "at": position[leaf]} for leaf in issued],
            )
            taken = connection.execute(
                select(func.count()).select_from(self._leaves).where(self._leaf.root == batch.root)
            ).scalar_one()
            if taken != len(issued):
                raise BatchConflict("another batch took some of the leaves")

    def batch(self, root: bytes) -> Batch:
        with read(self._engine) as connection:
            row = connection.execute(
                select(*self._described).where(self._batch.root == root)
            ).one_or_none()
        if row is None:
            raise BatchUnknown("there is no batch with this root")
        return _batch(row)

    def leaves(self, root: bytes) -> Sequence[bytes]:
        with read(self._engine) as connection:
            joined = connection.execute(
                select(self._batch.leaves).where(self._batch.root == root)
            ).scalar_one_or_none()
        if joined is None:
            raise BatchUnknown("there is no batch with this root")
        return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]

    def unfinished(self) -> Sequence[Batch]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(*self._described)
                .where(self._batch.state != BatchState.FINAL.value)
                .order_by(self._batch.sealed_at, self._batch.root)
            ).all()
        return [_batch(row) for row in rows]

    def mark(self, root: bytes, state: BatchState, *, now: int) -> None:
        values: dict[str, object] = {"state": state.value}
        if state is BatchState.INCLUDED:
            values["sent_at"] = now
        with write(self._engine) as connection:
            connection.execute(
                update(self._batches)
                .where(self._batch.root == root, self._batch.state != BatchState.FINAL.value)
                .values(**values)
            )

    def mark_revoked(self, root: bytes, *, now: int) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(self._batches)
                .where(self._batch.root == root, self._batch.revoked_at.is_(None))
                .values(revoked_at=now)
            )

    def place(self, leaf: bytes) -> LeafPlace:
        with read(self._engine) as connection:
            row = connection.execute(
                select(self._leaf.root, self._leaf.position).where(self._leaf.leaf == leaf)
            ).one_or_none()
        if row is None:
            raise LeafUnknown("no credential with this leaf was issued here")
        return LeafPlace(row.root, row.position)


def _batch(row: Row[tuple[object, ...]]) -> Batch:
    values = row._asdict()
    return Batch(**{**values, "state": BatchState(values["state"])})
