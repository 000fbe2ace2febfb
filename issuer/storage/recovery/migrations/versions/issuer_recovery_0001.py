"""Recovery keys, devices, holdings, their record and notices."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_recovery_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "issuer_recovery_keys",
        sa.Column("key_id", sa.String(64), primary_key=True),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "issuer_recovery_devices",
        sa.Column("device", sa.String(64), primary_key=True),
        sa.Column(
            "key_id", sa.String(64), sa.ForeignKey("issuer_recovery_keys.key_id"), nullable=False
        ),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("lost_at", sa.BigInteger),
    )
    op.create_table(
        "issuer_recovery_holdings",
        sa.Column("holding_id", sa.String(64), primary_key=True),
        sa.Column(
            "key_id", sa.String(64), sa.ForeignKey("issuer_recovery_keys.key_id"), nullable=False
        ),
        sa.Column(
            "device",
            sa.String(64),
            sa.ForeignKey("issuer_recovery_devices.device"),
            nullable=False,
        ),
        sa.Column("grant_id", sa.String(64), nullable=False, unique=True),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("ward_id", sa.String(64)),
        sa.Column("guardian_family_id", sa.String(64)),
        sa.Column("guardian_id", sa.String(64)),
        sa.Column("origin", sa.String(64), sa.ForeignKey("issuer_recovery_holdings.holding_id")),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.UniqueConstraint("origin", "device"),
    )
    op.create_table(
        "issuer_recovery_rounds",
        sa.Column("round_id", sa.String(64), primary_key=True),
        sa.Column(
            "holding_id",
            sa.String(64),
            sa.ForeignKey("issuer_recovery_holdings.holding_id"),
            nullable=False,
        ),
    )
    op.create_table(
        "issuer_recovery_events",
        sa.Column("event_id", sa.String(64), primary_key=True),
        sa.Column(
            "key_id", sa.String(64), sa.ForeignKey("issuer_recovery_keys.key_id"), nullable=False
        ),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("holding_id", sa.String(64)),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "issuer_recovery_notices",
        sa.Column("notice_id", sa.String(64), primary_key=True),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("told_at", sa.BigInteger),
    )
    for table, column in (
        ("devices", "key_id"),
        ("holdings", "key_id"),
        ("rounds", "holding_id"),
        ("events", "key_id"),
        ("events", "at"),
        ("notices", "told"),
    ):
        name = f"issuer_recovery_{table}"
        op.create_index(f"ix_{name}_{column}", name, [column])
