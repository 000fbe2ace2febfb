"""OpenID4VP 1.0 requests: parameters, signed request objects, and the links to them.

What is implemented: `response_type` vp_token, `response_mode` direct_post, DCQL; signed request
objects by reference (`decentralized_identifier:`) and unsigned requests by value
(`redirect_uri:`). Everything else is refused with a typed error, never half understood.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from wallet.credentials.jose import (
    CompactJws,
    claim_string,
    claim_time,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.crypto.keys import SigningKey
from wallet.did.document import DidDocument, KeyNotAuthorized
from wallet.did.syntax import parse_did_url
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.client_id import (
    ClientId,
    ClientIdMismatch,
    DidClientId,
    RedirectUriClientId,
    check_url,
    check_url_is_of_client,
    parse_client_id,
)
from wallet.protocols.dcql import DcqlQuery, parse_dcql

LINK_SCHEME: Final = "openid4vp"
REQUEST_OBJECT_TYPE: Final = "oauth-authz-req+jwt"
REQUEST_OBJECT_MEDIA_TYPE: Final = "application/" + REQUEST_OBJECT_TYPE
WALLET_AUDIENCE: Final = "https://self-issued.me/v2"
SECRET_BYTES: Final = 32
MAX_LINK_CHARACTERS: Final = 64 * 1024
MAX_LINK_PARAMETERS: Final = 50
MAX_PURPOSE_CHARACTERS: Final = 300
CLOCK_SKEW_S: Final = 60
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,12}\Z")
# The form of nonces, states and error codes.
OPAQUE: Final = re.compile(r"[\x21-\x7e]{1,512}\Z")
# Members of drafts before 1.0, or of features that change what an answer means.
_REFUSED: Final = (
    "presentation_definition",
    "presentation_definition_uri",
    "client_id_scheme",
    "scope",
    "transaction_data",
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


class RequestNotSigned(RejectedError):
    """The client identifier calls for a signed request, or forbids one."""

    code = "request_not_signed"


class WalletNonceMismatch(RejectedError):
    """The request object does not repeat the nonce that this wallet sent for it."""

    code = "wallet_nonce_mismatch"


def new_secret() -> str:
    """Return 256 random bits in base64url: a nonce, a state, a token."""
    return base64url.encode(secrets.token_bytes(SECRET_BYTES))


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationRequest:
    """What a verifier asks for (§5). `issued_at` and `expires_at` are unix seconds.

    `purpose` is a member of our own: why the verifier asks, in words for the holder.
    """

    client_id: ClientId
    response_uri: str
    nonce: str
    dcql_query: DcqlQuery
    state: str | None = None
    client_metadata: JsonObject | None = None
    issued_at: int | None = None
    expires_at: int | None = None
    wallet_nonce: str | None = None
    purpose: str | None = None

    def to_claims(self) -> JsonObject:
        """Return the parameters as the claims of a request object, without `aud`."""
        claims: JsonObject = {
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "client_id": str(self.client_id),
            "response_uri": self.response_uri,
            "nonce": self.nonce,
            "dcql_query": self.dcql_query.to_json(),
        }
        optional = {
            "state": self.state,
            "client_metadata": self.client_metadata,
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
    to send its answer to where its client identifier says.
    """

    request: AuthorizationRequest
    authenticated: bool


def sign_request_object(request: AuthorizationRequest, key: SigningKey, *, kid: str) -> str:
    """Return the request object: a JWS whose `kid` is a DID URL of the client's DID (§5.9.3)."""
    if not isinstance(request.client_id, DidClientId):
        raise ValueError("only decentralized_identifier: requests are signed")
    if str(parse_did_url(kid).did) != str(request.client_id.did):
        raise ValueError("kid is a key of the client's DID")
    claims = {**request.to_claims(), "aud": WALLET_AUDIENCE}
    return sign_jws(key, {"typ": REQUEST_OBJECT_TYPE, "kid": kid}, claims)


def parse_request_object(text: str | bytes) -> CompactJws:
    """Return the unverified request object. Raises `JwsMalformed`, `UnsupportedAlgorithm` & kin.

    Another `typ` than `oauth-authz-req+jwt` is refused, and so is `alg` none.
    """
    return parse_compact_jws(text, typ=REQUEST_OBJECT_TYPE)


