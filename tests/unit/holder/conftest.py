from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.holder_peers import FixedClock, Issuer, Peers, Verifier
from tests.support.holder_stores import create_store
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.holder.wallet import Wallet


@pytest.fixture
def peers() -> Peers:
    return Peers()


@pytest.fixture
def issuer(peers: Peers) -> Issuer:
    return Issuer(peers)


@pytest.fixture
def verifier(peers: Peers, issuer: Issuer) -> Verifier:
    return Verifier(peers, issuer)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRecordStore]:
    with create_store(tmp_path / "wallet.db") as opened:
        yield opened


@pytest.fixture
def wallet(store: SqliteRecordStore, peers: Peers, clock: FixedClock) -> Wallet:
    return Wallet(
        records=store, keys=SoftwareKeyStore(store), transport=peers, dids=peers, clock=clock
    )
