"""Databases that are migrated already: the schemas once in a process, then copies of the file.

What a program migrates when it starts finds nothing left to do. That migrations give the tables
that are declared is shown elsewhere (`tests/ports/test_migrations.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import Engine

from issuer.storage.accounts.tables import migrate_accounts
from issuer.storage.contracts.tables import migrate_contracts
from issuer.storage.recovery.tables import migrate_recovery
from issuer.storage.tables import migrate_issuer
from verifier.storage.bulk_tables import migrate_bulk
from verifier.storage.claims_tables import migrate_claims
from verifier.storage.receipt_tables import migrate_receipts
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url

Schema = str | Callable[[Engine], None]
REPLICA: Final[tuple[Schema, ...]] = ("replica",)
ISSUER: Final[tuple[Schema, ...]] = (
    "sessions",
    migrate_issuer,
    migrate_recovery,
    migrate_accounts,
    migrate_contracts,
)
VERIFIER: Final[tuple[Schema, ...]] = (
    "sessions",
    "fact_cache",
    migrate_bulk,
    migrate_receipts,
    migrate_claims,
)


def lay_out(path: Path, schemas: tuple[Schema, ...]) -> None:
    """Put a SQLite database with these schemas at `path`, if there is none yet."""
    if not path.exists():
        path.write_bytes(_file_with(schemas))


def open_laid_out(path: Path, schemas: tuple[Schema, ...]) -> Engine:
    """The same, opened."""
    lay_out(path, schemas)
    return open_engine(sqlite_url(path))


@cache
def _file_with(schemas: tuple[Schema, ...]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        engine = open_engine(sqlite_url(path))
        for schema in schemas:
            if isinstance(schema, str):
                migrate(engine, schema)
            else:
                schema(engine)
        # The last connection writes what is in the log into the file.
        engine.dispose()
        assert [item.name for item in Path(folder).iterdir()] == [path.name]
        return path.read_bytes()
