"""Metadata of issuers and of credential types over https, with copies that survive an outage."""

from __future__ import annotations

from typing import Final

from wallet.adapters.http.cached import DEFAULT_REFRESH_AFTER_S, CachedDocuments
from wallet.adapters.http.fetch import FetchFailed, GuardedClient, HttpResponse
from wallet.credentials.issuer_metadata import (
    IssuerKeysElsewhere,
    IssuerMetadata,
    issuer_metadata_url,
    parse_issuer_metadata,
    parse_jwks,
)
from wallet.encoding.json import parse_json_object
from wallet.errors import MalformedError, SeoulWalletError, UnavailableError
from wallet.ports.cache import FactCache
from wallet.ports.clock import Clock
from wallet.ports.facts import IssuerMetadataUnavailable, TypeMetadataUnavailable
from wallet.verification.evidence import Fact

MAX_METADATA_BYTES: Final = 256 * 1024


def _documents(
    client: GuardedClient, cache: FactCache, clock: Clock, kind: str, refresh_after_s: int
) -> CachedDocuments:
    return CachedDocuments(
        client, cache, clock, kind, refresh_after_s, accept="application/json", check=_check
    )


def _check(response: HttpResponse) -> None:
    if response.status != 200 or len(response.body) > MAX_METADATA_BYTES:
        raise FetchFailed("the host answers without a document")
    parse_json_object(response.body)


class HttpIssuerMetadataSource:
    """`ports.facts.IssuerMetadataSource` over https (SD-JWT VC §5)."""

    def __init__(
        self,
        client: GuardedClient,
        cache: FactCache,
        clock: Clock,
        *,
        refresh_after_s: int = DEFAULT_REFRESH_AFTER_S,
        development: bool = False,
    ) -> None:
        self._metadata = _documents(client, cache, clock, "jwt_vc_issuer", refresh_after_s)
        self._keys = _documents(client, cache, clock, "jwks", refresh_after_s)
        self._development = development

    def resolve(self, issuer: str) -> Fact[IssuerMetadata]:
        url = issuer_metadata_url(issuer, development=self._development)
        try:
            document = self._metadata.get(url)
            metadata = parse_issuer_metadata(
                parse_json_object(document.value), issuer, development=self._development
            )
            if isinstance(metadata, IssuerMetadata):
                return Fact(metadata, document.as_of)
            return self._with_keys(metadata, document.as_of)
        except (UnavailableError, MalformedError) as error:
            raise IssuerMetadataUnavailable("the issuer's metadata cannot be had") from error

    def _with_keys(self, metadata: IssuerKeysElsewhere, as_of: int) -> Fact[IssuerMetadata]:
        document = self._keys.get(metadata.jwks_uri)
        keys = parse_jwks(parse_json_object(document.value))
        return Fact(IssuerMetadata(metadata.issuer, keys), min(as_of, document.as_of))


class HttpTypeMetadataSource:
    """`ports.facts.TypeMetadataSource` over https (SD-JWT VC §6.3)."""

    def __init__(
        self,
        client: GuardedClient,
        cache: FactCache,
        clock: Clock,
        *,
        refresh_after_s: int = DEFAULT_REFRESH_AFTER_S,
    ) -> None:
        self._documents = _documents(client, cache, clock, "vct", refresh_after_s)

    def fetch(self, url: str) -> Fact[bytes]:
        try:
            return self._documents.get(url)
        except SeoulWalletError as error:
            raise TypeMetadataUnavailable("the type metadata cannot be had") from error
