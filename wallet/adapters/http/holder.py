"""A wallet's two ways to the network: its transport, and the DIDs of issuers and verifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wallet.adapters.http.fetch import (
    FetchFailed,
    GuardedClient,
    HttpResponse,
    UrlForbidden,
    UrlMalformed,
)
from wallet.did.did_web import did_web_document_url
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.resolve import SELF_CONTAINED_METHODS, resolve_self_contained
from wallet.did.syntax import Did, UnsupportedDidMethod
from wallet.encoding.json import parse_json_object, to_json
from wallet.ports.clock import Clock
from wallet.ports.facts import DidUnresolvable
from wallet.ports.holder import HttpAnswer, PeerUnreachable, RedirectRefused, UrlRefused
from wallet.verification.evidence import Fact

MAX_DID_DOCUMENT_BYTES: Final = 64 * 1024
_FORM: Final = "application/x-www-form-urlencoded"


class HttpHolderTransport:
    """`ports.holder.HolderTransport` over the guarded client."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        """See `HolderTransport.get`."""
        return self._send("GET", url, {"Accept": accept}, None)

    def post(self, url: str) -> HttpAnswer:
        """See `HolderTransport.post`."""
        return self._send("POST", url, {}, None)

    def post_form(self, url: str, form: bytes) -> HttpAnswer:
        """See `HolderTransport.post_form`."""
        return self._send("POST", url, {"Content-Type": _FORM}, form)

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        """See `HolderTransport.post_json`."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
        return self._send("POST", url, headers, to_json(dict(value)))

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpAnswer:
        try:
            answer: HttpResponse = self._client.request(method, url, headers=headers, body=body)
        except (UrlForbidden, UrlMalformed) as error:
            raise UrlRefused(str(error)) from error
        except FetchFailed as error:
            raise PeerUnreachable(str(error)) from error
        if 300 <= answer.status < 400:
            raise RedirectRefused(f"the answer was a redirect ({answer.status})")
        return HttpAnswer(answer.status, answer.media_type, answer.body)


class FreshDidResolver:
    """`ports.facts.DidResolver` that keeps no copies: a wallet is online when it needs a DID."""

    def __init__(self, client: GuardedClient, clock: Clock, *, development: bool) -> None:
        self._client = client
        self._clock = clock
        self._development = development

    def resolve(self, did: Did) -> Fact[DidDocument]:
        """See `DidResolver.resolve`."""
        now = self._clock.now()
        if did.method in SELF_CONTAINED_METHODS:
            return Fact(resolve_self_contained(did), now)
        if did.method != "web":
            raise UnsupportedDidMethod(f"did:{did.method} is not resolved here")
        url = did_web_document_url(did, development=self._development)
        try:
            answer = self._client.get(url, headers={"Accept": "application/json"})
        except (FetchFailed, UrlForbidden, UrlMalformed) as error:
            raise DidUnresolvable(f"the DID document cannot be fetched: {error}") from error
        if answer.status != 200:
            raise DidUnresolvable(f"the DID document was answered with status {answer.status}")
        document = parse_json_object(answer.body, max_bytes=MAX_DID_DOCUMENT_BYTES)
        return Fact(parse_did_document(document, did), now)
