"""Hosts on loopback behind a network: either can be gone, the host or the way to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer

Answers = Mapping[str, Callable[[], tuple[str, bytes]]]
_CHUNK_BYTES = 64 * 1024


class _Relay(ThreadingTCPServer):
    """Passes connections on to a host while both are there."""

    daemon_threads = True
    allow_reuse_address = True
    target: tuple[str, int]


class _Forward(BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Relay)
        try:
            with socket.create_connection(self.server.target, timeout=5) as there:
                there.sendall(self.request.recv(_CHUNK_BYTES))
                while data := there.recv(_CHUNK_BYTES):
                    self.request.sendall(data)
        except OSError:
            # The host is gone: whoever asked finds the connection closed.
            return


class Host:
    """One HTTP host: serves what `answers` give by path, through a way of its own.

    `port` is the way's, and what URLs name.
    """

    def __init__(self) -> None:
        self.answers: Answers = {}
        self._relay = _Relay(("127.0.0.1", 0), _Forward)
        self.port = self._relay.server_address[1]
        self._server = self._serve()
        self._relay.target = ("127.0.0.1", self._server.server_address[1])
        self._running: list[ThreadingHTTPServer | _Relay] = []
        for server in (self._server, self._relay):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            self._running.append(server)

    def _serve(self) -> ThreadingHTTPServer:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                media_type, body = host.answers[self.path]()
                self.send_response(200)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                return

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def _end(self, server: ThreadingHTTPServer | _Relay) -> None:
        if server in self._running:
            self._running.remove(server)
            server.shutdown()
            server.server_close()

    def stop(self) -> None:
        """Stop the host; the way to it stays."""
        self._end(self._server)

    def cut_off(self) -> None:
        """Close the way: connections are refused."""
        self._end(self._relay)

    def close(self) -> None:
        """Stop everything."""
        self.cut_off()
        self.stop()
