"""P7: the process opens no socket that a stranger can steer (attacks DID-1 to DID-3)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wallet.adapters.http.fetch import (
    FetchFailed,
    GuardedClient,
    UrlForbidden,
    UrlMalformed,
)
from wallet.adapters.http.sources import HttpDidResolver
from wallet.did.syntax import parse_did
from wallet.errors import SeoulWalletError
from wallet.ports.cache import FactCache
from wallet.verification.evidence import Fact

# pytest-socket puts its own guards in place otherwise, and undoing ours would leave them there.
pytestmark = pytest.mark.loopback

ADDRESSES = [
    "127.0.0.1", "127.1", "127.0.0.53", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.254", "192.168.0.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1",
    "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd12::1]",
    "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[2001:db8::1]", "[ff02::1]",
    "2130706433", "0x7f000001", "0177.0.0.1", "127.0.1", "localhost", "localhost.",
]  # fmt: skip
MALFORMED = [
    "", "example.com", "//example.com", "ftp://example.com/", "file:///etc/passwd",
    "javascript:alert(1)", "data:text/plain,x", "https://", "https:///path",
    "https://user@example.com/", "https://user:secret@example.com/", "https://example.com/#part",
    "https://example.com:99999/", "https://example.com:x/", "https://exa mple.com/",
    "https://example.com/\r\nHost: other", "https://example.com/\x00", "https://[::1/",
    "https://é.example/", "gopher://example.com/",
]  # fmt: skip
DIDS = [
    "did:web:" + host
    for host in (
        "localhost", "localhost%3A8000", "a.localhost", "internal", "metadata", "10.example",
        "169-254-169-254.example",
    )
]  # fmt: skip


class Sockets:
    """Records every connection that is tried, and answers names as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connected: list[object] = []
        self.answers: dict[str, list[str]] = {}
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket.socket, "connect", lambda _, address: self._connect(address))
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)

    def _connect(self, address: object) -> None:
        self.connected.append(address)
        raise OSError("no connection in this test")

    def _resolve(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host in self.answers:
            address = self.answers[host].pop(0)
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [(family, socket.SOCK_STREAM, 6, "", (address, port))]
        if host.endswith("example") or host.endswith("localhost") or "." not in host:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return self.real(host, port, *args, **kwargs)


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    return Sockets(monkeypatch)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_that_is_not_public_is_visited(sockets: Sockets, address: str) -> None:
    with pytest.raises((UrlForbidden, UrlMalformed, FetchFailed)):
        GuardedClient().get(f"https://{address}/")
    assert sockets.connected == []


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a != "localhost"])
def test_the_development_switch_opens_localhost_by_name_and_nothing_else(
    sockets: Sockets, address: str
) -> None:
    with pytest.raises((UrlForbidden, UrlMalformed, FetchFailed)):
        GuardedClient(allow_loopback_http=True).get(f"http://{address}/")
    assert sockets.connected == []


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_not_a_plain_web_address_is_refused(sockets: Sockets, url: str) -> None:
    with pytest.raises(UrlMalformed):
        GuardedClient().get(url)
    assert sockets.connected == []


def test_plain_http_is_refused_outside_development(sockets: Sockets) -> None:
    with pytest.raises(UrlForbidden):
        GuardedClient().get("http://public.example/")
    assert sockets.connected == []


def test_the_connection_goes_to_the_address_that_was_checked(sockets: Sockets) -> None:
    sockets.answers["rebinding.test"] = ["93.184.215.14", "127.0.0.1", "127.0.0.1"]
    with pytest.raises(FetchFailed):
        GuardedClient().get("https://rebinding.test/")
    assert sockets.connected == [("93.184.215.14", 443)]


@pytest.mark.parametrize("did", DIDS)
def test_no_did_leads_to_an_address_that_is_not_public(sockets: Sockets, did: str) -> None:
    class NoCache:
        def get(self, kind: str, name: str) -> Fact[bytes] | None:
            return None

        def put(self, kind: str, name: str, value: bytes, *, as_of: int) -> None:
            raise AssertionError("nothing was fetched")

    class Clock:
        def now(self) -> int:
            return 0

    cache: FactCache = NoCache()
    with pytest.raises(SeoulWalletError):
        HttpDidResolver(GuardedClient(), cache, Clock()).resolve(parse_did(did))
    assert sockets.connected == []


class _Hostile(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/fine")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(60):
                try:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.05)
        elif self.path == "/huge":
            self.send_response(200)
            self.send_header("Content-Length", str(3_000_000))
            self.end_headers()
            try:
                self.wfile.write(bytes(3_000_000))
            except OSError:
                return
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"fine")

    def log_message(self, *args: object) -> None:
        return None


@pytest.fixture
def hostile() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_limits_hold_against_a_hostile_server(hostile: str) -> None:
    client = GuardedClient(allow_loopback_http=True, deadline_s=0.5, max_response_bytes=1_000_000)
    assert client.get(f"{hostile}/fine").body == b"fine"
    assert client.get(f"{hostile}/fine").media_type == "text/plain"
    assert client.get(f"{hostile}/redirect").status == 302
    started = time.monotonic()
    with pytest.raises(FetchFailed):
        client.get(f"{hostile}/drip")
    assert time.monotonic() - started < 2
    with pytest.raises(FetchFailed):
        client.get(f"{hostile}/huge")
    client.close()
