"""The tables of recovery, and bringing a database up to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    ForeignKey,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "issuer_recovery"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
METADATA: Final = MetaData()

KEYS: Final = Table(
    "issuer_recovery_keys",
    METADATA,
    Column("key_id", String(64), primary_key=True),
    Column("registered_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    # The key that owns now what this one owned; always the latest of a row of them.
    Column("successor", String(64), index=True),
)
DEVICES: Final = Table(
    "issuer_recovery_devices",
    METADATA,
    Column("device", String(64), primary_key=True),
    Column("key_id", ForeignKey("issuer_recovery_keys.key_id"), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("lost_at", BigInteger),
)
HOLDINGS: Final = Table(
    "issuer_recovery_holdings",
    METADATA,
    Column("holding_id", String(64), primary_key=True),
    Column("key_id", ForeignKey("issuer_recovery_keys.key_id"), nullable=False, index=True),
    Column("device", ForeignKey("issuer_recovery_devices.device"), nullable=False),
    Column("grant_id", String(64), nullable=False, unique=True),
    Column("configuration_id", String(255), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("holder_id", String(64), nullable=False),
    Column("ward_id", String(64)),
    Column("guardian_family_id", String(64)),
    Column("guardian_id", String(64)),
    Column("origin", ForeignKey("issuer_recovery_holdings.holding_id")),
    Column("state", String(16), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    # A device gets a holding of another one once, however many ask.
    UniqueConstraint("origin", "device"),
)
ROUNDS: Final = Table(
    "issuer_recovery_rounds",
    METADATA,
    Column("round_id", String(64), primary_key=True),
    Column(
        "holding_id",
        ForeignKey("issuer_recovery_holdings.holding_id"),
        nullable=False,
        index=True,
    ),
)
EVENTS: Final = Table(
    "issuer_recovery_events",
    METADATA,
    Column("event_id", String(64), primary_key=True),
    Column("key_id", ForeignKey("issuer_recovery_keys.key_id"), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("device", String(64), nullable=False),
    Column("holding_id", String(64)),
    Column("at", BigInteger, nullable=False, index=True),
)
NOTICES: Final = Table(
    "issuer_recovery_notices",
    METADATA,
    Column("notice_id", String(64), primary_key=True),
    Column("holder_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("told", Boolean, nullable=False, index=True),
    Column("told_at", BigInteger),
)


def migrate_recovery(engine: Engine) -> None:
    """Bring the tables up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
