"""The tables of the ballot box, and bringing a database up to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from wallet.adapters.sql.engine import migrate

SCHEMA: Final = "ballotbox"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
METADATA: Final = MetaData()


def _election() -> Column[bytes]:
    return Column("election", LargeBinary(32), primary_key=True)


BOARDS: Final = Table(
    "ballotbox_boards",
    METADATA,
    _election(),
    Column("round", Integer, nullable=False),
    Column("round_began", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("is_closed", Boolean, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    Column("opened", LargeBinary(32)),
    Column("sealed", LargeBinary(32)),
)
ENTRIES: Final = Table(
    "ballotbox_entries",
    METADATA,
    _election(),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    # A leaf stands behind the payload in its row: without it here each is read past a ballot.
    Index("ix_ballotbox_entries_leaf", "election", "position", "leaf"),
    Index("ix_ballotbox_entries_kind", "election", "kind", "position"),
)
BALLOTS: Final = Table(
    "ballotbox_ballots",
    METADATA,
    _election(),
    Column("nullifier", LargeBinary(48), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("ciphertexts", LargeBinary(32), nullable=False),
    Column("submission", LargeBinary(32), nullable=False),
    Column("tracking_code", String(32), nullable=False),
    Column("octets", LargeBinary, nullable=False),
    Column("acceptance", LargeBinary, nullable=False),
    Column("position", BigInteger),
    UniqueConstraint("election", "ciphertexts"),
    UniqueConstraint("election", "submission"),
    Index("ix_ballotbox_ballots_code", "election", "tracking_code"),
    Index("ix_ballotbox_ballots_position", "election", "position"),
)
REJECTIONS: Final = Table(
    "ballotbox_rejections",
    METADATA,
    _election(),
    Column("submission", LargeBinary(32), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("is_published", Boolean, nullable=False),
    Index("ix_ballotbox_rejections_waiting", "election", "is_published"),
)
MESSAGES: Final = Table(
    "ballotbox_messages",
    METADATA,
    _election(),
    Column("kind", String(32), primary_key=True),
    Column("trustee", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
)
BATCHES: Final = Table(
    "ballotbox_batches",
    METADATA,
    _election(),
    Column("officer", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
    Column("is_published", Boolean, nullable=False),
)
CHECKPOINTS: Final = Table(
    "ballotbox_checkpoints",
    METADATA,
    _election(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary(32)),
)
TIE_BLOCKS: Final = Table(
    "ballotbox_tie_blocks",
    METADATA,
    _election(),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("time", BigInteger, nullable=False),
)
RESULTS: Final = Table(
    "ballotbox_results",
    METADATA,
    _election(),
    Column("shares", LargeBinary, nullable=False),
    Column("tie", LargeBinary, nullable=False),
    Column("tally", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
)


def migrate_ballot_box(engine: Engine) -> None:
    """Bring the ballot box's tables up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)
