"""Client identifiers of verifiers and their prefixes (OpenID4VP 1.0 §5.9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from wallet.crypto.hashing import sha256
from wallet.did.did_web import did_web_document_url
from wallet.did.syntax import Did, parse_did
from wallet.encoding import base64url
from wallet.errors import MalformedError, RejectedError, UnsupportedError

MAX_URL_CHARACTERS: Final = 2048
DIGEST_BYTES: Final = 32
DID_PREFIX: Final = "decentralized_identifier:"
REDIRECT_URI_PREFIX: Final = "redirect_uri:"
SAN_DNS_PREFIX: Final = "x509_san_dns:"
HASH_PREFIX: Final = "x509_hash:"
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+\Z")
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z")


class ClientUrlMalformed(MalformedError):
    """Not an absolute https URL without fragment and user information."""

    code = "client_url_malformed"


class ClientIdMalformed(MalformedError):
    """Not a client identifier of OpenID4VP 1.0."""

    code = "client_id_malformed"


class UnsupportedClientIdPrefix(UnsupportedError):
    """A client identifier prefix that is not implemented, or none at all."""

    code = "unsupported_client_id_prefix"


class ClientIdMismatch(RejectedError):
    """The request does not belong to the client identifier that it names."""

    code = "client_id_mismatch"


@dataclass(frozen=True, slots=True)
class DidClientId:
    """`decentralized_identifier:<DID>`: requests are signed by a key of the DID."""

    did: Did

    def __str__(self) -> str:
        return f"{DID_PREFIX}{self.did}"


@dataclass(frozen=True, slots=True)
class RedirectUriClientId:
    """`redirect_uri:<URI>`: requests are unsigned and answers go to that URI only."""

    uri: str

    def __str__(self) -> str:
        return f"{REDIRECT_URI_PREFIX}{self.uri}"


@dataclass(frozen=True, slots=True)
class SanDnsClientId:
    """`x509_san_dns:<name>`: requests are signed by a certificate with that DNS name."""

    name: str

    def __str__(self) -> str:
        return f"{SAN_DNS_PREFIX}{self.name}"


@dataclass(frozen=True, slots=True)
class HashClientId:
    """`x509_hash:<digest>`: requests are signed by the certificate with that SHA-256."""

    digest: bytes

    @classmethod
    def of_certificate(cls, der: bytes) -> HashClientId:
        """Return the identifier of a client with this certificate (DER)."""
        return cls(sha256(der))

    def __str__(self) -> str:
        return f"{HASH_PREFIX}{base64url.encode(self.digest)}"


CertificateClientId = SanDnsClientId | HashClientId
SignedClientId = DidClientId | SanDnsClientId | HashClientId
ClientId = SignedClientId | RedirectUriClientId


def parse_client_id(text: object, *, development: bool = False) -> ClientId:
    """Return the client identifier that `text` spells, prefix included.

    The prefix is compared letter by letter; identifiers without one (pre-registered clients, the
    bare DIDs of old drafts) are unsupported rather than guessed, and `origin:` never names a
    client. Raises `UnsupportedClientIdPrefix`, `ClientIdMalformed`, `DidMalformed`,
    `ClientUrlMalformed`, `Base64urlMalformed`.
    """
    if type(text) is not str or not text or len(text) > MAX_URL_CHARACTERS:
        raise ClientIdMalformed("client_id is a string of limited length")
    if text.startswith(DID_PREFIX):
        return DidClientId(parse_did(text.removeprefix(DID_PREFIX)))
    if text.startswith(REDIRECT_URI_PREFIX):
        uri = text.removeprefix(REDIRECT_URI_PREFIX)
        check_url(uri, development=development)
        return RedirectUriClientId(uri)
    if text.startswith(SAN_DNS_PREFIX):
        name = text.removeprefix(SAN_DNS_PREFIX)
        if not _DNS_NAME.match(name):
            raise ClientIdMalformed("x509_san_dns: is followed by a DNS name in lower case")
        return SanDnsClientId(name)
    if text.startswith(HASH_PREFIX):
        digest = base64url.decode(text.removeprefix(HASH_PREFIX))
        if len(digest) != DIGEST_BYTES:
            raise ClientIdMalformed("x509_hash: is followed by a SHA-256 in base64url")
        return HashClientId(digest)
    known = ", ".join((DID_PREFIX, SAN_DNS_PREFIX, HASH_PREFIX, REDIRECT_URI_PREFIX))
    raise UnsupportedClientIdPrefix(f"expected one of {known}")


def check_url(url: object, *, development: bool = False) -> str:
    """Return `url` if it is absolute https without fragment and user information.

    With `development` the host `localhost` may be http. Raises `ClientUrlMalformed`.
    Does not look at where the host is: the fetching port guards that.
    """
    if type(url) is not str or len(url) > MAX_URL_CHARACTERS or not _PRINTABLE.match(url):
        raise ClientUrlMalformed("a URL is printable ASCII of limited length")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ClientUrlMalformed("not a URL") from None
    plain = development and parts.scheme == "http" and host == "localhost"
    if parts.scheme != "https" and not plain:
        raise ClientUrlMalformed("expected https")
    if not host or "@" in parts.netloc or "\\" in url or "#" in url:
        raise ClientUrlMalformed(
            "a URL has a host, and no user information, backslash or fragment"
        )
    return url


def check_url_is_of_client(client_id: ClientId, url: str, *, development: bool = False) -> None:
    """Return if `url` belongs to the client. Raises `ClientIdMismatch`, `DidMalformed`.

    `redirect_uri:` allows exactly its URI. `x509_san_dns:` allows its name on any port, a did:web
    its own host and port only: stricter than the specification, so that the name a holder is shown
    is where the answer goes. Other clients name no host; their signature vouches for the URL.
    """
    if isinstance(client_id, RedirectUriClientId):
        if url != client_id.uri:
            raise ClientIdMismatch("the response goes to another URI than the client identifier")
        return
    there = urlsplit(url)
    if isinstance(client_id, SanDnsClientId):
        if there.hostname != client_id.name:
            raise ClientIdMismatch("the URL is on another host than the client's name")
        return
    if isinstance(client_id, HashClientId) or client_id.did.method != "web":
        return
    home = urlsplit(did_web_document_url(client_id.did, development=development))
    if (there.scheme, there.netloc.lower()) != (home.scheme, home.netloc):
        raise ClientIdMismatch("the URL is on another host than the client's did:web")
