"""`ports.sessions.SessionStore` on every adapter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from tests.support.processes import Work, replace_each, run_in_processes, take_each
from wallet.adapters.sql.engine import open_engine, read
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown, StoredSession
from wallet.ports.storage import StorageUnavailable

THREADS = 16
VALUES_PER_RACE = 40


class SessionStoreBehaviour:
    """What every session store does. A subclass provides the fixture `store`."""

    def test_loads_what_was_created(self, store: SessionStore) -> None:
        store.create("offer", "id", b"state", expires_at=100)
        assert store.load("offer", "id", now=99) == StoredSession(b"state", 1, 100)

    def test_keeps_an_empty_state_and_any_bytes(self, store: SessionStore) -> None:
        store.create("offer", "empty", b"", expires_at=100)
        store.create("offer", "all", bytes(range(256)), expires_at=100)
        assert store.load("offer", "empty", now=0).state == b""
        assert store.load("offer", "all", now=0).state == bytes(range(256))

    def test_refuses_to_load_what_was_never_created(self, store: SessionStore) -> None:
        with pytest.raises(SessionUnknown):
            store.load("offer", "id", now=0)

    def test_refuses_to_load_from_the_moment_of_expiry(self, store: SessionStore) -> None:
        store.create("offer", "id", b"state", expires_at=100)
        with pytest.raises(SessionUnknown):
            store.load("offer", "id", now=100)

    def test_refuses_to_create_an_id_twice(self, store: SessionStore) -> None:
        store.create("offer", "id", b"first", expires_at=100)
        with pytest.raises(SessionConflict):
            store.create("offer", "id", b"second", expires_at=200)
        assert store.load("offer", "id", now=0) == StoredSession(b"first", 1, 100)

    def test_creates_several_at_once(self, store: SessionStore) -> None:
        store.create_many("offer", {"one": b"1", "two": b"2"}, expires_at=100)
        assert store.load("offer", "one", now=0) == StoredSession(b"1", 1, 100)
        assert store.load("offer", "two", now=0) == StoredSession(b"2", 1, 100)

    def test_creates_none_of_several_when_one_exists(self, store: SessionStore) -> None:
        store.create("offer", "two", b"first", expires_at=100)
        with pytest.raises(SessionConflict):
            store.create_many("offer", {"one": b"1", "two": b"2"}, expires_at=100)
        with pytest.raises(SessionUnknown):
            store.load("offer", "one", now=0)
        assert store.load("offer", "two", now=0).state == b"first"

    def test_keeps_the_same_id_of_two_kinds_apart(self, store: SessionStore) -> None:
        store.create("offer", "id", b"an offer", expires_at=100)
        store.create("nonce", "id", b"a nonce", expires_at=100)
        assert store.take("nonce", "id", now=0) == b"a nonce"
        assert store.load("offer", "id", now=0).state == b"an offer"

    @pytest.mark.parametrize("wire_id", ["", "\x00", "\ud800", "다둥이", "x" * 100_000])
    def test_takes_any_text_as_an_id(self, store: SessionStore, wire_id: str) -> None:
        with pytest.raises(SessionUnknown):
            store.load("offer", wire_id, now=0)
        store.create("offer", wire_id, b"state", expires_at=100)
        assert store.take("offer", wire_id, now=0) == b"state"

    def test_replaces_the_expected_version(self, store: SessionStore) -> None:
        store.create("offer", "id", b"first", expires_at=100)
        store.replace("offer", "id", b"second", expected_version=1, expires_at=200)
        assert store.load("offer", "id", now=150) == StoredSession(b"second", 2, 200)

    def test_refuses_to_replace_another_version(self, store: SessionStore) -> None:
        store.create("offer", "id", b"first", expires_at=100)
        store.replace("offer", "id", b"second", expected_version=1, expires_at=100)
        with pytest.raises(SessionConflict):
            store.replace("offer", "id", b"third", expected_version=1, expires_at=100)
        assert store.load("offer", "id", now=0).state == b"second"

    def test_refuses_to_replace_what_was_taken(self, store: SessionStore) -> None:
        store.create("offer", "id", b"first", expires_at=100)
        store.take("offer", "id", now=0)
        with pytest.raises(SessionConflict):
            store.replace("offer", "id", b"second", expected_version=1, expires_at=100)

    def test_takes_a_value_once(self, store: SessionStore) -> None:
        store.create("code", "id", b"value", expires_at=100)
        assert store.take("code", "id", now=99) == b"value"
        with pytest.raises(SessionUnknown):
            store.take("code", "id", now=99)

    def test_refuses_to_take_from_the_moment_of_expiry(self, store: SessionStore) -> None:
        store.create("code", "id", b"value", expires_at=100)
        with pytest.raises(SessionUnknown):
            store.take("code", "id", now=100)

    def test_purges_what_expired_and_nothing_else(self, store: SessionStore) -> None:
        for expires_at in (98, 99, 100, 101):
            store.create("code", str(expires_at), b"", expires_at=expires_at)
        assert store.purge(now=100) == 3
        assert store.purge(now=100) == 0
        assert store.take("code", "101", now=100) == b""
        store.create("code", "98", b"again", expires_at=200)

    def test_gives_a_value_to_one_of_many_threads(self, store: SessionStore) -> None:
        for number in range(VALUES_PER_RACE):
            store.create("code", str(number), b"value", expires_at=1)
        start = Barrier(THREADS)

        def take_all() -> list[int]:
            start.wait()
            return [number for number in range(VALUES_PER_RACE) if self._takes(store, number)]

        with ThreadPoolExecutor(THREADS) as pool:
            races = [pool.submit(take_all) for _ in range(THREADS)]
            got = [number for race in races for number in race.result()]
        assert sorted(got) == list(range(VALUES_PER_RACE))

    def test_lets_one_of_many_threads_replace_a_version(self, store: SessionStore) -> None:
        store.create("offer", "id", b"first", expires_at=100)
        start = Barrier(THREADS)

        def replace(name: int) -> int | None:
            start.wait()
            try:
                store.replace("offer", "id", b"%d" % name, expected_version=1, expires_at=100)
            except SessionConflict:
                return None
            return name

        with ThreadPoolExecutor(THREADS) as pool:
            won = [name for name in pool.map(replace, range(THREADS)) if name is not None]
        assert len(won) == 1
        assert store.load("offer", "id", now=0) == StoredSession(b"%d" % won[0], 2, 100)

    @staticmethod
    def _takes(store: SessionStore, number: int) -> bool:
        try:
            store.take("code", str(number), now=0)
        except SessionUnknown:
            return False
        return True


class TestSqlSessionStore(SessionStoreBehaviour):
    """The store over SQL, on both databases."""

    @pytest.fixture
    def store(self, engine: Engine) -> SqlSessionStore:
        return SqlSessionStore(engine)

    def test_stores_no_id_in_clear(self, engine: Engine, store: SqlSessionStore) -> None:
        store.create("code", "a-secret-code", b"state", expires_at=100)
        with read(engine) as connection:
            row = connection.execute(text("SELECT * FROM sessions")).one()
        assert b"a-secret-code" not in b"".join(v for v in row if isinstance(v, bytes))
        assert "a-secret-code" not in str(row)

    @pytest.mark.parametrize("work", [take_each, replace_each])
    def test_gives_a_value_to_one_of_two_processes(
        self, database_url: str, store: SqlSessionStore, work: Work
    ) -> None:
        names = [str(number) for number in range(VALUES_PER_RACE)]
        for name in names:
            store.create("code", name, b"value", expires_at=1)
        got = run_in_processes(work, database_url, names, count=2)
        assert sorted(name for process in got for name in process) == sorted(names)

    def test_survives_a_restart(self, database_url: str, store: SqlSessionStore) -> None:
        store.create("offer", "id", b"state", expires_at=100)
        again = open_engine(database_url)
        assert SqlSessionStore(again).load("offer", "id", now=0).state == b"state"
        again.dispose()

    def test_reports_a_database_without_its_tables(self, empty_engine: Engine) -> None:
        store = SqlSessionStore(empty_engine)
        with pytest.raises(StorageUnavailable):
            store.load("offer", "id", now=0)
        with pytest.raises(StorageUnavailable):
            store.create("offer", "id", b"state", expires_at=100)
