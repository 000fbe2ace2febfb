"""The table of accounts, and bringing a database up to it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Engine, MetaData, String, Table

from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "issuer_accounts"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
METADATA: Final = MetaData()

ACCOUNTS: Final = Table(
    "issuer_accounts",
    METADATA,
    Column("resident_id", String(64), primary_key=True),
    Column("account_id", String(64), nullable=False, unique=True),
)


def migrate_accounts(engine: Engine) -> None:
    """Bring the table up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
