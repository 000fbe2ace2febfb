"""The authorization code flow: PKCE, pushed requests and answers (§5, RFC 7636, 9126, 9207).

A request is only ever pushed; what a browser carries is a `request_uri` that works once.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.form import FormMalformed, parse_form, single_values
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.authorization_details import (
    build_authorization_details,
    parse_authorization_details,
)
from wallet.protocols.oid4vci.offer import MAX_CODE_CHARACTERS
from wallet.protocols.oid4vci.token import (
    MAX_CLIENT_ID_CHARACTERS,
    MAX_ERROR_CHARACTERS,
    MAX_REDIRECT_CHARACTERS,
)
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    object_of,
    text_member,
)

MAX_PUSHED_REQUEST_BYTES: Final = 32 * 1024
MAX_STATE_CHARACTERS: Final = 512
MAX_ANSWER_CHARACTERS: Final = 8 * 1024
CHALLENGE_METHOD: Final = "S256"
_VERIFIER_BYTES: Final = 32
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_STATE: Final = re.compile(r"[\x20-\x7e]*\Z")
_JKT: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_REQUEST_MEMBERS: Final = frozenset(
    (
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "code_challenge",
        "code_challenge_method",
        "scope",
        "state",
        "authorization_details",
        "issuer_state",
        "dpop_jkt",
        "request",
        "request_uri",
    )
)
_ANSWER_MEMBERS: Final = frozenset(("code", "state", "iss", "error", "error_description"))


class PkceMissing(MalformedError):
    """No code challenge, or one by another method than S256 (RFC 7636 §4.3)."""

    code = "pkce_missing"


class PkceMismatch(RejectedError):
    """The code verifier is not the one of the challenge."""

    code = "pkce_mismatch"


class UnsupportedResponseType(UnsupportedError):
    """An authorization request for anything but a code in the query of the answer."""

    code = "unsupported_response_type"


class AnswerNotOurs(RejectedError):
    """An authorization response of another issuer or of another request: a mix-up (RFC 9207)."""

    code = "authorization_answer_not_ours"


class AuthorizationDenied(RejectedError):
    """The authorization server says no. `error` is its name for the reason."""

    code = "authorization_denied"

    def __init__(self, error: str) -> None:
        super().__init__(f"the authorization server refused: {error[:64]}")
        self.error = error


def new_code_verifier() -> str:
    """Return a fresh PKCE code verifier with 256 bits."""
    return secrets.token_urlsafe(_VERIFIER_BYTES)


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 §4.2)."""
    return base64url.encode(sha256(verifier.encode("ascii")))


def check_code_verifier(verifier: str, challenge: str) -> None:
    """Return if `verifier` is that of `challenge`. Raises `PkceMismatch`."""
    if not _VERIFIER.match(verifier) or not hmac.compare_digest(
        code_challenge(verifier), challenge
    ):
        raise PkceMismatch("code_verifier is not that of the code challenge")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a wallet asks to be authorized for: a configuration by `scope` or by its id.

    `by_details` is true for `authorization_details`, whose answer names credential identifiers.
    """

    client_id: str
    redirect_uri: str
    code_challenge: str
    scope: str | None = None
    configuration_ids: tuple[str, ...] = ()
    state: str | None = None
    issuer_state: str | None = None
    dpop_jkt: str | None = None

    @property
    def by_details(self) -> bool:
        """Whether it was asked for by `authorization_details` (§5.1.1)."""
        return bool(self.configuration_ids)

    def bound_to(self, jkt: str | None) -> AuthorizationRequest:
        """Return the request with its code bound to a DPoP key, if there is one (RFC 9449 §10)."""
        return self if jkt is None else replace(self, dpop_jkt=jkt)

    def to_form(self) -> bytes:
        """Return the form body of a pushed authorization request (RFC 9126 §2.1)."""
        members = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": self.code_challenge,
            "code_challenge_method": CHALLENGE_METHOD,
            "scope": self.scope,
            "authorization_details": build_authorization_details(self.configuration_ids),
            "state": self.state,
            "issuer_state": self.issuer_state,
            "dpop_jkt": self.dpop_jkt,
        }
        given = {name: value for name, value in members.items() if value is not None}
        return urlencode(given).encode("ascii")


def parse_pushed_request(body: bytes) -> AuthorizationRequest:
    """Return the authorization request of a form body.

    Request objects (`request`) are not accepted, and a `request_uri` cannot be pushed. Unknown
    parameters are ignored, known ones may occur once. Raises `FormMalformed`,
    `Oid4vciMessageMalformed`, `AuthorizationDetailsInvalid`, `PkceMissing`,
    `UnsupportedResponseType`. Does not check that the
    client may use the redirect URI.
    """
    form = single_values(parse_form(body, max_bytes=MAX_PUSHED_REQUEST_BYTES), _REQUEST_MEMBERS)
    if "request_uri" in form or "request" in form:
        raise Oid4vciMessageMalformed("push the parameters themselves")
    if form.get("response_type") != "code" or form.get("response_mode", "query") != "query":
        raise UnsupportedResponseType("expected response_type code, answered in the query")
    if form.get("code_challenge_method") != CHALLENGE_METHOD or not _CHALLENGE.match(
        form.get("code_challenge", "")
    ):
        raise PkceMissing("send a code_challenge with code_challenge_method S256")
    details = form.get("authorization_details")
    jkt = form.get("dpop_jkt")
    if jkt is not None and not _JKT.match(jkt):
        raise Oid4vciMessageMalformed("dpop_jkt is a thumbprint by SHA-256")
    return AuthorizationRequest(
        text_member(form, "client_id", max_characters=MAX_CLIENT_ID_CHARACTERS),
        text_member(form, "redirect_uri", max_characters=MAX_REDIRECT_CHARACTERS),
        form["code_challenge"],
        _optional(form, "scope", MAX_CODE_CHARACTERS),
        () if details is None else parse_authorization_details(details),
        _optional(form, "state", MAX_STATE_CHARACTERS),
        _optional(form, "issuer_state", MAX_CODE_CHARACTERS),
        jkt,
    )


def _optional(form: Mapping[str, str], name: str, max_characters: int) -> str | None:
    if name not in form:
        return None
    value = text_member(form, name, max_characters=max_characters)
    if not _STATE.match(value):
        raise Oid4vciMessageMalformed(f"{name} is printable ASCII")
    return value


@dataclass(frozen=True, slots=True)
class PushedResponse:
    """Where the pushed request waits, and for how many seconds (RFC 9126 §2.2)."""

    request_uri: str
    expires_in: int

    def to_json(self) -> JsonObject:
        """Return the response."""
        return {"request_uri": self.request_uri, "expires_in": self.expires_in}


def parse_pushed_response(value: object) -> PushedResponse:
    """Return the response of its JSON value. Raises `Oid4vciMessageMalformed`."""
    response = object_of(value, "a pushed authorization response")
    expires_in = response.get("expires_in")
    if type(expires_in) is not int or expires_in <= 0:
        raise Oid4vciMessageMalformed("expires_in is a positive whole number of seconds")
    uri = text_member(response, "request_uri", max_characters=MAX_REDIRECT_CHARACTERS)
    return PushedResponse(uri, expires_in)


def authorization_url(endpoint: str, *, client_id: str, request_uri: str) -> str:
    """Return the URL to open in the holder's browser."""
    separator = "&" if "?" in endpoint else "?"
    query = urlencode({"client_id": client_id, "request_uri": request_uri})
    return f"{endpoint}{separator}{query}"


