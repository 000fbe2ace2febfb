"""The outbox of leaves, the batches made of it, and the publications of status digests in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, Row, bindparam, func, select, update

from issuer.ports import (
    Batch,
    BatchConflict,
    BatchState,
    BatchUnknown,
    LeafPlace,
    LeafUnknown,
    PendingLeaves,
    StatusPublication,
)
from issuer.storage.tables import BATCHES, LEAVES, STATUS_PUBLICATIONS
from wallet.adapters.sql.engine import insert, read, write
from wallet.crypto.merkle import HASH_BYTES

_BATCH = tuple(column for column in BATCHES.c if column.name != "leaves")


class SqlBatchRecords:
    """`ports.BatchRecords` over the schema `issuer`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pending(self) -> Sequence[PendingLeaves]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(LEAVES.c.credential_type, func.count(), func.min(LEAVES.c.since))
                .where(LEAVES.c.root.is_(None))
                .group_by(LEAVES.c.credential_type)
                .order_by(LEAVES.c.credential_type)
            ).all()
        return [PendingLeaves(*row) for row in rows]

    def pending_leaves(self, credential_type: str, *, limit: int) -> Sequence[bytes]:
        with read(self._engine) as connection:
            return list(
                connection.execute(
                    select(LEAVES.c.leaf)
                    .where(LEAVES.c.root.is_(None), LEAVES.c.credential_type == credential_type)
                    .order_by(LEAVES.c.since, LEAVES.c.leaf)
                    .limit(limit)
                ).scalars()
            )

    def seal(self, batch: Batch, leaves: Sequence[bytes], issued: Sequence[bytes]) -> None:
        position = {leaf: index for index, leaf in enumerate(leaves)}
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, BATCHES),
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
                update(LEAVES)
                .where(LEAVES.c.leaf == bindparam("of_leaf"), LEAVES.c.root.is_(None))
                .values(root=batch.root, position=bindparam("at")),
                [{"of_leaf": leaf, "at": position[leaf]} for leaf in issued],
            )
            taken = connection.execute(
                select(func.count()).select_from(LEAVES).where(LEAVES.c.root == batch.root)
            ).scalar_one()
            if taken != len(issued):
                raise BatchConflict("another batch took some of the leaves")

    def batch(self, root: bytes) -> Batch:
        with read(self._engine) as connection:
            row = connection.execute(select(*_BATCH).where(BATCHES.c.root == root)).one_or_none()
        if row is None:
            raise BatchUnknown("there is no batch with this root")
        return _batch(row)

    def leaves(self, root: bytes) -> Sequence[bytes]:
        with read(self._engine) as connection:
            joined = connection.execute(
                select(BATCHES.c.leaves).where(BATCHES.c.root == root)
            ).scalar_one_or_none()
        if joined is None:
            raise BatchUnknown("there is no batch with this root")
        return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]

    def unfinished(self) -> Sequence[Batch]:
        with read(self._engine) as connection:
            rows = connection.execute(
                select(*_BATCH)
                .where(BATCHES.c.state != BatchState.FINAL.value)
                .order_by(BATCHES.c.sealed_at, BATCHES.c.root)
            ).all()
        return [_batch(row) for row in rows]

    def mark(self, root: bytes, state: BatchState, *, now: int) -> None:
        values: dict[str, object] = {"state": state.value}
        if state is BatchState.INCLUDED:
            values["sent_at"] = now
        with write(self._engine) as connection:
            connection.execute(
                update(BATCHES)
                .where(BATCHES.c.root == root, BATCHES.c.state != BatchState.FINAL.value)
                .values(**values)
            )

    def mark_revoked(self, root: bytes, *, now: int) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(BATCHES)
                .where(BATCHES.c.root == root, BATCHES.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )

    def place(self, leaf: bytes) -> LeafPlace:
        with read(self._engine) as connection:
            row = connection.execute(
                select(LEAVES.c.root, LEAVES.c.position).where(LEAVES.c.leaf == leaf)
            ).one_or_none()
        if row is None:
            raise LeafUnknown("no credential with this leaf was issued here")
        return LeafPlace(row.root, row.position)


def _batch(row: Row[tuple[object, ...]]) -> Batch:
    values = row._asdict()
    return Batch(**{**values, "state": BatchState(values["state"])})


class SqlStatusPublications:
    """`ports.StatusPublications` over the schema `issuer`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def latest(self, list_number: int) -> StatusPublication | None:
        with read(self._engine) as connection:
            row = connection.execute(
                select(STATUS_PUBLICATIONS)
                .where(STATUS_PUBLICATIONS.c.list_number == list_number)
                .order_by(STATUS_PUBLICATIONS.c.version.desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else StatusPublication(**row._asdict())

    def record(self, publication: StatusPublication) -> None:
        with write(self._engine) as connection:
            statement = insert(connection, STATUS_PUBLICATIONS)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=("list_number", "version"),
                    set_={
                        "digest": statement.excluded.digest,
                        "expires_at": statement.excluded.expires_at,
                    },
                    where=STATUS_PUBLICATIONS.c.confirmed.is_(False),
                ),
                {
                    "list_number": publication.list_number,
                    "version": publication.version,
                    "digest": publication.digest,
                    "expires_at": publication.expires_at,
                    "confirmed": publication.confirmed,
                },
            )

    def confirm(self, list_number: int, version: int) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(STATUS_PUBLICATIONS)
                .where(
                    STATUS_PUBLICATIONS.c.list_number == list_number,
                    STATUS_PUBLICATIONS.c.version == version,
                )
                .values(confirmed=True)
            )
