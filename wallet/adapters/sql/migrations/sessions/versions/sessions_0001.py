"""Sessions and one-time values."""

import sqlalchemy as sa
from alembic import op

revision = "sessions_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("id_digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
