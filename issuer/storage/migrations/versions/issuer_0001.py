"""Issuances, status lists, batches, leaves, status publications, letters."""

import sqlalchemy as sa
from alembic import op

revision = "issuer_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "issuer_status_lists",
        sa.Column("list_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("allocated", sa.Integer, nullable=False),
    )
    op.create_table(
        "issuer_issuances",
        sa.Column("issuance_id", sa.String(64), primary_key=True),
        sa.Column("grant_id", sa.String(64), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("credential_type", sa.String(255), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("holder_id", sa.String(64), nullable=False),
        sa.Column(
            "list_number",
            sa.Integer,
            sa.ForeignKey("issuer_status_lists.list_number"),
            nullable=False,
        ),
        sa.Column("status_index", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("status_changed_at", sa.BigInteger),
        sa.Column("intended_at", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary(32)),
        sa.UniqueConstraint("grant_id", "ordinal"),
        sa.UniqueConstraint("list_number", "status_index"),
        sa.UniqueConstraint("leaf"),
    )
    op.create_index("ix_issuer_issuances_subject_id", "issuer_issuances", ["subject_id"])
    op.create_table(
        "issuer_batches",
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
    op.create_index("ix_issuer_batches_state", "issuer_batches", ["state"])
    op.create_table(
        "issuer_leaves",
        sa.Column("leaf", sa.LargeBinary(32), primary_key=True),
        sa.Column("credential_type", sa.String(255), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), sa.ForeignKey("issuer_batches.root")),
        sa.Column("position", sa.Integer),
    )
    op.create_index("ix_issuer_leaves_root", "issuer_leaves", ["root"])
    op.create_table(
        "issuer_status_publications",
        sa.Column(
            "list_number",
            sa.Integer,
            sa.ForeignKey("issuer_status_lists.list_number"),
            primary_key=True,
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "issuer_letters",
        sa.Column("letter_id", sa.String(64), primary_key=True),
        sa.Column("appointment_id", sa.String(64), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("approved_by", sa.String(64)),
        sa.Column("approved_at", sa.BigInteger),
    )
    op.create_index("ix_issuer_letters_state", "issuer_letters", ["state"])
