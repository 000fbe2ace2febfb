"""Indexes that spare reading every ballot for leaves, kinds and waiting rejections."""

from alembic import op

revision = "ballotbox_0003"
down_revision = "ballotbox_0002"


def upgrade() -> None:
    # A leaf stands behind the payload in its row: without it here each is read past a ballot.
    op.create_index(
        "ix_ballotbox_entries_leaf", "ballotbox_entries", ["election", "position", "leaf"]
    )
    op.create_index(
        "ix_ballotbox_entries_kind", "ballotbox_entries", ["election", "kind", "position"]
    )
    op.create_index(
        "ix_ballotbox_rejections_waiting", "ballotbox_rejections", ["election", "is_published"]
    )
