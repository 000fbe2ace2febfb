"""Opening a database, bringing it up to date, and transactions whose failures are typed.

SQLite runs in WAL mode with `synchronous=FULL`: what was committed survives a power cut.

Tables belong to schemas. A schema is a folder with its own linear history
(`<folder>/versions/*.py`) and its own version table (`alembic_version_<schema>`), so that several
live in one database without knowing of each other. alembic does the work; its environment is
`migrations/env.py`, shared by all schemas.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from wallet.errors import SeoulWalletError, UnavailableError, UnsupportedError
from wallet.ports.storage import StorageUnavailable

POOL_SIZE = 8
POOL_OVERFLOW = 24
POOL_TIMEOUT_S = 10
SQLITE_BUSY_TIMEOUT_MS = 10_000
POSTGRES_CONNECT_TIMEOUT_S = 5
POSTGRES_STATEMENT_TIMEOUT_MS = 15_000
POSTGRES_LOCK_TIMEOUT_MS = 10_000
POSTGRES_IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
COMPILED_STATEMENTS = 500
MIGRATION_TIMEOUT_MS = 300_000

_POSTGRES_DRIVER = "postgresql+psycopg"
# How a SQLite transaction begins, as an execution option of the connection.
SQLITE_BEGIN = "seoul_wallet_sqlite_begin"

_TOGETHER: ContextVar[tuple[Engine, Connection] | None] = ContextVar("together", default=None)
_ENVIRONMENT = Path(__file__).parent / "migrations"
# alembic keeps the running environment in a module; PostgreSQL's advisory locks take a number.
_ONE_AT_A_TIME = threading.Lock()
_LOCK_NUMBER = zlib.crc32(b"seoul-wallet migrations")


class DatabaseUrlUnsupported(UnsupportedError):
    """The database URL names neither a SQLite file nor PostgreSQL."""

    code = "database_url_unsupported"


def open_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql://…`; connects only when used.

    One engine serves all threads of a process; a forked child opens its own. The caller disposes
    of it. Raises `DatabaseUrlUnsupported`; in-memory SQLite is refused because its threads would
    each see another database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The message of the original would repeat the URL, and with it a password.
        raise DatabaseUrlUnsupported("the database URL cannot be read") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _open_sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres", _POSTGRES_DRIVER):
        return _open_postgres(parsed.set(drivername=_POSTGRES_DRIVER))
    raise DatabaseUrlUnsupported("the database is neither SQLite nor PostgreSQL")


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _pool_limits() -> dict[str, Any]:
    return {
        "pool_size": POOL_SIZE,
        "max_overflow": POOL_OVERFLOW,
        "pool_timeout": POOL_TIMEOUT_S,
        "query_cache_size": COMPILED_STATEMENTS,
        # A failed statement must not carry its values into a log.
        "hide_parameters": True,
    }


def _open_sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:") or "mode" in url.query:
        raise DatabaseUrlUnsupported("SQLite needs a file")
    engine = create_engine(
        url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}, **_pool_limits()
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own idea of transactions would begin late and commit before DDL.
    connection.isolation_level = None
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for a lock here, and two processes may open a new file at once.
    deadline = time.monotonic() + SQLITE_BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise sqlite3.OperationalError("the file system does not support WAL")
        return


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(SQLITE_BEGIN, "BEGIN")
    if begin is not None:
        connection.exec_driver_sql(begin)


def _open_postgres(url: URL) -> Engine:
    options = (
        f"-c statement_timeout={POSTGRES_STATEMENT_TIMEOUT_MS}"
        f" -c lock_timeout={POSTGRES_LOCK_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={POSTGRES_IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    )
    asked = url.query.get("options")
    if isinstance(asked, str):
        options = f"{options} {asked}"
    return create_engine(
        url,
        connect_args={"connect_timeout": POSTGRES_CONNECT_TIMEOUT_S, "options": options},
        # A server that was restarted is noticed here instead of by a request.
        pool_pre_ping=True,
        **_pool_limits(),
    )


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """Run a transaction that changes something; committed when the block ends, else undone.

    SQLite takes the write lock at once, so a transaction never fails half-way for want of it.
    Raises `StorageUnavailable` for every failure of the database, also for a violated constraint:
    where a conflict has a meaning use `insert(...).on_conflict_do_nothing()` and its rowcount.
    Inside `together` it is a part of that transaction, undone alone when it fails.
    """
    joined = _joined(engine)
    if joined is not None:
        with _translated(), part_of(joined):
            yield joined
        return
    with _translated(), _begun(engine) as connection:
        yield connection


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """Run a transaction in which every query sees the same state. Raises `StorageUnavailable`.

    Inside `together` it sees what that transaction sees.
    """
    joined = _joined(engine)
    if joined is not None:
        with _translated():
            yield joined
        return
    with _translated(), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def read_once(engine: Engine) -> Iterator[Connection]:
    """Like `read`, for one query alone: in SQLite a statement is a transaction of itself."""
    if engine.dialect.name != "sqlite" or _joined(engine) is not None:
        with read(engine) as connection:
            yield connection
        return
    with _translated(), engine.connect() as connection:
        yield connection.execution_options(**{SQLITE_BEGIN: None})


@contextmanager
def together(engine: Engine) -> Iterator[None]:
    """Make one transaction of all that is read and written here: `ports.storage.Together`.

    It is of this thread (or task) and of this engine: `write` and `read` find it, whoever calls
    them. One inside another is part of the outer one.
    """
    if _joined(engine) is not None:
        yield
        return
    refusal: SeoulWalletError | None = None
    with _translated(), _begun(engine) as connection:
        outer = _TOGETHER.set((engine, connection))
        try:
            yield
        except UnavailableError:
            raise
        except SeoulWalletError as error:
            refusal = error
        finally:
            _TOGETHER.reset(outer)
    if refusal is not None:
        raise refusal


@contextmanager
def part_of(connection: Connection) -> Iterator[None]:
    """Undo what is done in the block, and nothing else, when an error leaves it.

    SQLAlchemy's own nested transactions compile their statements anew each time, which takes
    longer than most of what is done in one.
    """
    connection.exec_driver_sql("SAVEPOINT part")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        connection.exec_driver_sql("RELEASE SAVEPOINT part")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT part")


def _joined(engine: Engine) -> Connection | None:
    current = _TOGETHER.get()
    return current[1] if current is not None and current[0] is engine else None


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection = connection.execution_options(**{SQLITE_BEGIN: "BEGIN IMMEDIATE"})
        with connection.begin():
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"the database failed: {type(error).__name__}") from error


@cache
def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    # Without the option the count of an INSERT is -1 on PostgreSQL.
    return made.execution_options(preserve_rowcount=True)


@cache
def _insert_or_ignore(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


def insert_or_ignore(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT of whole rows that ignores what is there; `rowcount` as for `insert`.

    Made once for each table: to put a statement together takes longer than to run it.
    """
    return _insert_or_ignore(connection.dialect.name, table)


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that understands `on_conflict_do_nothing` and `on_conflict_do_update`.

    The result's `rowcount` says how many rows it inserted or updated.
    """
    return _insert(connection.dialect.name, table)


def migrate(engine: Engine, schema: str, location: Path | None = None) -> None:
    """Upgrade a schema to its newest version, in one transaction; nothing to do is no error.

    `location` is the schema's folder when it is not one of this package's. Processes that migrate
    at once wait for each other. Raises `StorageUnavailable`, also when the database is at a
    version that this program does not know.
    """
    config = alembic_config(schema, location)
    with _ONE_AT_A_TIME, write(engine) as connection:
        if connection.dialect.name == "postgresql":
            timeout = str(MIGRATION_TIMEOUT_MS)
            for limit in ("lock_timeout", "statement_timeout"):
                connection.execute(
                    text("SELECT set_config(:limit, :timeout, true)"),
                    {"limit": limit, "timeout": timeout},
                )
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER}
            )
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StorageUnavailable(f"the schema {schema} cannot be migrated") from error


def alembic_config(schema: str, location: Path | None = None) -> Config:
    """Return alembic's configuration of one schema; without a connection."""
    folder = _ENVIRONMENT / schema if location is None else location
    config = Config()
    # The file format that these options come from gives `%` a meaning.
    config.set_main_option("script_location", str(_ENVIRONMENT).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(folder / "versions").replace("%", "%%"))
    config.attributes["version_table"] = version_table(schema)
    return config


def version_table(schema: str) -> str:
    """Return the name of the table that holds a schema's version."""
    return f"alembic_version_{schema}"
