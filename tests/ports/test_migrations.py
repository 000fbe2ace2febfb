"""Migrations: each schema has its own history and ends at the tables that the code declares."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hatchling.builders.wheel import WheelBuilder
from sqlalchemy import Engine, MetaData, inspect, text

from ballotbox.storage import tables as ballot_box_tables
from issuer.storage import tables as issuer_tables
from issuer.storage.accounts import tables as accounts_tables
from issuer.storage.contracts import tables as contracts_tables
from issuer.storage.recovery import tables as recovery_tables
from tests.ports.conftest import SCHEMAS
from tests.support.processes import migrate_each, run_in_processes
from verifier.storage import bulk_tables, claims_tables, exclusion_tables, receipt_tables
from wallet.adapters.sql import fact_cache, holder_tables, outbox_tables, replica_tables, sessions
from wallet.adapters.sql.engine import (
    alembic_config,
    migrate,
    open_engine,
    read,
    version_table,
    write,
)
from wallet.ports.storage import StorageUnavailable

ROOT = Path(__file__).parents[2]
METADATA = {
    "sessions": sessions.METADATA,
    "replica": replica_tables.METADATA,
    "fact_cache": fact_cache.METADATA,
    "holder": holder_tables.metadata,
    "outbox": outbox_tables.METADATA,
    ballot_box_tables.SCHEMA: ballot_box_tables.METADATA,
    issuer_tables.SCHEMA: issuer_tables.METADATA,
    recovery_tables.SCHEMA: recovery_tables.METADATA,
    accounts_tables.SCHEMA: accounts_tables.METADATA,
    contracts_tables.SCHEMA: contracts_tables.METADATA,
    bulk_tables.SCHEMA: bulk_tables.METADATA,
    receipt_tables.SCHEMA: receipt_tables.METADATA,
    claims_tables.SCHEMA: claims_tables.METADATA,
    exclusion_tables.SCHEMA: exclusion_tables.METADATA,
}
LOCATIONS = {
    ballot_box_tables.SCHEMA: ballot_box_tables.MIGRATIONS,
    issuer_tables.SCHEMA: issuer_tables.MIGRATIONS,
    recovery_tables.SCHEMA: recovery_tables.MIGRATIONS,
    accounts_tables.SCHEMA: accounts_tables.MIGRATIONS,
    contracts_tables.SCHEMA: contracts_tables.MIGRATIONS,
    bulk_tables.SCHEMA: bulk_tables.MIGRATIONS,
    receipt_tables.SCHEMA: receipt_tables.MIGRATIONS,
    claims_tables.SCHEMA: claims_tables.MIGRATIONS,
    exclusion_tables.SCHEMA: exclusion_tables.MIGRATIONS,
}
OTHER_MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision = "other_{number}"
down_revision = {below!r}
def upgrade():
    op.create_table("other_{number}", sa.Column("id", sa.Integer, primary_key=True))
    {then}
"""


def _add_migration(folder: Path, number: int, *, then: str = "pass") -> None:
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    below = f"other_{number - 1}" if number > 1 else None
    source = OTHER_MIGRATION.format(number=number, below=below, then=then)
    (versions / f"other_{number}.py").write_text(source)


def _tables(engine: Engine) -> set[str]:
    with read(engine) as connection:
        return set(inspect(connection).get_table_names())


def _described(engine: Engine, tables: list[str]) -> dict[str, Any]:
    with read(engine) as connection:
        inspector = inspect(connection)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
                inspector.get_pk_constraint(table)["constrained_columns"],
                [
                    (i["name"], i["column_names"], i["unique"])
                    for i in inspector.get_indexes(table)
                ],
                [c["sqltext"] for c in inspector.get_check_constraints(table)],
                inspector.get_foreign_keys(table),
            )
            for table in tables
        }


def _recreate(engine: Engine, metadata: MetaData) -> None:
    with write(engine) as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)


