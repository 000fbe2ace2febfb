"""Copies of fetched facts."""

import sqlalchemy as sa
from alembic import op

revision = "fact_cache_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "fact_cache",
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("name_digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
    )
