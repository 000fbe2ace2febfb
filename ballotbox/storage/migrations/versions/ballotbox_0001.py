"""Board, entries, ballots, rejections, ceremony messages, batches, checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "ballotbox_0001"
down_revision = None


def _election() -> sa.Column[bytes]:
    return sa.Column("election", sa.LargeBinary(32), primary_key=True)


def upgrade() -> None:
    op.create_table(
        "ballotbox_boards",
        _election(),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("round_began", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("is_closed", sa.Boolean, nullable=False),
        sa.Column("is_ended", sa.Boolean, nullable=False),
    )
    op.create_table(
        "ballotbox_entries",
        _election(),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "ballotbox_ballots",
        _election(),
        sa.Column("nullifier", sa.LargeBinary(48), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("ciphertexts", sa.LargeBinary(32), nullable=False),
        sa.Column("submission", sa.LargeBinary(32), nullable=False),
        sa.Column("tracking_code", sa.String(32), nullable=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
        sa.Column("acceptance", sa.LargeBinary, nullable=False),
        sa.Column("position", sa.BigInteger),
        sa.UniqueConstraint("election", "ciphertexts"),
        sa.UniqueConstraint("election", "submission"),
        # Row numbers would tell the order of arrival.
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_ballotbox_ballots_code", "ballotbox_ballots", ["election", "tracking_code"]
    )
    op.create_index("ix_ballotbox_ballots_position", "ballotbox_ballots", ["election", "position"])
    op.create_table(
        "ballotbox_rejections",
        _election(),
        sa.Column("submission", sa.LargeBinary(32), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("is_published", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ballotbox_messages",
        _election(),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("trustee", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ballotbox_batches",
        _election(),
        sa.Column("officer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("is_published", sa.Boolean, nullable=False),
    )
    op.create_table(
        "ballotbox_checkpoints",
        _election(),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
    )