def verify_request_object(
    request_object: CompactJws,
    client_id: ClientId,
    document: DidDocument,
    *,
    now: int,
    wallet_nonce: str | None = None,
    development: bool = False,
) -> VerifiedRequest:
    """Return the request if a key of the client signed it, for wallets, now.

    `client_id` is the one of the link that led here, `document` that DID's document,
    `wallet_nonce` what this wallet sent with `request_uri_method=post`. Raises `ClientIdMismatch`,
    `RequestNotSigned`, `KeyNotAuthorized`, `SignatureInvalid`, `RequestNotForWallet`,
    `WalletNonceMismatch`, and what `parse_request` raises. Does not decide whether the verifier
    may ask: that is the holder's consent.
    """
    if not isinstance(client_id, DidClientId):
        raise RequestNotSigned("a redirect_uri: client cannot sign its request")
    kid = parse_did_url(request_object.kid)
    if kid.did != client_id.did or document.did != client_id.did:
        raise ClientIdMismatch("the request object is signed by another DID than the client's")
    method = document.methods.get(str(kid))
    if method is None:
        raise KeyNotAuthorized("the key is not in the client's DID document")
    verify_jws(request_object, method.key)
    claims = request_object.peek_claims()
    if claim_string(claims, "client_id") != str(client_id):
        raise ClientIdMismatch("the link and the request object name different clients")
    if claims.get("aud") != WALLET_AUDIENCE:
        raise RequestNotForWallet("aud is not " + WALLET_AUDIENCE)
    if claims.get("iss", str(client_id)) not in (str(client_id), str(client_id.did)):
        raise ClientIdMismatch("iss is another than the client")
    request = parse_request(claims, development=development)
    _check_times(request, now)
    if wallet_nonce is not None and request.wallet_nonce != wallet_nonce:
        raise WalletNonceMismatch("the request object does not repeat the wallet's nonce")
    return VerifiedRequest(request=request, authenticated=True)


def verify_unsigned_request(
    parameters: Mapping[str, str], *, now: int, development: bool = False
) -> VerifiedRequest:
    """Return the request that a link carries by value, of a `redirect_uri:` client (§5.9.3).

    `parameters` are those of `parse_request_link`. Raises `RequestNotSigned` for any other
    client, `RequestNotForWallet`, `ClientIdMismatch`, and what `parse_request` raises.
    """
    client_id = parse_client_id(parameters.get("client_id"), development=development)
    if not isinstance(client_id, RedirectUriClientId):
        raise RequestNotSigned("a decentralized_identifier: client must sign its request")
    claims: JsonObject = dict(parameters)
    for name in ("dcql_query", "client_metadata"):
        if name in parameters:
            claims[name] = parse_json_object(parameters[name].encode("utf-8", "surrogatepass"))
    for name in ("iat", "exp"):
        if name in parameters and _WHOLE_NUMBER.match(parameters[name]):
            claims[name] = int(parameters[name])
    request = parse_request(claims, development=development)
    _check_times(request, now)
    return VerifiedRequest(request=request, authenticated=False)


def parse_request(claims: JsonObject, *, development: bool = False) -> AuthorizationRequest:
    """Return the request of its parameters (§5.1). Verifies nothing but that they fit together.

    Raises `RequestMalformed`, `UnsupportedRequest`, `ClientIdMismatch`, `ClientUrlMalformed`,
    and what `parse_client_id` and `parse_dcql` raise.
    """
    for name in _REFUSED:
        if name in claims:
            raise UnsupportedRequest(f"{name} is not supported with OpenID4VP 1.0 direct_post")
    if claims.get("response_type") != "vp_token":
        raise UnsupportedRequest("expected response_type vp_token")
    if claims.get("response_mode") != "direct_post":
        raise UnsupportedRequest("expected response_mode direct_post")
    if "dcql_query" not in claims:
        raise RequestMalformed("dcql_query is missing")
    client_id = parse_client_id(claims.get("client_id"), development=development)
    response_uri = check_url(claims.get("response_uri"), development=development)
    check_url_is_of_client(client_id, response_uri, development=development)
    metadata = claims.get("client_metadata")
    if metadata is not None and type(metadata) is not dict:
        raise RequestMalformed("client_metadata is an object")
    purpose = claims.get("purpose")
    if purpose is not None and (type(purpose) is not str or len(purpose) > MAX_PURPOSE_CHARACTERS):
        raise RequestMalformed("purpose is a text of limited length")
    nonce = _opaque(claims, "nonce")
    if nonce is None:
        raise RequestMalformed("nonce is missing")
    return AuthorizationRequest(
        client_id=client_id,
        response_uri=response_uri,
        nonce=nonce,
        dcql_query=parse_dcql(claims["dcql_query"]),
        state=_opaque(claims, "state"),
        client_metadata=metadata,
        issued_at=claim_time(claims, "iat"),
        expires_at=claim_time(claims, "exp"),
        wallet_nonce=_opaque(claims, "wallet_nonce"),
        purpose=purpose,
    )


