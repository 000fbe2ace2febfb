"""The tables of the schema `bulk`: batches of applications, and bringing a database up to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "bulk"
MIGRATIONS: Final = Path(__file__).parent / "migrations" / SCHEMA
METADATA: Final = MetaData()

BATCHES: Final = Table(
    "bulk_batches",
    METADATA,
    Column("batch_id", String(64), primary_key=True),
    Column("agency", String(255), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("sealed_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("chunks", Integer, nullable=False),
    Column("chunks_decided", Integer, nullable=False),
    Column("applications", BigInteger, nullable=False),
    Column("eligible", BigInteger, nullable=False),
    Column("not_eligible", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("leased_by", String(64)),
    Column("leased_until", BigInteger, nullable=False),
)
CHUNKS: Final = Table(
    "bulk_chunks",
    METADATA,
    Column("batch_id", ForeignKey("bulk_batches.batch_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("body", LargeBinary),
    Column("decisions", LargeBinary),
)
SEEN: Final = Table(
    "bulk_seen",
    METADATA,
    Column("batch_id", ForeignKey("bulk_batches.batch_id", ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
)


def migrate_bulk(engine: Engine) -> None:
    """Bring the schema `bulk` up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
