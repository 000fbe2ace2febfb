"""Which recovery key took the place of another."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_recovery_0002"
down_revision = "issuer_recovery_0001"


def upgrade() -> None:
    op.add_column("issuer_recovery_keys", sa.Column("successor", sa.String(64)))
    op.create_index("ix_issuer_recovery_keys_successor", "issuer_recovery_keys", ["successor"])