def _opaque(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if type(value) is not str or not OPAQUE.match(value):
        raise RequestMalformed(f"{name} is printable ASCII of limited length")
    return value


def _check_times(request: AuthorizationRequest, now: int) -> None:
    if request.expires_at is not None and now >= request.expires_at + CLOCK_SKEW_S:
        raise RequestNotForWallet("the request has expired")
    if request.issued_at is not None and request.issued_at > now + CLOCK_SKEW_S:
        raise RequestNotForWallet("the request is dated in the future")


@dataclass(frozen=True, slots=True)
class RequestLink:
    """A link that leads to a request: by reference, or (`request_uri` None) by value."""

    client_id: ClientId
    request_uri: str | None
    request_uri_method: str
    parameters: Mapping[str, str]


def build_request_link(client_id: ClientId, request_uri: str, *, post: bool = False) -> str:
    """Return the `openid4vp://` link (and QR content) to a request object (§5.10)."""
    parameters = {"client_id": str(client_id), "request_uri": request_uri}
    if post:
        parameters["request_uri_method"] = "post"
    return f"{LINK_SCHEME}://?{urlencode(parameters)}"


def build_unsigned_request_link(request: AuthorizationRequest) -> str:
    """Return the `openid4vp://` link that carries an unsigned request by value."""
    claims = request.to_claims()
    values = {
        name: value if isinstance(value, str) else to_json(value).decode()
        for name, value in claims.items()
    }
    return f"{LINK_SCHEME}://?{urlencode(values)}"


def parse_request_link(link: str, *, development: bool = False) -> RequestLink:
    """Return what an `openid4vp://` link names. Nothing in it is verified, nothing is fetched.

    By reference for `decentralized_identifier:` only, and a did:web's request is on its own host;
    by value for `redirect_uri:` only. Raises `RequestMalformed`, `RequestNotSigned`,
    `UnsupportedRequest`, `ClientIdMismatch`, and what `parse_client_id` raises.
    """
    scheme, separator, rest = link.partition("://")
    if len(link) > MAX_LINK_CHARACTERS or not separator or scheme.lower() != LINK_SCHEME:
        raise RequestMalformed(f"expected a {LINK_SCHEME}:// link of limited length")
    try:
        pairs = parse_qsl(
            rest.partition("?")[2],
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_LINK_PARAMETERS,
        )
    except ValueError:
        raise RequestMalformed("the link's parameters are not a query string") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise RequestMalformed("a parameter occurs twice")
    if "request" in parameters:
        raise UnsupportedRequest("request objects are taken by reference")
    client_id = parse_client_id(parameters.get("client_id"), development=development)
    method = parameters.get("request_uri_method", "get")
    if method not in ("get", "post"):
        raise RequestMalformed("request_uri_method is get or post")
    if "request_uri" not in parameters:
        if isinstance(client_id, DidClientId):
            raise RequestNotSigned("a decentralized_identifier: client must sign its request")
        return RequestLink(client_id, None, method, parameters)
    if isinstance(client_id, RedirectUriClientId):
        raise RequestNotSigned("a redirect_uri: client sends its request by value")
    request_uri = check_url(parameters["request_uri"], development=development)
    check_url_is_of_client(client_id, request_uri, development=development)
    return RequestLink(client_id, request_uri, method, parameters)
