"""The tables of contracts, and bringing a database up to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "issuer_contracts"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
METADATA: Final = MetaData()

CONTRACTS: Final = Table(
    "issuer_contracts",
    METADATA,
    Column("contract_id", String(64), primary_key=True),
    Column("employer_id", String(64), nullable=False),
    Column("worker_id", String(64), nullable=False),
    Column("terms", Text, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("audience", Text, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("sign_until", BigInteger, nullable=False),
)
SIGNATURES: Final = Table(
    "issuer_contract_signatures",
    METADATA,
    Column("contract_id", ForeignKey("issuer_contracts.contract_id"), primary_key=True),
    Column("side", String(16), primary_key=True),
    Column("evidence", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
)


def migrate_contracts(engine: Engine) -> None:
    """Bring the tables up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
