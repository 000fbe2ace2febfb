"""The finalized facts of the anchor contracts."""

import sqlalchemy as sa
from alembic import op

revision = "replica_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "replica_state",
        sa.Column(
            "id",
            sa.BigInteger,
            sa.CheckConstraint("id = 1"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("head_number", sa.BigInteger),
        sa.Column("head_hash", sa.LargeBinary(32)),
        sa.Column("head_time", sa.BigInteger),
        sa.Column("observed_at", sa.BigInteger),
    )
    op.create_table(
        "replica_accreditor_scopes",
        sa.Column("schema_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("accreditor", sa.String(42), primary_key=True),
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "replica_issuer_scopes",
        sa.Column("issuer_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("schema_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("accreditor", sa.String(42), nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "replica_batches",
        sa.Column("issuer_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("root", sa.LargeBinary(32), primary_key=True),
        sa.Column("schema_id", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("manifest_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("anchored_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "replica_status_digests",
        sa.Column("issuer_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("list_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("published_at", sa.BigInteger, nullable=False),
    )
