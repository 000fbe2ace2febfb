"""Databases for the port tests: SQLite in a file, PostgreSQL in a throw-away cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.postgres import PostgresCluster, PostgresMissing, postgres_cluster
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url

SCHEMAS = ("sessions", "replica", "fact_cache", "holder", "outbox")
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def _migrate_all(url: str) -> None:
    engine = open_engine(url)
    for schema in SCHEMAS:
        migrate(engine, schema)
    engine.dispose()


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresCluster]:
    """The cluster of this test process; skips where PostgreSQL is missing."""
    try:
        with postgres_cluster() as running:
            yield running
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def empty_postgres(cluster: PostgresCluster) -> str:
    """The name of a PostgreSQL database that each test finds and leaves without tables."""
    return cluster.create_database()


@pytest.fixture
def postgres_url(cluster: PostgresCluster, empty_postgres: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    yield cluster.url(empty_postgres)
    cluster.drop_tables(empty_postgres)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return sqlite_url(tmp_path / "wallet.db")


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, on every kind of database."""
    name = "empty_sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def empty_engine(empty_database_url: str) -> Iterator[Engine]:
    """An empty database, on every kind of database."""
    engine = open_engine(empty_database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of every schema, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "wallet.db"
    _migrate_all(sqlite_url(path))
    return path


@pytest.fixture(scope="session")
def migrated_postgres(cluster: PostgresCluster) -> str:
    """The name of a PostgreSQL database whose tables each test finds and leaves empty."""
    name = cluster.create_database()
    _migrate_all(cluster.url(name))
    return name


@pytest.fixture
def sqlite_database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a SQLite file with the tables of every schema."""
    path = tmp_path / "wallet.db"
    shutil.copy(migrated_sqlite, path)
    return sqlite_url(path)


@pytest.fixture
def postgres_database_url(cluster: PostgresCluster, migrated_postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with the tables of every schema."""
    yield cluster.url(migrated_postgres)
    cluster.empty_tables(migrated_postgres)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with the tables of every schema, on every kind of database."""
    url: str = request.getfixturevalue(f"{request.param}_database_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the tables of every schema, on every kind of database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()
