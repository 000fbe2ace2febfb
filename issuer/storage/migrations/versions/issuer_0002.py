"""Approvals of held issuances, and registered nym keys."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_0002"
down_revision = "issuer_0001"


def upgrade() -> None:
    op.create_table(
        "issuer_approvals",
        sa.Column("approval_id", sa.String(64), primary_key=True),
        sa.Column("issuance_id", sa.String(64), nullable=False, unique=True),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("held_by", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_at", sa.BigInteger),
    )
    op.create_index("ix_issuer_approvals_state", "issuer_approvals", ["state"])
    op.create_table(
        "issuer_nym_registrations",
        sa.Column("resident_id", sa.String(64), primary_key=True),
        sa.Column("epoch", sa.String(64), primary_key=True),
        sa.Column("nym_key", sa.LargeBinary(48), nullable=False),
        sa.Column("entropy", sa.LargeBinary(32), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("epoch", "nym_key"),
    )
