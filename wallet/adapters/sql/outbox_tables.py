"""The tables of the schema `outbox`: the transactions of sending keys."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from wallet.ports.outbox import MAX_PURPOSE_LENGTH

METADATA: Final = MetaData()

KEYS: Final = Table(
    "outbox_keys",
    METADATA,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("address", String(42), primary_key=True),
    Column("next_nonce", BigInteger, nullable=False),
)
ENTRIES: Final = Table(
    "outbox_entries",
    METADATA,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("address", String(42), primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("purpose", String(MAX_PURPOSE_LENGTH), nullable=False, index=True),
    Column("to", String(42), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger, index=True),
    Column("transaction_hash", LargeBinary(32)),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary(32)),
    Column("gas_used", BigInteger),
    Column("fee_paid_wei", BigInteger),
    ForeignKeyConstraint(["chain_id", "address"], ["outbox_keys.chain_id", "outbox_keys.address"]),
)
ATTEMPTS: Final = Table(
    "outbox_attempts",
    METADATA,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("address", String(42), primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("max_fee_wei", BigInteger, nullable=False),
    Column("tip_wei", BigInteger, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    ForeignKeyConstraint(
        ["chain_id", "address", "nonce"],
        ["outbox_entries.chain_id", "outbox_entries.address", "outbox_entries.nonce"],
    ),
)
