"""`ports.cache.FactCache` on every adapter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from tests.support.clock import SettableClock
from wallet.adapters.http.holder import KEEP_FACTS_S, RecentFacts
from wallet.adapters.sql.engine import open_engine, read
from wallet.adapters.sql.fact_cache import SqlFactCache
from wallet.ports.cache import FactCache
from wallet.ports.storage import StorageUnavailable
from wallet.verification.evidence import Fact

MAX_PER_KIND = 5


class FactCacheBehaviour:
    """What every cache does. The fixture `cache` keeps MAX_PER_KIND copies of a kind."""

    def test_has_nothing_at_first(self, cache: FactCache) -> None:
        assert cache.get("did", "did:web:example.org") is None

    def test_returns_what_was_put_with_its_time(self, cache: FactCache) -> None:
        cache.put("did", "name", b"document", as_of=100)
        assert cache.get("did", "name") == Fact(b"document", 100)

    def test_keeps_names_and_kinds_apart(self, cache: FactCache) -> None:
        cache.put("did", "name", b"document", as_of=100)
        cache.put("status", "name", b"list", as_of=200)
        assert cache.get("did", "name") == Fact(b"document", 100)
        assert cache.get("status", "name") == Fact(b"list", 200)
        assert cache.get("did", "name ") is None

    @pytest.mark.parametrize("name", ["", "\x00", "\ud800", "서울", "x" * 100_000])
    def test_takes_any_text_as_a_name(self, cache: FactCache, name: str) -> None:
        cache.put("did", name, bytes(range(256)), as_of=100)
        assert cache.get("did", name) == Fact(bytes(range(256)), 100)

    @pytest.mark.parametrize("as_of", [100, 101])
    def test_replaces_a_copy_that_is_not_newer(self, cache: FactCache, as_of: int) -> None:
        cache.put("did", "name", b"old", as_of=100)
        cache.put("did", "name", b"new", as_of=as_of)
        assert cache.get("did", "name") == Fact(b"new", as_of)

    def test_never_replaces_a_newer_copy(self, cache: FactCache) -> None:
        cache.put("did", "name", b"new", as_of=100)
        cache.put("did", "name", b"old", as_of=99)
        assert cache.get("did", "name") == Fact(b"new", 100)

    def test_drops_the_oldest_of_a_kind_beyond_the_limit(self, cache: FactCache) -> None:
        cache.put("status", "other kind", b"", as_of=1)
        for as_of in (13, 11, 12, 15, 14, 16):
            cache.put("did", str(as_of), b"", as_of=as_of)
        kept = [as_of for as_of in range(11, 17) if cache.get("did", str(as_of)) is not None]
        assert kept == [12, 13, 14, 15, 16]
        assert cache.get("status", "other kind") is not None

    def test_the_newest_of_many_threads_stays(self, cache: FactCache) -> None:
        def put(as_of: int) -> None:
            cache.put("did", "name", b"%d" % as_of, as_of=as_of)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put, [(7 * n) % 64 for n in range(64)]))
        assert cache.get("did", "name") == Fact(b"63", 63)

    def test_many_threads_stay_within_the_limit(self, cache: FactCache) -> None:
        def put(as_of: int) -> None:
            cache.put("did", str(as_of), b"", as_of=as_of)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put, range(64)))
        put(64)
        kept = [as_of for as_of in range(65) if cache.get("did", str(as_of)) is not None]
        assert kept == [60, 61, 62, 63, 64]


class TestSqlFactCache(FactCacheBehaviour):
    """The cache over SQL, on both databases."""

    @pytest.fixture
    def cache(self, engine: Engine) -> SqlFactCache:
        return SqlFactCache(engine, max_per_kind=MAX_PER_KIND)

    def test_survives_a_restart(self, database_url: str, cache: SqlFactCache) -> None:
        cache.put("did", "name", b"document", as_of=100)
        again = open_engine(database_url)
        assert SqlFactCache(again).get("did", "name") == Fact(b"document", 100)
        again.dispose()

    def test_stores_no_name_in_clear(self, engine: Engine, cache: SqlFactCache) -> None:
        cache.put("did", "did:web:example.org", b"", as_of=100)
        with read(engine) as connection:
            row = connection.execute(text("SELECT * FROM fact_cache")).one()
        assert "example" not in str([bytes(v) if isinstance(v, memoryview) else v for v in row])

    def test_reports_a_database_without_its_tables(self, empty_engine: Engine) -> None:
        cache = SqlFactCache(empty_engine)
        with pytest.raises(StorageUnavailable):
            cache.get("did", "name")
        with pytest.raises(StorageUnavailable):
            cache.put("did", "name", b"", as_of=100)


class TestRecentFacts(FactCacheBehaviour):
    """The cache in a wallet's memory."""

    @pytest.fixture
    def clock(self) -> SettableClock:
        return SettableClock(0)

    @pytest.fixture
    def cache(self, clock: SettableClock) -> RecentFacts:
        return RecentFacts(clock, max_per_kind=MAX_PER_KIND)

    def test_forgets_after_a_minute(self, cache: RecentFacts, clock: SettableClock) -> None:
        cache.put("did", "name", b"document", as_of=100)
        clock.set(100 + KEEP_FACTS_S - 1)
        assert cache.get("did", "name") == Fact(b"document", 100)
        clock.set(100 + KEEP_FACTS_S)
        assert cache.get("did", "name") is None
