"""The verifier as an OpenID4VP client: its identifiers, and how it signs in each name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from wallet.crypto.keys import SigningKey
from wallet.did.document import build_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import JsonObject
from wallet.errors import UnsupportedError
from wallet.protocols.client_id import (
    ClientId,
    DidClientId,
    HashClientId,
    RedirectUriClientId,
    SanDnsClientId,
)
from wallet.protocols.oid4vp import AuthorizationRequest
from wallet.protocols.oid4vp_request_object import sign_request_object

KEY_FRAGMENT: Final = "key-1"
DID: Final = "decentralized_identifier"
SAN_DNS: Final = "x509_san_dns"
HASH: Final = "x509_hash"
REDIRECT_URI: Final = "redirect_uri"
PREFIXES: Final = (DID, SAN_DNS, HASH, REDIRECT_URI)


@dataclass(frozen=True, slots=True)
class AgencyIdentity:
    """This verifier as it appears in what it signs besides requests: its DID and its key."""

    did: str
    key: SigningKey = field(repr=False)

    @property
    def verification_method(self) -> str:
        """The DID URL of the key."""
        return f"{self.did}#{KEY_FRAGMENT}"


class PrefixNotConfigured(UnsupportedError):
    """This verifier cannot ask under this client identifier prefix."""

    code = "prefix_not_configured"


class Client:
    """The names of one verifier, over one signing key.

    `chain` is its certificate for that key (DER, leaf first, without the trust anchor); without
    one there are no `x509_…` names.
    """

    def __init__(
        self, base_url: str, did: str, key: SigningKey, chain: Sequence[bytes] = ()
    ) -> None:
        self._base_url = base_url
        self._did = did
        self._key = key
        self._chain = tuple(chain)

    @property
    def response_uri(self) -> str:
        """Where wallets post their answers."""
        return f"{self._base_url}/responses"

    @property
    def did_document(self) -> JsonObject:
        """The document of this verifier's did:web."""
        return build_did_document(self._did, {KEY_FRAGMENT: self._key.public_key})

    def id_for(self, prefix: str) -> ClientId:
        """Return the client identifier under a prefix. Raises `PrefixNotConfigured`."""
        if prefix == DID:
            return DidClientId(parse_did(self._did))
        if prefix == REDIRECT_URI:
            return RedirectUriClientId(self.response_uri)
        if prefix in (SAN_DNS, HASH) and self._chain:
            if prefix == SAN_DNS:
                return SanDnsClientId(urlsplit(self._base_url).hostname or "")
            return HashClientId.of_certificate(self._chain[0])
        raise PrefixNotConfigured("this verifier has no client identifier under this prefix")

    def sign(self, request: AuthorizationRequest) -> str:
        """Return the signed request object of a request in any name but `redirect_uri:`."""
        kid = f"{self._did}#{KEY_FRAGMENT}"
        return sign_request_object(request, self._key, kid=kid, chain=self._chain)
