"""OpenID4VP 1.0 requests (§5): what a verifier asks, as parameters, whatever way they travel.

What is implemented: `response_type` vp_token, DCQL, `response_mode` direct_post, direct_post.jwt,
dc_api, dc_api.jwt and our own qr.jwt, transaction data, verifier_info. Everything else is refused
with a typed error, never half understood. How requests are signed is in `oid4vp_request_object`,
the links to them in `oid4vp_link`, the Digital Credentials API in `oid4vp_dc_api`, requests from
screen to camera in `oid4vp_offline`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.jose import CompactJws, claim_time
from wallet.crypto.certificates import VerifiedCertificate
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.client_id import (
    ClientId,
    RedirectUriClientId,
    check_url,
    check_url_is_of_client,
    parse_client_id,
)
from wallet.protocols.dcql import DcqlQuery, parse_dcql
from wallet.protocols.oid4vp_transaction import TransactionData, parse_transaction_data

WALLET_AUDIENCE: Final = "https://self-issued.me/v2"
REQUEST_OBJECT_TYPE: Final = "oauth-authz-req+jwt"
REQUEST_OBJECT_MEDIA_TYPE: Final = "application/" + REQUEST_OBJECT_TYPE
SECRET_BYTES: Final = 32
MAX_PURPOSE_CHARACTERS: Final = 300
MAX_VERIFIER_INFO: Final = 32
MAX_ORIGINS: Final = 16
MAX_ORIGIN_CHARACTERS: Final = 512
CLOCK_SKEW_S: Final = 60
# The form of nonces, states and error codes.
OPAQUE: Final = re.compile(r"[\x21-\x7e]{1,512}\Z")
# Members of drafts before 1.0, or of features that change what an answer means.
_REFUSED: Final = (
    "presentation_definition",
    "presentation_definition_uri",
    "client_id_scheme",
    "scope",
    "redirect_uri",
)


class RequestMalformed(MalformedError):
    """Not an authorization request of OpenID4VP 1.0."""

    code = "vp_request_malformed"


class UnsupportedRequest(UnsupportedError):
    """The request needs a part of OpenID4VP that is not implemented."""

    code = "unsupported_vp_request"


class RequestNotForWallet(RejectedError):
    """The request object is meant for someone else (`aud`), or is outside its time."""

    code = "request_not_for_wallet"


class Way(StrEnum):
    """How a request comes to the wallet, and its answer back."""

    LINK = "link"
    PAGE = "page"
    FRAMES = "frames"


class ResponseMode(StrEnum):
    """How the answer travels (§8.2, §8.3, Appendix A; `qr.jwt` is our own)."""

    DIRECT_POST = "direct_post"
    DIRECT_POST_JWT = "direct_post.jwt"
    DC_API = "dc_api"
    DC_API_JWT = "dc_api.jwt"
    QR_JWT = "qr.jwt"

    @property
    def is_encrypted(self) -> bool:
        """Whether the answer is encrypted for the verifier."""
        return self.value.endswith(".jwt")

    @property
    def way(self) -> Way:
        """The way that a request with this mode takes."""
        if self is ResponseMode.QR_JWT:
            return Way.FRAMES
        is_page = self in (ResponseMode.DC_API, ResponseMode.DC_API_JWT)
        return Way.PAGE if is_page else Way.LINK


def new_secret() -> str:
    """Return 256 random bits in base64url: a nonce, a state, a token."""
    return base64url.encode(secrets.token_bytes(SECRET_BYTES))


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationRequest:
    """What a verifier asks for (§5). `issued_at` and `expires_at` are unix seconds.

    `client_id` is None only for an unsigned request of the Digital Credentials API; `response_uri`
    is None for every request that came through it, or in frames. `verifier_info` is kept as it
    came. `purpose` is a member of our own: why the verifier asks, in words for the holder.
    """

    client_id: ClientId | None
    response_uri: str | None
    nonce: str
    dcql_query: DcqlQuery
    response_mode: ResponseMode = ResponseMode.DIRECT_POST
    state: str | None = None
    client_metadata: JsonObject | None = None
    transaction_data: tuple[TransactionData, ...] = ()
    verifier_info: tuple[JsonObject, ...] = ()
    expected_origins: tuple[str, ...] = ()
    issued_at: int | None = None
    expires_at: int | None = None
    wallet_nonce: str | None = None
    purpose: str | None = None

    def to_claims(self) -> JsonObject:
        """Return the parameters as the claims of a request object, without `aud`."""
        claims: JsonObject = {
            "response_type": "vp_token",
            "response_mode": self.response_mode.value,
            "nonce": self.nonce,
            "dcql_query": self.dcql_query.to_json(),
        }
        optional = {
            "client_id": None if self.client_id is None else str(self.client_id),
            "response_uri": self.response_uri,
            "state": self.state,
            "client_metadata": self.client_metadata,
            "transaction_data": [item.encoded for item in self.transaction_data] or None,
            "verifier_info": list(self.verifier_info) or None,
            "expected_origins": list(self.expected_origins) or None,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "wallet_nonce": self.wallet_nonce,
            "purpose": self.purpose,
        }
        return claims | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedRequest:
    """A request that a wallet may show to its holder.

    `authenticated` tells whether a key of the client signed it; an unsigned request is only known
    to send its answer to where its client identifier (or its origin) says. `audience` is what the
    presentations are bound to, `certificate` the leaf that signed, `origin` the calling page of
    the Digital Credentials API. `request_object` is what was signed, for whoever takes part in
    the answer with another wallet.
    """

    request: AuthorizationRequest
    authenticated: bool
    audience: str
    certificate: VerifiedCertificate | None = None
    origin: str | None = None
    request_object: CompactJws | None = field(default=None, repr=False, compare=False)


def parse_request(
    claims: JsonObject, *, development: bool = False, way: Way = Way.LINK
) -> AuthorizationRequest:
    """Return the request of its parameters (§5.1). Verifies nothing but that they fit together.

    Only the response modes of the `way` that it came are accepted. Raises `RequestMalformed`,
    `UnsupportedRequest`, `ClientIdMismatch`, `ClientUrlMalformed`, and what `parse_client_id`,
    `parse_dcql` and `parse_transaction_data` raise.
    """
    for name in _REFUSED:
        if name in claims:
            raise UnsupportedRequest(f"{name} is not supported with these response modes")
    if claims.get("response_type") != "vp_token":
        raise UnsupportedRequest("expected response_type vp_token")
    mode = _response_mode(claims.get("response_mode"), way=way)
    if "dcql_query" not in claims:
        raise RequestMalformed("dcql_query is missing")
    client_id = None
    if way is not Way.PAGE or "client_id" in claims:
        client_id = parse_client_id(claims.get("client_id"), development=development)
    metadata = claims.get("client_metadata")
    if metadata is not None and type(metadata) is not dict:
        raise RequestMalformed("client_metadata is an object")
    purpose = claims.get("purpose")
    if purpose is not None and (type(purpose) is not str or len(purpose) > MAX_PURPOSE_CHARACTERS):
        raise RequestMalformed("purpose is a text of limited length")
    nonce = _opaque(claims, "nonce")
    if nonce is None:
        raise RequestMalformed("nonce is missing")
    query = parse_dcql(claims["dcql_query"])
    return AuthorizationRequest(
        client_id=client_id,
        response_uri=_response_uri(claims, client_id, mode, development),
        response_mode=mode,
        nonce=nonce,
        dcql_query=query,
        state=_opaque(claims, "state"),
        client_metadata=metadata,
        transaction_data=parse_transaction_data(claims.get("transaction_data"), query),
        verifier_info=_verifier_info(claims.get("verifier_info")),
        expected_origins=_origins(claims.get("expected_origins")) if way is Way.PAGE else (),
        issued_at=claim_time(claims, "iat"),
        expires_at=claim_time(claims, "exp"),
        wallet_nonce=_opaque(claims, "wallet_nonce"),
        purpose=purpose,
    )


def _response_mode(value: Any, *, way: Way) -> ResponseMode:
    try:
        mode = ResponseMode(value)
    except ValueError:
        raise UnsupportedRequest("a response mode that is not implemented") from None
    if mode.way is not way:
        raise UnsupportedRequest("the response mode does not fit the way the request came")
    return mode


def _response_uri(
    claims: JsonObject, client_id: ClientId | None, mode: ResponseMode, development: bool
) -> str | None:
    if mode.way is not Way.LINK or client_id is None:
        if "response_uri" in claims:
            raise RequestMalformed("a request that is not answered over HTTP has no response_uri")
        return None
    response_uri = claims.get("response_uri")
    if response_uri is None and isinstance(client_id, RedirectUriClientId):
        return client_id.uri
    uri = check_url(response_uri, development=development)
    check_url_is_of_client(client_id, uri, development=development)
    return uri


def _verifier_info(value: object) -> tuple[JsonObject, ...]:
    if value is None:
        return ()
    if type(value) is not list or not 0 < len(value) <= MAX_VERIFIER_INFO:
        raise RequestMalformed(f"verifier_info is a list of 1 to {MAX_VERIFIER_INFO} objects")
    for item in value:
        if type(item) is not dict or type(item.get("format")) is not str or "data" not in item:
            raise RequestMalformed("an item of verifier_info has a format and data")
    return tuple(value)


def _origins(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if type(value) is not list or not 0 < len(value) <= MAX_ORIGINS:
        raise RequestMalformed(f"expected_origins is a list of 1 to {MAX_ORIGINS} origins")
    if any(type(item) is not str or len(item) > MAX_ORIGIN_CHARACTERS for item in value):
        raise RequestMalformed("an origin is a string of limited length")
    return tuple(value)


def _opaque(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if type(value) is not str or not OPAQUE.match(value):
        raise RequestMalformed(f"{name} is printable ASCII of limited length")
    return value


def check_request_times(request: AuthorizationRequest, now: int) -> None:
    """Return if the request is of now (unix seconds). Raises `RequestNotForWallet`."""
    if request.expires_at is not None and now >= request.expires_at + CLOCK_SKEW_S:
        raise RequestNotForWallet("the request has expired")
    if request.issued_at is not None and request.issued_at > now + CLOCK_SKEW_S:
        raise RequestNotForWallet("the request is dated in the future")
