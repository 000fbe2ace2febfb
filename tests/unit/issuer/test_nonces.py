"""Nonces that are given out without a trace and used once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.nonces import MAX_CLOCK_SKEW_S, Nonces
from issuer.sessions import NonceInvalid
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.encoding import base64url

SECRET = b"s" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlSessionStore]:
    engine = open_engine(sqlite_url(tmp_path / "sessions.db"))
    migrate(engine, "sessions")
    yield SqlSessionStore(engine)
    engine.dispose()


def test_a_nonce_is_good_once(store: SqlSessionStore) -> None:
    nonces = Nonces(store, SECRET)
    nonce = nonces.new(expires_at=100)
    nonces.use(nonce, now=99)
    with pytest.raises(NonceInvalid):
        nonces.use(nonce, now=99)


def test_another_process_with_the_secret_takes_it_and_uses_it_up(store: SqlSessionStore) -> None:
    nonce = Nonces(store, SECRET).new(expires_at=100)
    Nonces(store, SECRET).use(nonce, now=1)
    with pytest.raises(NonceInvalid):
        Nonces(store, SECRET).use(nonce, now=1)


def test_a_nonce_of_another_secret_is_refused(store: SqlSessionStore) -> None:
    nonce = Nonces(store, b"t" * 32).new(expires_at=100)
    with pytest.raises(NonceInvalid):
        Nonces(store, SECRET).use(nonce, now=1)


def test_an_expired_nonce_is_refused(store: SqlSessionStore) -> None:
    nonces = Nonces(store, SECRET)
    nonce = nonces.new(expires_at=100)
    with pytest.raises(NonceInvalid):
        nonces.use(nonce, now=100)


def test_a_used_nonce_is_remembered_beyond_its_end(store: SqlSessionStore) -> None:
    nonces = Nonces(store, SECRET)
    nonce = nonces.new(expires_at=100)
    nonces.use(nonce, now=99)
    assert store.purge(now=100 + MAX_CLOCK_SKEW_S - 1) == 0
    with pytest.raises(NonceInvalid):
        nonces.use(nonce, now=99)
    assert store.purge(now=100 + MAX_CLOCK_SKEW_S) == 1


def test_giving_out_nonces_writes_nothing(store: SqlSessionStore) -> None:
    nonces = Nonces(store, SECRET)
    assert len({nonces.new(expires_at=100) for _ in range(100)}) == 100
    assert store.purge(now=10**9) == 0


@pytest.mark.parametrize("position", range(40))
def test_a_nonce_with_any_byte_changed_is_refused(store: SqlSessionStore, position: int) -> None:
    nonces = Nonces(store, SECRET)
    raw = bytearray(base64url.decode(nonces.new(expires_at=100)))
    raw[position] ^= 1
    with pytest.raises(NonceInvalid):
        nonces.use(base64url.encode(bytes(raw)), now=1)


@pytest.mark.parametrize("text", ["", "a", "!", "가", "\ud800", "A" * 53, "A" * 55, "A" * 10_000])
def test_what_is_no_nonce_is_refused(store: SqlSessionStore, text: str) -> None:
    with pytest.raises(NonceInvalid):
        Nonces(store, SECRET).use(text, now=1)
