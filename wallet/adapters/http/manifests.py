"""Batch manifests over HTTP, from the host of a did:web issuer."""

from __future__ import annotations

from typing import Final

from wallet.adapters.http.fetch import FetchFailed, GuardedClient
from wallet.did.did_web import did_web_document_url
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.ports.cache import FactCache
from wallet.ports.clock import Clock
from wallet.ports.facts import BatchManifestUnavailable
from wallet.verification.evidence import Fact
from wallet.verification.manifest import MANIFEST_TYPE, MAX_MANIFEST_BYTES

_MEDIA_TYPE: Final = f"application/{MANIFEST_TYPE}"
_DOCUMENT_TAILS: Final = ("/.well-known/did.json", "/did.json")


class HttpManifestSource:
    """`ports.facts.ManifestSource` over https: `{base}/batches/{root}` beside the DID document.

    A manifest never changes, so a copy is as good as the original.
    """

    def __init__(
        self, client: GuardedClient, cache: FactCache, clock: Clock, *, development: bool = False
    ) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock
        self._development = development

    def fetch(self, issuer: str, root: bytes) -> Fact[bytes]:
        url = self._url(issuer, root)
        kept = self._cache.get("manifest", url)
        if kept is not None:
            return kept
        try:
            response = self._client.get(url, headers={"Accept": _MEDIA_TYPE})
            if response.status != 200 or response.media_type != _MEDIA_TYPE:
                raise FetchFailed("the host answers without a manifest")
            if len(response.body) > MAX_MANIFEST_BYTES:
                raise FetchFailed(f"a manifest has at most {MAX_MANIFEST_BYTES} bytes")
        except SeoulWalletError as error:
            raise BatchManifestUnavailable("the batch manifest could not be fetched") from error
        now = self._clock.now()
        self._cache.put("manifest", url, response.body, as_of=now)
        return Fact(response.body, now)

    def _url(self, issuer: str, root: bytes) -> str:
        url = did_web_document_url(parse_did(issuer), development=self._development)
        for tail in _DOCUMENT_TAILS:
            if url.endswith(tail):
                url = url.removesuffix(tail)
                break
        return f"{url}/batches/{base64url.encode(root)}"
