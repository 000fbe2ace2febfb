"""The table of the schema `exclusions`: claims in groups of programmes, by nullifier."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    inspect,
)

from wallet.adapters.sql.engine import migrate, read

SCHEMA: Final = "exclusions"
MIGRATIONS: Final = Path(__file__).parent / "migrations" / SCHEMA
METADATA: Final = MetaData()
_VERSIONS: Final = "alembic_version_"

# A row without a pseudonym is a claim that was released.
EXCLUSIONS: Final = Table(
    "exclusion_claims",
    METADATA,
    Column("agency", String(512), primary_key=True),
    Column("claim_id", String(64), primary_key=True),
    Column("context_digest", LargeBinary(32)),
    Column("pseudonym", LargeBinary(48)),
    Column("free_at", BigInteger, index=True),
    UniqueConstraint("context_digest", "pseudonym", name="uq_exclusion_claims_nullifier"),
)


def migrate_exclusions(engine: Engine) -> None:
    """Bring the schema `exclusions` up to date. Raises `StorageUnavailable`."""
    migrate(engine, SCHEMA, location=MIGRATIONS)


def other_schemas(engine: Engine) -> list[str]:
    """Return which schemas of other services are in the database. Raises `StorageUnavailable`."""
    with read(engine) as connection:
        tables = inspect(connection).get_table_names()
    versions = {name.removeprefix(_VERSIONS) for name in tables if name.startswith(_VERSIONS)}
    return sorted(versions - {SCHEMA})
