"""Sending keys with their next nonce, journal entries, and their signed forms."""

import sqlalchemy as sa
from alembic import op

revision = "outbox_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "outbox_keys",
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("address", sa.String(42), primary_key=True),
        sa.Column("next_nonce", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outbox_entries",
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("address", sa.String(42), primary_key=True),
        sa.Column("nonce", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("to", sa.String(42), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("gas", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(255)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("transaction_hash", sa.LargeBinary(32)),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.LargeBinary(32)),
        sa.Column("gas_used", sa.BigInteger),
        sa.Column("fee_paid_wei", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["chain_id", "address"], ["outbox_keys.chain_id", "outbox_keys.address"]
        ),
    )
    op.create_index("ix_outbox_entries_purpose", "outbox_entries", ["purpose"])
    op.create_index("ix_outbox_entries_settled_at", "outbox_entries", ["settled_at"])
    op.create_table(
        "outbox_attempts",
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("address", sa.String(42), primary_key=True),
        sa.Column("nonce", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("max_fee_wei", sa.BigInteger, nullable=False),
        sa.Column("tip_wei", sa.BigInteger, nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["chain_id", "address", "nonce"],
            ["outbox_entries.chain_id", "outbox_entries.address", "outbox_entries.nonce"],
        ),
    )
