"""How many issuances an issuer process completes for each bare request that it could answer.

One issuer process over SQLite, with durable commits, behind the same HTTP server as the floor: a
Flask application that answers a POST and does nothing else. Four wallets at once, from the offer
to the stored credential; their own work (keys, DPoP, encryption, verification, encrypted stores)
is in the figure. The floor is asked by four threads too.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import urllib3
from flask import Flask

from benchmarks.conftest import Paired
from seoul_wallet.server import ThreadedServer, free_port
from tests.support.holder_stores import create_store
from tests.support.issuing import FAMILY, HOLDER, issuer_world
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport, RecentFacts
from wallet.adapters.http.sources import HttpDidResolver
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.holder.wallet import Wallet

pytestmark = pytest.mark.loopback
ROUNDS = 30
_BARE_REQUESTS = 20
_WALLETS = 4


def _bare() -> Flask:
    app = Flask("bare")

    @app.post("/")
    def nothing() -> str:
        return ""

    return app


def _serve(folder: Path, pipe: Connection) -> None:
    """The issuer's process: both servers, and offers and its processor time on demand."""
    ports = free_port(), free_port()
    world = issuer_world(
        folder,
        base_url=f"http://localhost:{ports[0]}",
        config_changes={"development": True},
        status_list_size=131_072,
        now=SystemClock().now(),
    )
    servers = [
        ThreadedServer(world.application.flask_app, ports[0]),
        ThreadedServer(_bare(), ports[1]),
    ]
    pipe.send(ports)
    while asked := pipe.recv():
        if asked == "processor time":
            pipe.send(time.process_time())
            continue
        made = world.operate(
            "/offers", {"family_id": FAMILY, "holder_id": HOLDER, "tx_code": False}
        )
        pipe.send(made.get_json()["link"])
    for server in servers:
        server.stop()
    world.close()


@dataclass
class Rig:
    """The issuer in its process, the bare server beside it, and a wallet here."""

    pipe: Connection
    bare: str
    wallets: list[Wallet]
    http: urllib3.PoolManager
    pool: ThreadPoolExecutor

    def offers(self) -> list[str]:
        links = []
        for _ in self.wallets:
            self.pipe.send("offer")
            links.append(self.pipe.recv())
        return links

    def processor_time(self) -> float:
        """Return the processor time of both processes together, in seconds."""
        self.pipe.send("processor time")
        theirs: float = self.pipe.recv()
        return theirs + time.process_time()

    def receive(self, links: list[str]) -> None:
        taken = self.pool.map(
            lambda pair: pair[0].receive(pair[1]), zip(self.wallets, links, strict=True)
        )
        assert [len(cards) for cards in taken] == [1] * _WALLETS

    def ask_bare(self) -> None:
        statuses = self.pool.map(self._ask_once, range(_BARE_REQUESTS))
        assert set(statuses) == {200}

    def _ask_once(self, _: int) -> int:
        return self.http.request("POST", self.bare, body=b"{}").status


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[SqliteRecordStore]]:
    opened = [create_store(tmp_path / f"wallet-{number}.db") for number in range(_WALLETS)]
    yield opened
    for store in opened:
        store.close()


@pytest.fixture
def rig(tmp_path: Path, stores: list[SqliteRecordStore]) -> Iterator[Rig]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(tmp_path, there))
    process.start()
    ports = here.recv()
    client = GuardedClient(allow_loopback_http=True)
    clock = SystemClock()
    wallets = [
        Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=HttpHolderTransport(client),
            dids=HttpDidResolver(client, RecentFacts(clock), clock, development=True),
            clock=clock,
            max_copies=1,
            development=True,
        )
        for store in stores
    ]
    http = urllib3.PoolManager(maxsize=_WALLETS)
    with ThreadPoolExecutor(_WALLETS) as pool:
        yield Rig(here, f"http://localhost:{ports[1]}/", wallets, http, pool)
    here.send("")
    process.join(30)
    client.close()
    http.clear()


@pytest.mark.parametrize("how", ["processor time", "by the clock"])
def test_a_full_issuance_in_bare_requests(rig: Rig, paired: Paired, how: str) -> None:
    paired(
        row=f"{_WALLETS} full issuances / {_BARE_REQUESTS} bare Flask POSTs, {how}",
        fresh=rig.offers,
        floor=lambda _: rig.ask_bare(),
        subject=rig.receive,
        rounds=ROUNDS,
        warmup=3,
        clock=time.perf_counter if how == "by the clock" else rig.processor_time,
    )
