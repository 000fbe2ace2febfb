"""OpenID4VP 1.0 over the W3C Digital Credentials API (Appendix A).

The page calls the browser, the browser hands the request with the page's origin to the wallet, and
the answer returns the same way. What ties an answer to its verifier is the origin, which the
platform vouches for: presentations are bound to `origin:` and the origin, signed or not.
"""

from __future__ import annotations

import re
from typing import Final

from wallet.credentials.jose import CompactJws
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.protocols.client_id import ClientId, parse_client_id
from wallet.protocols.oid4vp import (
    WALLET_AUDIENCE,
    AuthorizationRequest,
    RequestMalformed,
    RequestNotForWallet,
    UnsupportedRequest,
    VerifiedRequest,
    Way,
    check_request_times,
    parse_request,
)
from wallet.protocols.oid4vp_request_object import (
    RequestTrust,
    parse_request_object,
    verify_client_signature,
)

UNSIGNED_PROTOCOL: Final = "openid4vp-v1-unsigned"
SIGNED_PROTOCOL: Final = "openid4vp-v1-signed"
_WEB_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9][a-z0-9.-]{0,252})(?::(?P<port>[1-9][0-9]{0,4}))?\Z"
)
_ANDROID_ORIGIN: Final = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{27,43}\Z")
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}


class OriginMismatch(RejectedError):
    """The request was signed for other pages than the one that brought it."""

    code = "origin_mismatch"


def check_page_origin(origin: str, *, development: bool = False) -> str:
    """Return `origin` if a verifier may expect it of those who bring its requests (A.2).

    A web origin as browsers write it, https alone (on `localhost` http too, with `development`),
    or that of an Android app by the digest of its key. Wallets compare it letter by letter, so
    another spelling would match nobody. Raises `RequestMalformed`.
    """
    if _ANDROID_ORIGIN.match(origin):
        return origin
    match = _WEB_ORIGIN.match(origin)
    local = development and match is not None and match["host"] == "localhost"
    if match is None or (match["scheme"] != "https" and not local):
        raise RequestMalformed("an origin is https, a host in lower case and perhaps a port")
    if match["port"] == _DEFAULT_PORTS[match["scheme"]]:
        raise RequestMalformed("an origin does not write the port that its scheme has anyway")
    return origin


def origin_audience(origin: str) -> str:
    """Return the audience of presentations to a page (A.4): `origin:` and its origin as it is."""
    return f"origin:{origin}"


def build_dc_request(request: AuthorizationRequest, signed: str | None = None) -> JsonObject:
    """Return the member of `navigator.credentials.get({digital: {requests: [...]}})` (A.2, A.3).

    `signed` is the request object for a signed request; without it, the parameters go plain, and
    name no client.
    """
    if signed is not None:
        return {"protocol": SIGNED_PROTOCOL, "data": {"request": signed}}
    return {"protocol": UNSIGNED_PROTOCOL, "data": request.to_claims()}


def peek_dc_client(data: JsonObject, *, development: bool = False) -> tuple[CompactJws, ClientId]:
    """Return a signed request and the client that it says it is from, nothing verified.

    Requests signed in several names (JWS JSON) are not implemented. Raises `UnsupportedRequest`,
    `RequestMalformed`, and what `parse_request_object` and `parse_client_id` raise.
    """
    if type(data.get("request")) is dict:
        raise UnsupportedRequest("a request signed in several names is not implemented")
    if type(data.get("request")) is not str:
        raise RequestMalformed("a signed request has the member request")
    request_object = parse_request_object(data["request"])
    claimed = request_object.peek_claims().get("client_id")
    return request_object, parse_client_id(claimed, development=development)


def verify_signed_dc_request(
    request_object: CompactJws,
    client_id: ClientId,
    trust: RequestTrust,
    *,
    origin: str,
    now: int,
    development: bool = False,
) -> VerifiedRequest:
    """Return a signed request if its client signed it, for a page of this origin, now.

    `origin` is what the platform says, compared as it is. Raises `OriginMismatch`, and what
    `verify_request_object` raises.
    """
    certificate = verify_client_signature(request_object, client_id, trust, now=now)
    claims = request_object.peek_claims()
    if claims.get("aud", WALLET_AUDIENCE) != WALLET_AUDIENCE:
        raise RequestNotForWallet("aud is not " + WALLET_AUDIENCE)
    request = parse_request(claims, development=development, way=Way.PAGE)
    if not request.expected_origins:
        raise RequestMalformed("a signed request names the origins that it expects")
    if origin not in request.expected_origins:
        raise OriginMismatch("the request was signed for pages of other origins")
    check_request_times(request, now)
    return VerifiedRequest(
        request=request,
        authenticated=True,
        audience=origin_audience(origin),
        certificate=certificate,
        origin=origin,
    )


def verify_unsigned_dc_request(
    data: JsonObject, *, origin: str, now: int, development: bool = False
) -> VerifiedRequest:
    """Return an unsigned request. Whoever it says it is from counts for nothing (A.2).

    Raises what `parse_request` raises, and `RequestNotForWallet`.
    """
    claims = {
        name: value
        for name, value in data.items()
        if name not in ("client_id", "expected_origins")
    }
    request = parse_request(claims, development=development, way=Way.PAGE)
    check_request_times(request, now)
    return VerifiedRequest(
        request=request, authenticated=False, audience=origin_audience(origin), origin=origin
    )
