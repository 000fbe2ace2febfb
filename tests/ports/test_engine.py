"""Opening a database, and transactions whose failures are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    insert,
    select,
    text,
    update,
)

from wallet.adapters.sql import engine as engine_module
from wallet.adapters.sql.engine import (
    DatabaseUrlUnsupported,
    open_engine,
    read,
    sqlite_url,
    together,
    write,
)
from wallet.errors import RejectedError, UnavailableError
from wallet.ports.storage import StorageUnavailable

METADATA = MetaData()
COUNTERS = Table(
    "counters",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", Integer, nullable=False),
)


@pytest.fixture
def counting_engine(empty_engine: Engine) -> Engine:
    with write(empty_engine) as connection:
        METADATA.create_all(connection)
        connection.execute(insert(COUNTERS), {"id": 1, "value": 0})
    return empty_engine


@pytest.fixture
def sqlite_engine(empty_sqlite_url: str) -> Iterator[Engine]:
    opened = open_engine(empty_sqlite_url)
    yield opened
    opened.dispose()


def _value(engine: Engine) -> int:
    with read(engine) as connection:
        value: int = connection.execute(select(COUNTERS.c.value)).scalar_one()
    return value


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "mysql://user:hunter2@host/db",
        "postgresql+asyncpg://user:hunter2@host/db",
        "postgresql://user:hunter2@host:port/db",
    ],
)
def test_refuses_what_is_neither_a_sqlite_file_nor_postgresql(url: str) -> None:
    with pytest.raises(DatabaseUrlUnsupported) as refused:
        open_engine(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_opens_postgresql_under_its_usual_names(scheme: str) -> None:
    assert open_engine(f"{scheme}://user@host/db").dialect.driver == "psycopg"


def test_a_path_with_odd_characters_becomes_one_url(tmp_path: Path) -> None:
    path = tmp_path / "100%? #다.db"
    opened = open_engine(sqlite_url(path))
    with write(opened) as connection:
        METADATA.create_all(connection)
    opened.dispose()
    assert path.exists()


def test_sqlite_writes_through_to_the_disk(sqlite_engine: Engine) -> None:
    full, on = 2, 1
    with read(sqlite_engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == full
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == on


@pytest.mark.postgres
def test_postgresql_writes_through_to_the_disk(postgres_url: str) -> None:
    opened = open_engine(postgres_url)
    with read(opened) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(text(f"SHOW {setting}")).scalar_one() == "on"
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "15s"
    opened.dispose()


def test_many_threads_open_a_new_file_at_once(tmp_path: Path) -> None:
    opened = open_engine(sqlite_url(tmp_path / "new.db"))

    def ask(_: int) -> int:
        with read(opened) as connection:
            one: int = connection.execute(text("SELECT 1")).scalar_one()
        return one

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(16))) == [1] * 16
    opened.dispose()


def test_keeps_what_a_finished_block_wrote(counting_engine: Engine) -> None:
    with write(counting_engine) as connection:
        connection.execute(update(COUNTERS).values(value=7))
    assert _value(counting_engine) == 7


def test_undoes_a_block_that_raises_and_passes_its_error_on(counting_engine: Engine) -> None:
    def write_and_fail() -> None:
        with write(counting_engine) as connection:
            connection.execute(update(COUNTERS).values(value=7))
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert _value(counting_engine) == 0


def test_a_read_sees_one_state_while_another_writes(counting_engine: Engine) -> None:
    with read(counting_engine) as reader:
        before = reader.execute(select(COUNTERS.c.value)).scalar_one()
        with write(counting_engine) as writer:
            writer.execute(update(COUNTERS).values(value=7))
        assert reader.execute(select(COUNTERS.c.value)).scalar_one() == before
    assert _value(counting_engine) == 7


def test_sqlite_writers_that_read_first_wait_for_each_other(sqlite_engine: Engine) -> None:
    with write(sqlite_engine) as connection:
        METADATA.create_all(connection)
        connection.execute(insert(COUNTERS), {"id": 1, "value": 0})

    def count(_: int) -> None:
        with write(sqlite_engine) as connection:
            value = connection.execute(select(COUNTERS.c.value)).scalar_one()
            connection.execute(update(COUNTERS).values(value=value + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(80)))
    assert _value(sqlite_engine) == 80


@pytest.mark.postgres
def test_a_postgresql_read_cannot_write_and_the_next_write_can(postgres_url: str) -> None:
    opened = open_engine(postgres_url)
    with write(opened) as connection:
        METADATA.create_all(connection)
    with pytest.raises(StorageUnavailable), read(opened) as connection:
        connection.execute(insert(COUNTERS), {"id": 1, "value": 0})
    with write(opened) as connection:
        connection.execute(insert(COUNTERS), {"id": 1, "value": 0})
    opened.dispose()


def test_types_a_violated_constraint_and_names_no_value(counting_engine: Engine) -> None:
    with pytest.raises(StorageUnavailable) as failed, write(counting_engine) as connection:
        connection.execute(insert(COUNTERS), {"id": 1, "value": 424242})
    assert "424242" not in str(failed.value)
    assert "424242" not in str(failed.value.__cause__)


@pytest.mark.parametrize("transaction", [read, write])
def test_types_a_file_that_cannot_be_opened(
    tmp_path: Path, transaction: Callable[[Engine], AbstractContextManager[Connection]]
) -> None:
    opened = open_engine(sqlite_url(tmp_path / "missing" / "wallet.db"))
    with pytest.raises(StorageUnavailable), transaction(opened):
        pass


def test_types_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "wallet.db"
    path.write_bytes(b"this is not a database" * 100)
    opened = open_engine(sqlite_url(path))
    with pytest.raises(StorageUnavailable), read(opened):
        pass
    opened.dispose()


def test_types_a_server_that_is_not_there(tmp_path: Path) -> None:
    opened = open_engine(f"postgresql://user:hunter2@/db?host={tmp_path}")
    with pytest.raises(StorageUnavailable) as failed, read(opened):
        pass
    assert "hunter2" not in str(failed.value)


def test_types_a_lock_that_is_held_too_long(
    empty_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SQLITE_BUSY_TIMEOUT_MS", 50)
    opened = open_engine(empty_sqlite_url)
    with write(opened), pytest.raises(StorageUnavailable), write(opened):
        pass
    with write(opened):
        pass
    opened.dispose()


def _add(engine: Engine, number: int) -> None:
    with write(engine) as connection:
        connection.execute(insert(COUNTERS), {"id": number, "value": number})


def _ids(engine: Engine) -> set[int]:
    with read(engine) as connection:
        return set(connection.execute(select(COUNTERS.c.id)).scalars())


class Refused(RejectedError):
    """A refusal of the test."""

    code = "refused_by_test"


class Away(UnavailableError):
    """Something of the test is away."""

    code = "away_in_test"


def test_what_is_done_together_is_seen_at_once_inside_and_only_afterwards_outside(
    counting_engine: Engine,
) -> None:
    with ThreadPoolExecutor(1) as other:
        with together(counting_engine):
            _add(counting_engine, 2)
            _add(counting_engine, 3)
            assert _ids(counting_engine) == {1, 2, 3}
            assert other.submit(_ids, counting_engine).result() == {1}
        assert other.submit(_ids, counting_engine).result() == {1, 2, 3}


def test_a_refusal_keeps_what_was_done_together(counting_engine: Engine) -> None:
    def refuse() -> None:
        with together(counting_engine):
            _add(counting_engine, 2)
            raise Refused("no")

    with pytest.raises(Refused):
        refuse()
    assert _ids(counting_engine) == {1, 2}


@pytest.mark.parametrize("error", [Away("gone"), ZeroDivisionError(), KeyboardInterrupt()])
def test_what_could_not_be_finished_together_is_undone(
    counting_engine: Engine, error: BaseException
) -> None:
    def fail() -> None:
        with together(counting_engine):
            _add(counting_engine, 2)
            raise error

    with pytest.raises(type(error)):
        fail()
    assert _ids(counting_engine) == {1}
    _add(counting_engine, 3)
    assert _ids(counting_engine) == {1, 3}


def test_a_step_that_fails_is_undone_alone(counting_engine: Engine) -> None:
    def fail() -> None:
        with write(counting_engine) as connection:
            connection.execute(insert(COUNTERS), {"id": 3, "value": 0})
            raise Refused("no")

    with together(counting_engine):
        _add(counting_engine, 2)
        with pytest.raises(Refused):
            fail()
        with pytest.raises(StorageUnavailable):
            _add(counting_engine, 1)
        _add(counting_engine, 4)
    assert _ids(counting_engine) == {1, 2, 4}


def test_one_together_inside_another_is_a_part_of_it(counting_engine: Engine) -> None:
    def fail() -> None:
        with together(counting_engine):
            with together(counting_engine):
                _add(counting_engine, 2)
            raise Away("gone")

    with pytest.raises(Away):
        fail()
    assert _ids(counting_engine) == {1}


def test_another_database_is_no_part_of_it(counting_engine: Engine, tmp_path: Path) -> None:
    other = open_engine(sqlite_url(tmp_path / "other.db"))
    with write(other) as connection:
        METADATA.create_all(connection)

    def fail() -> None:
        with together(counting_engine):
            _add(other, 2)
            raise Away("gone")

    with pytest.raises(Away):
        fail()
    assert _ids(other) == {2}
    other.dispose()
