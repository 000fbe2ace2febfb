"""A city's agency over real HTTP on loopback, and a wallet that speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests.support.city import City
from tests.support.holder_stores import open_store
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport, RecentFacts
from wallet.adapters.http.sources import HttpDidResolver
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.holder.wallet import Wallet


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def over_http(build: Callable[[str], City]) -> Iterator[tuple[City, Callable[[], Wallet]]]:
    """Serve the first agency of the city that `build` makes for a base URL.

    Gives the city, and a function that opens the city's (closed) wallet on the real network.
    """
    cities: list[City] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        return cities[0].verifiers[base].app(environ, start_response)

    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        base = f"http://localhost:{server.server_port}"
        city = build(base)
        cities.append(city)
        client = GuardedClient(allow_loopback_http=True)

        def open_real() -> Wallet:
            store = open_store(city.folder / "wallet.wallet")
            return Wallet(
                records=store,
                keys=SoftwareKeyStore(store),
                transport=HttpHolderTransport(client),
                dids=HttpDidResolver(
                    client,
                    RecentFacts(city.clock),
                    city.clock,
                    refresh_after_s=60,
                    development=True,
                ),
                clock=city.clock,
                development=True,
                catalogue_publishers=frozenset(
                    ("did:web:" + quote(f"localhost:{server.server_port}", safe=""),)
                ),
                close=store.close,
            )

        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield city, open_real
        finally:
            server.shutdown()
            thread.join()
            client.close()
