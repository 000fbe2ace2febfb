"""The tables of the schema `receipts`, and bringing a database up to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from wallet.adapters.sql.batches import batch_tables
from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "receipts"
MIGRATIONS: Final = Path(__file__).parent / "migrations" / SCHEMA
METADATA: Final = MetaData()

ANCHORED: Final = batch_tables("agency", METADATA)
# The leaves stay when what they stand for goes: the log only ever grows.
LOG: Final = Table(
    "agency_log",
    METADATA,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
# One row, which whoever appends holds.
LOG_END: Final = Table(
    "agency_log_end",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
)
ENTRIES: Final = Table(
    "agency_entries",
    METADATA,
    Column("entry_id", String(64), primary_key=True),
    Column("log_index", BigInteger, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("about", String(600), nullable=False),
    Column("holder", String(43), index=True),
    Column("token", Text),
    Column("anchor_salt", LargeBinary(32), nullable=False),
    Column("salts", Text, nullable=False),
    Column("countersignature", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("keep_until", BigInteger, nullable=False, index=True),
    Column("guardian_countersignature", Text),
    UniqueConstraint("kind", "about"),
)
HEADS: Final = Table(
    "agency_log_heads",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("at", BigInteger, nullable=False),
)
WATCHES: Final = Table(
    "agency_watches",
    METADATA,
    Column("entry_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("programme", String(64), nullable=False),
    Column("issuer", String(512), nullable=False),
    Column("vct", String(255), nullable=False),
    Column("status_uri", String(2048)),
    Column("status_index", BigInteger),
    Column("max_status_age_s", Integer, nullable=False),
    Column("expires_at", BigInteger),
    Column("standing", String(16), nullable=False),
    Column("check_at", BigInteger, nullable=False, index=True),
)
WEBHOOKS: Final = Table(
    "agency_webhooks",
    METADATA,
    Column("event_id", String(64), primary_key=True),
    Column("endpoint", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
)


def migrate_receipts(engine: Engine) -> None:
    """Bring the schema `receipts` up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
