"""Benefits that were drawn, by nullifier."""

import sqlalchemy as sa
from alembic import op

revision = "claims_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "benefit_claims",
        sa.Column("claim_id", sa.String(64), primary_key=True),
        sa.Column("programme", sa.String(64), nullable=False),
        sa.Column("context_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("pseudonym", sa.LargeBinary(48), nullable=False),
        sa.Column("group_id", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("held_until", sa.BigInteger, nullable=False),
        sa.Column("free_at", sa.BigInteger),
        sa.UniqueConstraint("context_digest", "pseudonym", name="uq_benefit_claims_nullifier"),
    )
    op.create_index("ix_benefit_claims_state", "benefit_claims", ["state", "held_until"])
