"""A wallet's way to the network, on which it leaves no copies behind."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any, Final

from wallet.adapters.http.fetch import (
    FetchFailed,
    GuardedClient,
    HttpResponse,
    UrlForbidden,
    UrlMalformed,
)
from wallet.encoding.json import to_json
from wallet.ports.clock import Clock
from wallet.ports.holder import HttpAnswer, PeerUnreachable, RedirectRefused, UrlRefused
from wallet.verification.evidence import Fact

KEEP_FACTS_S: Final = 60
MAX_RECENT_FACTS: Final = 64
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


class RecentFacts:
    """`ports.cache.FactCache` in memory, of the last minute: what one errand asks for twice.

    Nothing is in a file, so none tells which issuers and verifiers the holder dealt with, and
    nothing outlives an outage of its source: a wallet is online when it needs a fact.
    """

    def __init__(
        self, clock: Clock, *, keep_s: int = KEEP_FACTS_S, max_per_kind: int = MAX_RECENT_FACTS
    ) -> None:
        self._clock = clock
        self._keep_s = keep_s
        self._max_per_kind = max_per_kind
        self._lock = Lock()
        self._kept: dict[str, dict[str, Fact[bytes]]] = {}

    def get(self, kind: str, name: str) -> Fact[bytes] | None:
        """See `FactCache.get`."""
        with self._lock:
            found = self._kept.get(kind, {}).get(name)
        if found is None or self._clock.now() - found.as_of >= self._keep_s:
            return None
        return found

    def put(self, kind: str, name: str, value: bytes, *, as_of: int) -> None:
        """See `FactCache.put`."""
        with self._lock:
            of_kind = self._kept.setdefault(kind, {})
            if name not in of_kind or of_kind[name].as_of <= as_of:
                of_kind[name] = Fact(value, as_of)
            if len(of_kind) > self._max_per_kind:
                del of_kind[min(of_kind, key=lambda kept: of_kind[kept].as_of)]
