"""The countersignature of a guardian who took part in a child's application."""

import sqlalchemy as sa
from alembic import op

revision = "receipts_0002"
down_revision = "receipts_0001"


def upgrade() -> None:
    op.add_column("agency_entries", sa.Column("guardian_countersignature", sa.Text))
