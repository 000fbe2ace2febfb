"""The guarded HTTP client: what a server or wallet may do with a URL that a stranger named.

The host is resolved once, every address is checked, and the connection goes to the checked
address, so a name that answers differently the second time gains nothing. Redirects are never
followed. Bodies and total time are bounded.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.util import Timeout

from wallet.errors import MalformedError, RejectedError, UnavailableError

MAX_RESPONSE_BYTES: Final = 12 * 1024 * 1024
MAX_URL_CHARACTERS: Final = 4096
DEADLINE_S: Final = 5.0
_CHUNK_BYTES: Final = 64 * 1024


class UrlMalformed(MalformedError):
    """Not an absolute http(s) URL without user information and fragment."""

    code = "url_malformed"


class UrlForbidden(RejectedError):
    """The URL leads to an address or scheme that this process does not visit."""

    code = "url_forbidden"


class CaFileUnusable(MalformedError):
    """The file of trust anchors for https is not there, or holds no certificate."""

    code = "ca_file_unusable"


class FetchFailed(UnavailableError):
    """No answer, or not within the deadline or the size limit."""

    code = "fetch_failed"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer: status, lower-case media type without parameters, headers, body."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: str
    host: str
    port: int
    address: str
    path: str


class GuardedClient:
    """Fetches URLs of strangers.

    `allow_loopback_http` is the development switch: it opens http and loopback addresses for the
    host `localhost`, nothing else. `ca_file` names extra trust anchors for https; making one
    raises `CaFileUnusable`.
    """

    def __init__(
        self,
        *,
        allow_loopback_http: bool = False,
        ca_file: str | None = None,
        deadline_s: float = DEADLINE_S,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._development = allow_loopback_http
        self._deadline_s = deadline_s
        self._max_bytes = max_response_bytes
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            try:
                self._tls.load_verify_locations(ca_file)
            except OSError as error:  # what OpenSSL finds wrong is one, too
                raise CaFileUnusable("the file of trust anchors cannot be used") from error
        self._pools: dict[tuple[str, str, int, str], urllib3.HTTPConnectionPool] = {}

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """GET `url`. Raises `UrlMalformed`, `UrlForbidden`, `FetchFailed`."""
        return self.request("GET", url, headers=headers)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpResponse:
        """Send one request; any status is an answer. Raises as `get` does."""
        ends_at = time.monotonic() + self._deadline_s
        target = self._check(url)
        pool = self._pool(target)
        try:
            response = pool.request(
                method,
                target.path,
                body=body,
                headers={"Host": _host_header(target), **(headers or {})},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(total=self._deadline_s),
            )
            try:
                data = self._read(response, ends_at)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ssl.SSLError) as error:
            raise FetchFailed(f"{target.host} gave no answer") from error
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        lower = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status, media_type, lower, data)

    def _read(self, response: urllib3.BaseHTTPResponse, ends_at: float) -> bytes:
        chunks = []
        size = 0
        while chunk := response.read1(_CHUNK_BYTES):
            size += len(chunk)
            if size > self._max_bytes:
                raise FetchFailed(f"the answer is larger than {self._max_bytes} bytes")
            if time.monotonic() > ends_at:
                raise FetchFailed(f"the answer took longer than {self._deadline_s} s")
            chunks.append(chunk)
        return b"".join(chunks)

    def _check(self, url: str) -> _Target:
        if len(url) > MAX_URL_CHARACTERS or any(c <= " " or c >= "\x7f" for c in url):
            raise UrlMalformed("a URL is printable ASCII of limited length")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise UrlMalformed("not a URL") from None
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            raise UrlMalformed("expected http(s)://host/path without user information")
        if parts.fragment:
            raise UrlMalformed("a URL to fetch has no fragment")
        local = self._development and host == "localhost"
        if parts.scheme == "http" and not local:
            raise UrlForbidden("only https is visited")
        port = port or (443 if parts.scheme == "https" else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return _Target(parts.scheme, host, port, _checked_address(host, port, local), path)

    def _pool(self, target: _Target) -> urllib3.HTTPConnectionPool:
        key = (target.scheme, target.host, target.port, target.address)
        pool = self._pools.get(key)
        if pool is None:
            if target.scheme == "https":
                pool = urllib3.HTTPSConnectionPool(
                    target.address,
                    target.port,
                    maxsize=8,
                    ssl_context=self._tls,
                    assert_hostname=target.host,
                    server_hostname=target.host,
                )
            else:
                pool = urllib3.HTTPConnectionPool(target.address, target.port, maxsize=8)
            self._pools[key] = pool
        return pool

    def close(self) -> None:
        """Close idle connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()


def _host_header(target: _Target) -> str:
    default = 443 if target.scheme == "https" else 80
    return target.host if target.port == default else f"{target.host}:{target.port}"


def _checked_address(host: str, port: int, local: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchFailed(f"the host {host} has no address") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None)
        if mapped is not None:
            ip = mapped
        if local and ip.is_loopback:
            continue
        if not ip.is_global or ip.is_multicast:
            raise UrlForbidden("the host has an address that is not public")
    if local:
        # A server on loopback usually listens on IPv4 only.
        return next((a for a in addresses if ":" not in a), addresses[0])
    return addresses[0]
