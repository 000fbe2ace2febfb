"""Contracts and their signatures."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_contracts_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "issuer_contracts",
        sa.Column("contract_id", sa.String(64), primary_key=True),
        sa.Column("employer_id", sa.String(64), nullable=False),
        sa.Column("worker_id", sa.String(64), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("sign_until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "issuer_contract_signatures",
        sa.Column(
            "contract_id",
            sa.String(64),
            sa.ForeignKey("issuer_contracts.contract_id"),
            primary_key=True,
        ),
        sa.Column("side", sa.String(16), primary_key=True),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
    )
