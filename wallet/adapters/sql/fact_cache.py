"""Copies of fetched facts in a database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
    text,
)

from wallet.adapters.sql.engine import insert, read, write
from wallet.crypto.hashing import sha256
from wallet.verification.evidence import Fact

MAX_FACTS_PER_KIND = 1024

METADATA = MetaData()
FACTS = Table(
    "fact_cache",
    METADATA,
    Column("kind", String(64), primary_key=True),
    Column("name_digest", LargeBinary(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("as_of", BigInteger, nullable=False),
)


class SqlFactCache:
    """`ports.cache.FactCache` over the schema `fact_cache`.

    Names are stored as their SHA-256 digest: they come from outside and may be long. Beyond
    `max_per_kind` copies of a kind those with the oldest time are dropped.
    """

    def __init__(self, engine: Engine, *, max_per_kind: int = MAX_FACTS_PER_KIND) -> None:
        self._engine = engine
        self._max_per_kind = max_per_kind

    def get(self, kind: str, name: str) -> Fact[bytes] | None:
        with read(self._engine) as connection:
            row = connection.execute(
                _GET, {"of_kind": kind, "of_name": _digest(name)}
            ).one_or_none()
        return None if row is None else Fact(row.value, row.as_of)

    def put(self, kind: str, name: str, value: bytes, *, as_of: int) -> None:
        with write(self._engine) as connection:
            _wait_for_other_writers(connection)
            statement = insert(connection, FACTS)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[FACTS.c.kind, FACTS.c.name_digest],
                    set_={"value": statement.excluded.value, "as_of": statement.excluded.as_of},
                    where=FACTS.c.as_of <= statement.excluded.as_of,
                ),
                {"kind": kind, "name_digest": _digest(name), "value": value, "as_of": as_of},
            )
            self._drop_oldest(connection, kind)

    def _drop_oldest(self, connection: Connection, kind: str) -> None:
        kept = connection.execute(_COUNT, {"of_kind": kind}).scalar_one()
        if kept > self._max_per_kind:
            connection.execute(
                _DROP_OLDEST, {"of_kind": kind, "surplus": kept - self._max_per_kind}
            )


def _wait_for_other_writers(connection: Connection) -> None:
    # Else two would each count without the other's copy. SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def _digest(name: str) -> bytes:
    # A name from JSON can hold a lone surrogate.
    return sha256(name.encode("utf-8", "surrogatepass"))


_LOCK = text("LOCK TABLE fact_cache IN SHARE ROW EXCLUSIVE MODE")
_GET = select(FACTS.c.value, FACTS.c.as_of).where(
    FACTS.c.kind == bindparam("of_kind"), FACTS.c.name_digest == bindparam("of_name")
)
_COUNT = select(func.count()).select_from(FACTS).where(FACTS.c.kind == bindparam("of_kind"))
_DROP_OLDEST = delete(FACTS).where(
    FACTS.c.kind == bindparam("of_kind"),
    FACTS.c.name_digest.in_(
        select(FACTS.c.name_digest)
        .where(FACTS.c.kind == bindparam("of_kind"))
        .order_by(FACTS.c.as_of, FACTS.c.name_digest)
        .limit(bindparam("surplus"))
    ),
)
