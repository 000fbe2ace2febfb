"""The table of the schema `claims`: who drew what, by nullifier."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "claims"
MIGRATIONS: Final = Path(__file__).parent / "migrations" / SCHEMA
METADATA: Final = MetaData()

CLAIMS: Final = Table(
    "benefit_claims",
    METADATA,
    Column("claim_id", String(64), primary_key=True),
    Column("programme", String(64), nullable=False),
    Column("context_digest", LargeBinary(32), nullable=False),
    Column("pseudonym", LargeBinary(48), nullable=False),
    Column("group_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("held_until", BigInteger, nullable=False),
    Column("free_at", BigInteger),
    Index("ix_benefit_claims_state", "state", "held_until"),
    UniqueConstraint("context_digest", "pseudonym", name="uq_benefit_claims_nullifier"),
)


def migrate_claims(engine: Engine) -> None:
    """Bring the schema `claims` up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
