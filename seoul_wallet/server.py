"""A loopback HTTP server in a thread, for demonstrations and local stacks.

Production serves the same WSGI applications with granian.
"""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST: Final = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open; writes no access log, which would hold addresses and URLs."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        return None


class ThreadedServer:
    """Serves one WSGI application on a loopback port until `stop`."""

    def __init__(
        self, app: WSGIApplication, port: int, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server: BaseWSGIServer = make_server(
            HOST, port, app, threaded=True, request_handler=_QuietHandler, ssl_context=tls
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, name=f"http-{port}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; running requests end first."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
