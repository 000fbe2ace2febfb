"""Transactions of opening, checkpoints and seal; the block of the tie-break; the result."""

import sqlalchemy as sa
from alembic import op

revision = "ballotbox_0002"
down_revision = "ballotbox_0001"


def upgrade() -> None:
    op.add_column("ballotbox_boards", sa.Column("opened", sa.LargeBinary(32)))
    op.add_column("ballotbox_boards", sa.Column("sealed", sa.LargeBinary(32)))
    op.add_column("ballotbox_checkpoints", sa.Column("transaction_hash", sa.LargeBinary(32)))
    op.create_table(
        "ballotbox_tie_blocks",
        sa.Column("election", sa.LargeBinary(32), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ballotbox_results",
        sa.Column("election", sa.LargeBinary(32), primary_key=True),
        sa.Column("shares", sa.LargeBinary, nullable=False),
        sa.Column("tie", sa.LargeBinary, nullable=False),
        sa.Column("tally", sa.LargeBinary, nullable=False),
        sa.Column("outcome", sa.LargeBinary, nullable=False),
    )
