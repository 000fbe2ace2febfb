"""Batches of applications."""

import sqlalchemy as sa
from alembic import op

revision = "bulk_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "bulk_batches",
        sa.Column("batch_id", sa.String(64), primary_key=True),
        sa.Column("agency", sa.String(255), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("sealed_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("chunks_decided", sa.Integer, nullable=False),
        sa.Column("applications", sa.BigInteger, nullable=False),
        sa.Column("eligible", sa.BigInteger, nullable=False),
        sa.Column("not_eligible", sa.BigInteger, nullable=False),
        sa.Column("unknown", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("leased_by", sa.String(64)),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_bulk_batches_expires_at", "bulk_batches", ["expires_at"])
    op.create_table(
        "bulk_chunks",
        sa.Column(
            "batch_id",
            sa.String(64),
            sa.ForeignKey("bulk_batches.batch_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("decisions", sa.LargeBinary),
    )
    op.create_table(
        "bulk_seen",
        sa.Column(
            "batch_id",
            sa.String(64),
            sa.ForeignKey("bulk_batches.batch_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    )
