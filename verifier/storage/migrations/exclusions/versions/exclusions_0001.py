"""Claims in exclusion groups."""

import sqlalchemy as sa
from alembic import op

revision = "exclusions_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "exclusion_claims",
        sa.Column("agency", sa.String(512), primary_key=True),
        sa.Column("claim_id", sa.String(64), primary_key=True),
        sa.Column("context_digest", sa.LargeBinary(32)),
        sa.Column("pseudonym", sa.LargeBinary(48)),
        sa.Column("free_at", sa.BigInteger),
        sa.UniqueConstraint("context_digest", "pseudonym", name="uq_exclusion_claims_nullifier"),
    )
    op.create_index("ix_exclusion_claims_free_at", "exclusion_claims", ["free_at"])
