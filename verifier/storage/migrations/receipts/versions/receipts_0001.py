"""The agency's log, its entries and heads, batches of leaves, watches, webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "receipts_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "agency_batches",
        sa.Column("root", sa.LargeBinary(32), primary_key=True),
        sa.Column("credential_type", sa.String(255), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("manifest_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sealed_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index("ix_agency_batches_state", "agency_batches", ["state"])
    op.create_table(
        "agency_leaves",
        sa.Column("leaf", sa.LargeBinary(32), primary_key=True),
        sa.Column("credential_type", sa.String(255), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), sa.ForeignKey("agency_batches.root")),
        sa.Column("position", sa.Integer),
    )
    op.create_index("ix_agency_leaves_root", "agency_leaves", ["root"])
    op.create_table(
        "agency_log",
        sa.Column("log_index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    end = op.create_table(
        "agency_log_end",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(end, [{"id": 1, "size": 0}])
    op.create_table(
        "agency_entries",
        sa.Column("entry_id", sa.String(64), primary_key=True),
        sa.Column("log_index", sa.BigInteger, nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("about", sa.String(600), nullable=False),
        sa.Column("holder", sa.String(43)),
        sa.Column("token", sa.Text),
        sa.Column("anchor_salt", sa.LargeBinary(32), nullable=False),
        sa.Column("salts", sa.Text, nullable=False),
        sa.Column("countersignature", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("keep_until", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("kind", "about"),
    )
    op.create_index("ix_agency_entries_holder", "agency_entries", ["holder"])
    op.create_index("ix_agency_entries_keep_until", "agency_entries", ["keep_until"])
    op.create_table(
        "agency_log_heads",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "agency_watches",
        sa.Column("entry_id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("programme", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(512), nullable=False),
        sa.Column("vct", sa.String(255), nullable=False),
        sa.Column("status_uri", sa.String(2048)),
        sa.Column("status_index", sa.BigInteger),
        sa.Column("max_status_age_s", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("check_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_agency_watches_check_at", "agency_watches", ["check_at"])
    op.create_table(
        "agency_webhooks",
        sa.Column("event_id", sa.String(64), primary_key=True),
        sa.Column("endpoint", sa.String(64), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_agency_webhooks_due_at", "agency_webhooks", ["due_at"])
