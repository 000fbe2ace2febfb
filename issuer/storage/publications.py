"""The publications of status digests in SQL."""

from __future__ import annotations

from sqlalchemy import Engine, select, update

from issuer.ports import StatusPublication
from issuer.storage.tables import STATUS_PUBLICATIONS
from wallet.adapters.sql.engine import insert, read, write


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
