"""A wallet's way to the network, on which it leaves no copies behind."""

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
from wallet.encoding.json import to_json
from wallet.ports.holder import HttpAnswer, PeerUnreachable, RedirectRefused, UrlRefused
from wallet.verification.evidence import Fact

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

    def post_form(self, url: str, form: bytes, *, accept: str = "application/json") -> HttpAnswer:
        """See `HolderTransport.post_form`."""
        return self._send("POST", url, {"Content-Type": _FORM, "Accept": accept}, form)

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        """See `HolderTransport.post_json`."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
        return self._send("POST", url, headers, to_json(dict(value)))

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        """See `HolderTransport.post_body`."""
        return self._send("POST", url, {**headers, "Content-Type": content_type}, body)

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
        return HttpAnswer(answer.status, answer.media_type, answer.body, answer.headers)


class NoFactCache:
    """`ports.cache.FactCache` that keeps nothing: a wallet is online when it needs a fact.

    So no file tells which issuers and verifiers its holder dealt with.
    """

    def get(self, kind: str, name: str) -> Fact[bytes] | None:
        """See `FactCache.get`."""
        return None

    def put(self, kind: str, name: str, value: bytes, *, as_of: int) -> None:
        """See `FactCache.put`."""
