"""The tables of the issuer's records, and bringing a database up to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from wallet.adapters.sql.batches import batch_tables
from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "issuer"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
METADATA: Final = MetaData()

STATUS_LISTS: Final = Table(
    "issuer_status_lists",
    METADATA,
    Column("list_number", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
)
ISSUANCES: Final = Table(
    "issuer_issuances",
    METADATA,
    Column("issuance_id", String(64), primary_key=True),
    Column("grant_id", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("credential_type", String(255), nullable=False),
    Column("subject_id", String(64), nullable=False, index=True),
    Column("holder_id", String(64), nullable=False),
    Column("list_number", ForeignKey("issuer_status_lists.list_number"), nullable=False),
    Column("status_index", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("reason", String(64)),
    Column("status_changed_at", BigInteger),
    Column("intended_at", BigInteger, nullable=False),
    Column("leaf", LargeBinary(32)),
    UniqueConstraint("grant_id", "ordinal"),
    UniqueConstraint("list_number", "status_index"),
    UniqueConstraint("leaf"),
)
ANCHORED: Final = batch_tables(SCHEMA, METADATA)
BATCHES: Final = ANCHORED.batches
LEAVES: Final = ANCHORED.leaves
STATUS_PUBLICATIONS: Final = Table(
    "issuer_status_publications",
    METADATA,
    Column("list_number", ForeignKey("issuer_status_lists.list_number"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("confirmed", Boolean, nullable=False),
)
LETTERS: Final = Table(
    "issuer_letters",
    METADATA,
    Column("letter_id", String(64), primary_key=True),
    Column("appointment_id", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False, index=True),
    Column("requested_by", String(64), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_at", BigInteger),
)

APPROVALS: Final = Table(
    "issuer_approvals",
    METADATA,
    Column("approval_id", String(64), primary_key=True),
    Column("issuance_id", String(64), nullable=False, unique=True),
    Column("configuration_id", String(255), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("holder_id", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("held_by", String(64), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("decided_by", String(64)),
    Column("decided_at", BigInteger),
)
NYM_REGISTRATIONS: Final = Table(
    "issuer_nym_registrations",
    METADATA,
    Column("resident_id", String(64), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("nym_key", LargeBinary(48), nullable=False),
    Column("entropy", LargeBinary(32), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    UniqueConstraint("epoch", "nym_key"),
)


def migrate_issuer(engine: Engine) -> None:
    """Bring the issuer's tables up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
