"""Accounts of residents."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_accounts_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "issuer_accounts",
        sa.Column("resident_id", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(64), nullable=False, unique=True),
    )
