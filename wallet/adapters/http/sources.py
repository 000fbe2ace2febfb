"""DID documents, status lists and credentials over HTTP."""

from __future__ import annotations

from typing import Final

from wallet.adapters.http.cached import DEFAULT_REFRESH_AFTER_S, CachedDocuments
from wallet.adapters.http.fetch import FetchFailed, GuardedClient, HttpResponse
from wallet.did.did_web import did_web_document_url
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.resolve import resolve_self_contained, self_contained_document
from wallet.did.syntax import Did
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import SeoulWalletError
from wallet.ports.cache import FactCache
from wallet.ports.clock import Clock
from wallet.ports.facts import DidUnresolvable, StatusListUnavailable
from wallet.verification.evidence import Fact

MAX_DID_DOCUMENT_BYTES: Final = 64 * 1024
CREDENTIAL_MEDIA_TYPES: Final = ("application/vc", "application/ld+json", "application/json")
CREDENTIAL_ACCEPT: Final = "application/vc, application/ld+json;q=0.9, application/json;q=0.8"
STATUS_LIST_MEDIA_TYPE: Final = "application/statuslist+jwt"
STATUS_LIST_CWT_MEDIA_TYPE: Final = "application/statuslist+cwt"
# A URI leads to lists of one kind, or the host chooses; what came is told by its media type.
_ACCEPT_STATUS_LIST: Final = (
    f"{STATUS_LIST_MEDIA_TYPE}, {STATUS_LIST_CWT_MEDIA_TYPE};q=0.5, application/vc;q=0.4"
)


class HttpDidResolver:
    """`ports.facts.DidResolver`: did:key and did:jwk by themselves, did:web over https."""

    def __init__(
        self,
        client: GuardedClient,
        cache: FactCache,
        clock: Clock,
        *,
        refresh_after_s: int = DEFAULT_REFRESH_AFTER_S,
        development: bool = False,
    ) -> None:
        self._documents = CachedDocuments(
            client,
            cache,
            clock,
            "did",
            refresh_after_s,
            accept="application/json",
            check=_require_did_document,
        )
        self._clock = clock
        self._development = development

    def resolve(self, did: Did) -> Fact[DidDocument]:
        if did.method != "web":
            return Fact(resolve_self_contained(did), self._clock.now())
        url = did_web_document_url(did, development=self._development)

        def parse(body: bytes) -> DidDocument:
            return parse_did_document(parse_json_object(body), did)

        try:
            found = self._documents.get(url, name=str(did), check=parse)
        except SeoulWalletError as error:
            raise DidUnresolvable("the DID document could not be fetched") from error
        return Fact(parse(found.value), found.as_of)

    def resolve_json(self, did: Did) -> JsonObject:
        """Return the document as it was published, of the right DID; no copy is used.

        Raises `DidUnresolvable`, `UnsupportedDidMethod`, `DidMalformed`, `KeyMalformed`.
        """
        if did.method != "web":
            return self_contained_document(did)
        url = did_web_document_url(did, development=self._development)
        try:
            document = parse_json_object(self._documents.fetch(url))
            parse_did_document(document, did)
        except SeoulWalletError as error:
            raise DidUnresolvable("the DID document could not be fetched") from error
        return document


def _require_did_document(response: HttpResponse) -> None:
    if response.status != 200 or len(response.body) > MAX_DID_DOCUMENT_BYTES:
        raise FetchFailed("the host answers without a DID document")


class HttpCredentialSource:
    """`ports.facts.CredentialSource` over https (Bitstring Status List §3.2, VC Data Model §9)."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def fetch_credential(self, uri: str) -> bytes:
        try:
            response = self._client.get(uri, headers={"Accept": CREDENTIAL_ACCEPT})
        except SeoulWalletError as error:
            raise StatusListUnavailable("the status list could not be fetched") from error
        if response.status != 200 or response.media_type not in CREDENTIAL_MEDIA_TYPES:
            raise StatusListUnavailable("the host answers without a status list")
        return response.body


class HttpStatusListSource:
    """`ports.facts.StatusListSource` over https (status list draft §8.1, Bitstring §3.2)."""

    def __init__(
        self,
        client: GuardedClient,
        cache: FactCache,
        clock: Clock,
        *,
        refresh_after_s: int = DEFAULT_REFRESH_AFTER_S,
    ) -> None:
        self._documents = CachedDocuments(
            client,
            cache,
            clock,
            "status_list",
            refresh_after_s,
            accept=_ACCEPT_STATUS_LIST,
            check=_require_status_list,
        )

    def fetch(self, uri: str) -> Fact[bytes]:
        try:
            return self._documents.get(uri)
        except SeoulWalletError as error:
            raise StatusListUnavailable("the status list could not be fetched") from error


def _require_status_list(response: HttpResponse) -> None:
    media_types = (STATUS_LIST_MEDIA_TYPE, STATUS_LIST_CWT_MEDIA_TYPE, *CREDENTIAL_MEDIA_TYPES)
    if response.status != 200 or response.media_type not in media_types:
        raise FetchFailed("the host answers without a status list")
