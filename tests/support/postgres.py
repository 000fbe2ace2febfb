"""A throw-away PostgreSQL cluster, reachable through a Unix socket only."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
_SUPERUSER = "postgres"
_END_OTHER_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES_WITH_ROWS = """
    SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic_version_%'
"""


class PostgresMissing(Exception):
    """The programs of PostgreSQL are not on this machine; the message says what is needed."""


def find_binaries() -> Path:
    """Return the folder that holds `initdb` and `postgres`. Raises `PostgresMissing`."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissing("needs PostgreSQL: initdb and postgres (tools/postgres_binaries.sh)")


class PostgresCluster:
    """A running cluster. `fsync` is on, as in production; logging in needs no password."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._process = process
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql+psycopg://{_SUPERUSER}@/{database}?host={self._folder}"

    def create_database(self) -> str:
        """Create an empty database; return its name."""
        name = f"test_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop_tables(self, name: str) -> None:
        """Make a database as good as new: much cheaper than another one."""
        with self._connect(name) as connection:
            connection.execute(_END_OTHER_CONNECTIONS)
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def empty_tables(self, name: str) -> None:
        """Remove every row but the versions of the migrations."""
        with self._connect(name) as connection:
            connection.execute(_END_OTHER_CONNECTIONS)
            tables = connection.execute(_TABLES_WITH_ROWS).fetchall()
            identifiers = sql.SQL(", ").join(sql.Identifier(table) for (table,) in tables)
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(identifiers))

    def _connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._folder), user=_SUPERUSER, dbname=database, autocommit=True
        )

    def wait_until_it_answers(self) -> None:
        """Return once a connection is accepted; fail when the server ended or never answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                ended = self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server in its fast mode and wait for its end."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def postgres_cluster() -> Iterator[PostgresCluster]:
    """Run a cluster in a temporary folder of its own. Raises `PostgresMissing`."""
    binaries = find_binaries()
    # Not below pytest's folder, which another user could not enter; and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="seoul-wallet-pg-", dir="/tmp"))
    try:
        identity = _server_identity()
        if identity is not None:
            os.chown(folder, *identity)
        cluster = _start(binaries, folder, identity)
        try:
            cluster.wait_until_it_answers()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def _server_identity() -> tuple[int, int] | None:
    """Return whom the server runs as when we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise PostgresMissing("needs PostgreSQL: as root, a user postgres or nobody to run it as")


def _start(binaries: Path, folder: Path, identity: tuple[int, int] | None) -> PostgresCluster:
    user, group = identity or (None, None)
    groups = None if identity is None else [identity[1]]
    initdb = [
        *(str(binaries / "initdb"), "-D", str(folder / "data"), "-U", _SUPERUSER),
        *("-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"),
    ]
    server = [
        *(str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder)),
        *("-c", "listen_addresses=", "-c", "fsync=on", "-c", "max_connections=200"),
    ]
    with (folder / "log").open("wb") as log:
        subprocess.run(
            initdb,
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            group=group,
            extra_groups=groups,
        )
        process = subprocess.Popen(
            server,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            group=group,
            extra_groups=groups,
        )
    return PostgresCluster(folder, process)
