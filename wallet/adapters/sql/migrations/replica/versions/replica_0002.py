"""Log heads, mandates, assurance and alarm; earlier copies lack them and are read again."""

import sqlalchemy as sa
from alembic import op

revision = "replica_0002"
down_revision = "replica_0001"

FACTS = (
    "replica_accreditor_scopes",
    "replica_issuer_scopes",
    "replica_batches",
    "replica_status_digests",
)


def upgrade() -> None:
    for name in FACTS:
        op.execute(sa.delete(sa.table(name)))
    state = sa.table(
        "replica_state", *(sa.column(f"head_{part}") for part in ("number", "hash", "time"))
    )
    op.execute(state.update().values(head_number=None, head_hash=None, head_time=None))
    op.add_column("replica_state", sa.Column("endpoints", sa.BigInteger))
    op.add_column("replica_state", sa.Column("proven", sa.Boolean))
    op.add_column("replica_state", sa.Column("alarm", sa.String))
    # The table is empty: dropping it is the one way that every database has to add such a column.
    op.drop_table("replica_accreditor_scopes")
    op.create_table(
        "replica_accreditor_scopes",
        sa.Column("schema_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("accreditor", sa.String(42), primary_key=True),
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("mandate_id", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "replica_accreditor_scopes_mandate", "replica_accreditor_scopes", ["mandate_id"]
    )
    op.create_table(
        "replica_log_heads",
        sa.Column("contract", sa.String(42), primary_key=True),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
    )