def test_every_schema_is_compared() -> None:
    packages = ("wallet", "issuer", "verifier", "ballotbox", "seoul_wallet")
    folders = {
        found.parent
        for package in packages
        for found in (ROOT / package).rglob("migrations/**/versions")
    }
    own = ROOT / "wallet" / "adapters" / "sql" / "migrations"
    assert folders == {*(own / schema for schema in SCHEMAS), *LOCATIONS.values()}
    assert {*SCHEMAS, *LOCATIONS} == set(METADATA)


@pytest.mark.parametrize("schema", METADATA)
def test_migrated_tables_equal_the_declared_ones(empty_engine: Engine, schema: str) -> None:
    migrate(empty_engine, schema, LOCATIONS.get(schema))
    metadata = METADATA[schema]
    tables = sorted(metadata.tables)
    assert _tables(empty_engine) == {*tables, version_table(schema)}
    with read(empty_engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": version_table(schema)}
        )
        assert compare_metadata(context, metadata) == []
    migrated = _described(empty_engine, tables)
    _recreate(empty_engine, metadata)
    assert migrated == _described(empty_engine, tables)


@pytest.mark.parametrize("schema", METADATA)
def test_a_history_has_one_beginning_and_one_end(schema: str) -> None:
    script = ScriptDirectory.from_config(alembic_config(schema, LOCATIONS.get(schema)))
    assert len(script.get_bases()) == 1
    assert len(script.get_heads()) == 1


def test_migrating_again_changes_nothing(empty_engine: Engine) -> None:
    migrate(empty_engine, "sessions")
    before = _described(empty_engine, sorted(_tables(empty_engine)))
    migrate(empty_engine, "sessions")
    assert _described(empty_engine, sorted(_tables(empty_engine))) == before


def test_a_schema_can_live_outside_the_library(empty_engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "100% elsewhere"
    _add_migration(folder, 1)
    migrate(empty_engine, "other", folder)
    migrate(empty_engine, "sessions")
    _add_migration(folder, 2)
    migrate(empty_engine, "other", folder)
    assert _tables(empty_engine) == {
        *("other_1", "other_2", "sessions"),
        *("alembic_version_other", "alembic_version_sessions"),
    }


def test_a_migration_that_fails_leaves_nothing(empty_engine: Engine, tmp_path: Path) -> None:
    _add_migration(tmp_path, 1)
    _add_migration(tmp_path, 2, then='op.execute("this is not SQL")')
    with pytest.raises(StorageUnavailable):
        migrate(empty_engine, "other", tmp_path)
    assert _tables(empty_engine) == set()


def test_refuses_a_database_that_a_newer_program_migrated(empty_engine: Engine) -> None:
    migrate(empty_engine, "sessions")
    with write(empty_engine) as connection:
        connection.execute(text("UPDATE alembic_version_sessions SET version_num = 'newer'"))
    with pytest.raises(StorageUnavailable):
        migrate(empty_engine, "sessions")


def test_threads_migrate_at_once(empty_engine: Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda schema: migrate(empty_engine, schema), SCHEMAS * 2))
    assert {version_table(schema) for schema in SCHEMAS} <= _tables(empty_engine)


def test_processes_migrate_at_once(empty_database_url: str, empty_engine: Engine) -> None:
    done = run_in_processes(migrate_each, empty_database_url, SCHEMAS, count=2)
    assert done == [list(SCHEMAS)] * 2
    assert {version_table(schema) for schema in SCHEMAS} <= _tables(empty_engine)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """What a wheel of this project installs."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    return tmp_path / "installed"


def test_an_installed_wheel_migrates(installed: Path, empty_sqlite_url: str) -> None:
    program = (
        "import sys, wallet; from wallet.adapters.sql.engine import migrate, open_engine;"
        "print(wallet.__file__); engine = open_engine(sys.argv[1]);"
        "[migrate(engine, schema) for schema in sys.argv[2:]]; engine.dispose()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, empty_sqlite_url, *SCHEMAS],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(installed)
    engine = open_engine(empty_sqlite_url)
    assert {version_table(schema) for schema in SCHEMAS} <= _tables(engine)
    engine.dispose()
