"""`holder_peers` over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests.support.holder_peers import Peers


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def serve(peers: Peers) -> Iterator[str]:
    """Answer the routes of `peers` on a free port, and give the base URL."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        url = base + environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        bearer = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        peers.sent.append((environ["REQUEST_METHOD"], url, body))
        handler = peers.routes.get(url)
        if handler is None:
            start_response("404 Not Found", [("Content-Type", "application/json")])
            return [b"{}"]
        answer = handler(environ["REQUEST_METHOD"], body, bearer)
        headers = [("Content-Type", answer.content_type)]
        if 300 <= answer.status < 400:
            headers.append(("Location", base + "/elsewhere"))
        start_response(f"{answer.status} Status", headers)
        return [answer.body]

    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        base = f"http://localhost:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield base
        finally:
            server.shutdown()
            thread.join()
