"""Documents over HTTP with copies that survive an outage.

A copy younger than `refresh_after_s` is used as it is; an older one is renewed, and kept with its
own time when the source does not answer. Whether a copy is too old is for the policy to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wallet.adapters.http.fetch import GuardedClient, HttpResponse
from wallet.errors import SeoulWalletError
from wallet.ports.cache import FactCache
from wallet.ports.clock import Clock
from wallet.verification.evidence import Fact

DEFAULT_REFRESH_AFTER_S: Final = 60


class CachedDocuments:
    """Documents of one kind: fresh enough from the cache, else fetched, else the old copy."""

    def __init__(
        self,
        client: GuardedClient,
        cache: FactCache,
        clock: Clock,
        kind: str,
        refresh_after_s: int,
        *,
        accept: str,
        check: Callable[[HttpResponse], None],
    ) -> None:
        """`check` raises a typed error for an answer that is not to be kept."""
        self._client = client
        self._cache = cache
        self._clock = clock
        self._kind = kind
        self._refresh_after_s = refresh_after_s
        self._accept = accept
        self._check = check

    def get(
        self,
        url: str,
        *,
        name: str | None = None,
        check: Callable[[bytes], object] | None = None,
    ) -> Fact[bytes]:
        """Return the document at `url`, kept under `name` or else its URL.

        `check` is about this one document. Raises what made it unavailable when there is no copy.
        """
        now, key = self._clock.now(), name or url
        kept = self._cache.get(self._kind, key)
        if kept is not None and now - kept.as_of < self._refresh_after_s:
            return kept
        try:
            body = self.fetch(url)
            if check is not None:
                check(body)
        except SeoulWalletError:
            if kept is None:
                raise
            return kept
        self._cache.put(self._kind, key, body, as_of=now)
        return Fact(body, now)

    def fetch(self, url: str) -> bytes:
        """Return the document as it is now; no copy is used or made."""
        response = self._client.get(url, headers={"Accept": self._accept})
        self._check(response)
        return response.body