def authorization_answer_url(redirect_uri: str, members: Mapping[str, str | None]) -> str:
    """Return the redirect URI with an authorization response in its query."""
    query = urlencode({name: value for name, value in members.items() if value is not None})
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{query}"


def parse_authorization_answer(
    url: str, *, redirect_uri: str, state: str, issuer: str, iss_promised: bool
) -> str:
    """Return the code of the URL to which the browser came back.

    `redirect_uri` and `state` must be ours, and `iss` must be `issuer`, the server that we sent
    the holder to; it may be missing only if that server does not promise it in its metadata.
    Nothing of the answer is used before that, not even an error. Raises `AnswerNotOurs`,
    `AuthorizationDenied`, `Oid4vciMessageMalformed`, `FormMalformed`.
    """
    if len(url) > MAX_ANSWER_CHARACTERS or not url.isascii():
        raise Oid4vciMessageMalformed("an authorization response is a URL of limited length")
    base, _, query = url.partition("?")
    expected_base, _, fixed = redirect_uri.partition("?")
    if base != expected_base or "#" in url:
        raise AnswerNotOurs("the answer came to another redirect URI")
    pairs = parse_form(query.encode("ascii"), max_bytes=MAX_ANSWER_CHARACTERS)
    if fixed and any(pair not in pairs for pair in parse_form(fixed.encode("ascii"))):
        raise AnswerNotOurs("the answer came to another redirect URI")
    try:
        answer = single_values(pairs, _ANSWER_MEMBERS)
    except FormMalformed as error:
        raise AnswerNotOurs(str(error)) from error
    if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise AnswerNotOurs("the answer is to another request")
    if answer.get("iss", None if iss_promised else issuer) != issuer:
        raise AnswerNotOurs("the answer is of another authorization server")
    if "error" in answer:
        raise AuthorizationDenied(answer["error"][:MAX_ERROR_CHARACTERS])
    return text_member(answer, "code", max_characters=MAX_CODE_CHARACTERS)


def check_redirect_uri(uri: object, *, development: bool = False) -> str:
    """Return `uri` if a wallet may be called back there: https, or a scheme of an app's own.

    Loopback http only with `development`. Raises `Oid4vciMessageMalformed`.
    """
    if type(uri) is not str or not 0 < len(uri) <= MAX_REDIRECT_CHARACTERS:
        raise Oid4vciMessageMalformed("a redirect URI is a string of limited length")
    scheme: Any = urlsplit(uri).scheme if uri.isascii() else ""
    if scheme in ("https", "http", ""):
        return check_url(uri, development=development)
    # RFC 8252 §7.1: a private scheme is a domain name backwards, so it has a dot. Schemes that a
    # browser runs itself (javascript:, data:) have none.
    if "." not in scheme or "#" in uri or not uri.isprintable() or " " in uri:
        raise Oid4vciMessageMalformed("a private scheme is a reversed domain name")
    return uri
