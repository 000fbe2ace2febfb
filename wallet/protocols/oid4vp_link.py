"""The links that lead wallets to requests, by reference or by value (OpenID4VP 1.0 §5.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from wallet.encoding.json import to_json
from wallet.protocols.client_id import (
    ClientId,
    RedirectUriClientId,
    SignedClientId,
    check_url,
    check_url_is_of_client,
    parse_client_id,
)
from wallet.protocols.oid4vp import AuthorizationRequest, RequestMalformed, UnsupportedRequest
from wallet.protocols.oid4vp_request_object import RequestNotSigned

LINK_SCHEME: Final = "openid4vp"
# HAIP 1.0 §5.1 names a scheme of its own for the same parameters.
LINK_SCHEMES: Final = frozenset((LINK_SCHEME, "haip-vp"))
MAX_LINK_CHARACTERS: Final = 64 * 1024
MAX_LINK_PARAMETERS: Final = 50


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
    values = {
        name: value if isinstance(value, str) else to_json(value).decode()
        for name, value in request.to_claims().items()
    }
    return f"{LINK_SCHEME}://?{urlencode(values)}"


def parse_request_link(link: str, *, development: bool = False) -> RequestLink:
    """Return what an `openid4vp://` link names. Nothing in it is verified, nothing is fetched.

    By reference for clients that sign, and on the host that the client is named after, if it is
    after one; by value for `redirect_uri:` only. Raises `RequestMalformed`, `RequestNotSigned`,
    `UnsupportedRequest`, `ClientIdMismatch`, and what `parse_client_id` raises.
    """
    scheme, separator, rest = link.partition("://")
    if len(link) > MAX_LINK_CHARACTERS or not separator or scheme.lower() not in LINK_SCHEMES:
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
        if isinstance(client_id, SignedClientId):
            raise RequestNotSigned("this client must sign its request")
        return RequestLink(client_id, None, method, parameters)
    if isinstance(client_id, RedirectUriClientId):
        raise RequestNotSigned("a redirect_uri: client sends its request by value")
    request_uri = check_url(parameters["request_uri"], development=development)
    check_url_is_of_client(client_id, request_uri, development=development)
    return RequestLink(client_id, request_uri, method, parameters)
