"""Facts of every contract; earlier copies lack them and are read again from the beginning."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "replica_0003"
down_revision = "replica_0002"

EARLIER = (
    "replica_accreditor_scopes",
    "replica_issuer_scopes",
    "replica_batches",
    "replica_status_digests",
    "replica_log_heads",
)


def digest(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(32), primary_key=key, nullable=False)


def number(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(
        name, sa.BigInteger, primary_key=key, autoincrement=False, nullable=optional and not key
    )


def address(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(42), primary_key=key, nullable=False)


def upgrade() -> None:
    for name in EARLIER:
        op.execute(sa.delete(sa.table(name)))
    # Which contracts are followed is part of what a replica is bound to; an alarm stays.
    state = sa.table("replica_state", sa.column("alarm"))
    op.execute(sa.delete(state).where(state.c.alarm.is_(None)))
    op.create_table(
        "replica_suspensions",
        digest("issuer_id", key=True),
        number("index", key=True),
        number("since"),
        number("until", optional=True),
    )
    op.create_table(
        "replica_verifier_scopes",
        digest("verifier_id", key=True),
        digest("service_id", key=True),
        number("index", key=True),
        digest("schema_id"),
        digest("purpose_digest"),
        digest("claims_digest"),
        number("valid_from"),
        number("valid_until"),
        number("revoked_at", optional=True),
    )
    _boards()
    op.create_table(
        "replica_directory",
        sa.Column("name", sa.String(128), primary_key=True),
        number("version", key=True),
        address("address"),
        digest("code_hash"),
        number("listed_at"),
        number("deprecated_at", optional=True),
    )
    op.create_table(
        "replica_did_changes",
        address("identity", key=True),
        number("block_number", key=True),
        number("log_index", key=True),
        number("at"),
        sa.Column("kind", sa.String, nullable=False),
        digest("name"),
        sa.Column("value", sa.LargeBinary, nullable=False),
        number("valid_to"),
    )


def _boards() -> None:
    op.create_table(
        "replica_boards",
        digest("board_id", key=True),
        address("organiser"),
        digest("election_id"),
        address("operator"),
        digest("config_digest"),
        number("opens"),
        number("closes"),
        number("flush_until"),
        number("opened_at"),
    )
    op.create_table(
        "replica_checkpoints",
        digest("board_id", key=True),
        number("number", key=True),
        number("old_size"),
        number("size"),
        digest("old_root"),
        digest("root"),
        number("recorded_at"),
    )
    op.create_table(
        "replica_seals",
        digest("board_id", key=True),
        digest("root"),
        number("size"),
        digest("tally_digest"),
        number("sealed_at"),
    )
