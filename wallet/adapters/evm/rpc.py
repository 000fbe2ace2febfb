"""JSON-RPC over HTTP to a node that is not trusted: bounded time, bounded size, typed failures."""

from __future__ import annotations

import http.client
import ipaddress
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError
from wallet.ports.facts import ChainUnavailable

REQUEST_TIMEOUT_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
_READ_BYTES: Final = 64 * 1024
_HTTP_OK: Final = 200

# Takes the body of a request and returns the body of the answer, or raises `ChainUnavailable`.
Transport = Callable[[bytes], bytes]


class NodeUrlMalformed(MalformedError):
    """The address of a node is not https://host[:port][/path], or http on this machine."""

    code = "node_url_malformed"


class NodeAnswerInvalid(ChainUnavailable):
    """A node answered something that is not an answer to what it was asked."""

    code = "node_answer_invalid"


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_node_url(url: str) -> SplitResult:
    """Return the parts of a node's address: https, or http on this machine.

    Raises `NodeUrlMalformed`; the address itself, which may hold a key, is not repeated.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (reading it is what refuses one that is no number)
    except ValueError:
        raise NodeUrlMalformed("a node's address is a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise NodeUrlMalformed("a node's address is https://host[:port][/path]")
    if parts.scheme == "http" and not is_loopback(url):
        raise NodeUrlMalformed("http is for a node on this machine: elsewhere it is https")
    return parts


class HttpTransport:
    """POSTs to one address over one connection; requests of several threads take turns.

    A request ends after `timeout_s` however slowly the node answers (the look-up of its name is
    the operating system's), and an answer longer than `max_bytes` is not read.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = REQUEST_TIMEOUT_S,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        """Remember the address; nothing is asked yet. Raises `NodeUrlMalformed`."""
        parts = parse_node_url(url)
        port = parts.port
        self.host = parts.hostname or ""
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(
                self.host, port, timeout=timeout_s, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(self.host, port, timeout=timeout_s)

    def __call__(self, body: bytes) -> bytes:
        """Return the body of the answer. Raises `ChainUnavailable`."""
        with self._lock:
            while True:
                is_reused = self._connection.sock is not None
                try:
                    return self._exchange(body)
                except ChainUnavailable:
                    self._connection.close()
                    raise
                except (OSError, http.client.HTTPException, ValueError) as error:
                    self._connection.close()
                    # A node may close an idle connection at any time; every request only asks.
                    if not is_reused or not isinstance(error, ConnectionError):
                        raise ChainUnavailable(f"the node {self.host} gave no answer") from error

    def _exchange(self, body: bytes) -> bytes:
        connection = self._connection
        # The time-out of a socket starts again with every byte; this one does not.
        is_late = threading.Event()
        watchdog = threading.Timer(self._timeout_s, _cut, (connection, is_late))
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.request(
                "POST", self._path, body=body, headers={"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            if response.status != _HTTP_OK:
                raise ChainUnavailable(f"the node {self.host} answered HTTP {response.status}")
            chunks, size = [], 0
            while chunk := response.read(_READ_BYTES):
                size += len(chunk)
                if size > self._max_bytes:
                    raise NodeAnswerInvalid(
                        f"the node {self.host} answered more than {self._max_bytes} bytes"
                    )
                chunks.append(chunk)
        finally:
            watchdog.cancel()
        if is_late.is_set():
            raise ChainUnavailable(f"the node {self.host} took longer than {self._timeout_s} s")
        if response.length:
            raise ChainUnavailable(f"the node {self.host} broke off")
        return b"".join(chunks)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def _cut(connection: http.client.HTTPConnection, is_late: threading.Event) -> None:
    is_late.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class JsonRpc:
    """JSON-RPC 2.0 calls over a transport."""

    def __init__(self, transport: Transport, *, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._transport = transport
        self._max_bytes = max_bytes
        self._numbers = itertools.count(1)

    def call(self, method: str, parameters: Sequence[object]) -> Any:
        """Return the result. Raises `ChainUnavailable`, `NodeAnswerInvalid`."""
        number = next(self._numbers)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(parameters)}
        body = self._transport(to_json(request))
        try:
            answer = parse_json_object(body.strip(), max_bytes=self._max_bytes)
        except MalformedError as error:
            raise NodeAnswerInvalid(f"the answer to {method} is not JSON") from error
        if answer.get("id") != number or type(answer.get("id")) is not int:
            raise NodeAnswerInvalid(f"the answer to {method} is to another question")
        if answer.get("error") is not None:
            # What the node writes there is not repeated.
            raise ChainUnavailable(f"the node refused {method}")
        if "result" not in answer:
            raise NodeAnswerInvalid(f"the answer to {method} has no result")
        return answer["result"]
