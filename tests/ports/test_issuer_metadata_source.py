"""`IssuerMetadataSource` and `TypeMetadataSource`: over http on loopback, with copies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.clock import SettableClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.manifests import HttpManifestSource
from wallet.adapters.http.metadata import HttpIssuerMetadataSource, HttpTypeMetadataSource
from wallet.adapters.http.sources import HttpStatusListSource
from wallet.credentials.issuer_metadata import IssuerMetadataMalformed, build_issuer_metadata
from wallet.crypto.keys import Es256SigningKey
from wallet.did.syntax import DidMalformed
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.ports.facts import (
    BatchManifestUnavailable,
    IssuerMetadataUnavailable,
    StatusListUnavailable,
    TypeMetadataUnavailable,
)
from wallet.verification.evidence import Fact
from wallet.verification.manifest import MANIFEST_TYPE, MAX_MANIFEST_BYTES

pytestmark = pytest.mark.loopback
NOW = 1_800_000_000
MANIFEST_MEDIA_TYPE = f"application/{MANIFEST_TYPE}"
KEY = Es256SigningKey.generate().public_key


class Copies:
    """`ports.cache.FactCache` in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Fact[bytes]] = {}

    def get(self, kind: str, name: str) -> Fact[bytes] | None:
        return self._kept.get((kind, name))

    def put(self, kind: str, name: str, value: bytes, *, as_of: int) -> None:
        self._kept[kind, name] = Fact(value, as_of)


class Host:
    """A web server on loopback with documents by path; others are 404."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[str, bytes]] = {}
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = host.documents.get(self.path, ("", b""))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.base = f"http://localhost:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def host() -> Iterator[Host]:
    running = Host()
    yield running
    running.close()


@pytest.fixture
def client() -> Iterator[GuardedClient]:
    guarded = GuardedClient(allow_loopback_http=True, deadline_s=2.0)
    yield guarded
    guarded.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


def test_finds_the_keys_before_the_path_and_survives_an_outage(
    host: Host, client: GuardedClient, clock: SettableClock
) -> None:
    issuer = f"{host.base}/tenant"
    path = "/.well-known/jwt-vc-issuer/tenant"
    body = to_json(build_issuer_metadata(issuer, {"a": KEY}))
    host.documents[path] = ("application/json", body)
    source = HttpIssuerMetadataSource(client, Copies(), clock, development=True)
    found = source.resolve(issuer)
    assert (found.as_of, found.value.key_for("a").jwk) == (NOW, KEY.jwk)
    host.documents.clear()
    clock.set(NOW + 600)
    assert source.resolve(issuer).as_of == NOW
    with pytest.raises(IssuerMetadataUnavailable):
        source.resolve(f"{host.base}/other")


def test_finds_the_keys_elsewhere(host: Host, client: GuardedClient, clock: SettableClock) -> None:
    metadata = {"issuer": host.base, "jwks_uri": f"{host.base}/keys"}
    host.documents["/.well-known/jwt-vc-issuer"] = ("application/json", to_json(metadata))
    source = HttpIssuerMetadataSource(client, Copies(), clock, development=True)
    with pytest.raises(IssuerMetadataUnavailable):
        source.resolve(host.base)
    host.documents["/keys"] = ("application/json", to_json({"keys": [{"kid": "a", **KEY.jwk}]}))
    assert source.resolve(host.base).value.key_for("a").jwk == KEY.jwk


def test_metadata_of_another_issuer_is_not_this_ones(
    host: Host, client: GuardedClient, clock: SettableClock
) -> None:
    body = to_json(build_issuer_metadata("https://other.example", {"a": KEY}))
    host.documents["/.well-known/jwt-vc-issuer"] = ("application/json", body)
    source = HttpIssuerMetadataSource(client, Copies(), clock, development=True)
    with pytest.raises(IssuerMetadataUnavailable):
        source.resolve(host.base)
    with pytest.raises(IssuerMetadataMalformed):
        HttpIssuerMetadataSource(client, Copies(), clock).resolve(host.base)


def test_fetches_type_metadata_as_it_was_served(
    host: Host, client: GuardedClient, clock: SettableClock
) -> None:
    body = b'{ "vct": "x" }'
    host.documents["/type"] = ("application/json", body)
    source = HttpTypeMetadataSource(client, Copies(), clock)
    assert source.fetch(f"{host.base}/type") == Fact(body, NOW)
    with pytest.raises(TypeMetadataUnavailable):
        source.fetch(f"{host.base}/none")
    host.documents["/list"] = ("application/json", b"[]")
    with pytest.raises(TypeMetadataUnavailable):
        source.fetch(f"{host.base}/list")


@pytest.mark.parametrize("kind", ["application/statuslist+jwt", "application/statuslist+cwt"])
def test_takes_status_lists_in_both_forms_and_no_other(
    host: Host, client: GuardedClient, clock: SettableClock, kind: str
) -> None:
    host.documents["/list"] = (kind, b"token")
    host.documents["/page"] = ("text/html", b"token")
    source = HttpStatusListSource(client, Copies(), clock)
    assert source.fetch(f"{host.base}/list").value == b"token"
    with pytest.raises(StatusListUnavailable):
        source.fetch(f"{host.base}/page")


def test_a_manifest_is_fetched_once_beside_the_did_document(
    host: Host, client: GuardedClient, clock: SettableClock
) -> None:
    issuer = "did:web:" + host.base.removeprefix("http://").replace(":", "%3A")
    root = bytes(range(32))
    source = HttpManifestSource(client, Copies(), clock, development=True)
    with pytest.raises(BatchManifestUnavailable):
        source.fetch(issuer, root)
    path = f"/batches/{base64url.encode(root)}"
    for wrong in (("text/plain", b"a.b.c"), (MANIFEST_MEDIA_TYPE, bytes(MAX_MANIFEST_BYTES + 1))):
        host.documents[path] = wrong
        with pytest.raises(BatchManifestUnavailable):
            source.fetch(issuer, root)
    host.documents[path] = (MANIFEST_MEDIA_TYPE, b"a.b.c")
    host.documents["/tenant" + path] = (MANIFEST_MEDIA_TYPE, b"d.e.f")
    assert source.fetch(issuer, root) == Fact(b"a.b.c", NOW)
    assert source.fetch(issuer + ":tenant", root) == Fact(b"d.e.f", NOW)
    host.documents.clear()
    clock.set(NOW + 99_999)
    assert source.fetch(issuer, root) == Fact(b"a.b.c", NOW)
    with pytest.raises(DidMalformed):
        source.fetch("did:key:z6Mk", root)
