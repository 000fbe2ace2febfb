"""Token requests and responses of the pre-authorized code flow, and nonce responses (§6, §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from wallet.encoding.form import parse_form, single_values
from wallet.encoding.json import JsonObject
from wallet.errors import UnsupportedError
from wallet.protocols.oid4vci.offer import (
    MAX_CODE_CHARACTERS,
    MAX_TX_CODE_CHARACTERS,
    PRE_AUTHORIZED_CODE_GRANT,
)
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, object_of, text_member

MAX_TOKEN_REQUEST_BYTES: Final = 16 * 1024
MAX_ACCESS_TOKEN_CHARACTERS: Final = 8 * 1024
MAX_NONCE_CHARACTERS: Final = 512
MAX_ERROR_CHARACTERS: Final = 1024
_KNOWN: Final = frozenset(("grant_type", "pre-authorized_code", "tx_code"))


class UnsupportedGrantType(UnsupportedError):
    """The token request asks for another grant than the pre-authorized code."""

    code = "unsupported_grant_type"


class UnsupportedTokenType(UnsupportedError):
    """The token is not a Bearer token."""

    code = "unsupported_token_type"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A pre-authorized code to exchange, with the transaction code if the holder has one."""

    pre_authorized_code: str
    tx_code: str | None = None

    def to_form(self) -> bytes:
        """Return the form body to POST."""
        form = {
            "grant_type": PRE_AUTHORIZED_CODE_GRANT,
            "pre-authorized_code": self.pre_authorized_code,
        }
        if self.tx_code is not None:
            form["tx_code"] = self.tx_code
        return urlencode(form).encode("ascii")


def parse_token_request(body: bytes) -> TokenRequest:
    """Return the token request of a form body (§6.1).

    Unknown parameters are ignored, known ones may occur once. Raises `FormMalformed`,
    `Oid4vciMessageMalformed`, `UnsupportedGrantType`.
    """
    pairs = parse_form(body, max_bytes=MAX_TOKEN_REQUEST_BYTES)
    form = single_values(pairs, _KNOWN)
    if not form.get("grant_type"):
        raise Oid4vciMessageMalformed("grant_type is missing")
    if form["grant_type"] != PRE_AUTHORIZED_CODE_GRANT:
        raise UnsupportedGrantType("only the pre-authorized code grant is supported")
    code = text_member(form, "pre-authorized_code", max_characters=MAX_CODE_CHARACTERS)
    if "tx_code" not in form:
        return TokenRequest(code)
    return TokenRequest(code, text_member(form, "tx_code", max_characters=MAX_TX_CODE_CHARACTERS))


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A Bearer access token and how many seconds it lasts."""

    access_token: str
    expires_in: int

    def to_json(self) -> JsonObject:
        """Return the token response (RFC 6749 §5.1)."""
        return {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        }


def parse_token_response(value: object) -> TokenResponse:
    """Return the token response of its JSON value.

    A missing `expires_in` reads as 0: use the token at once. Raises `Oid4vciMessageMalformed`,
    `UnsupportedTokenType`.
    """
    response = object_of(value, "a token response")
    token = text_member(response, "access_token", max_characters=MAX_ACCESS_TOKEN_CHARACTERS)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Oid4vciMessageMalformed("access_token is printable ASCII")
    if text_member(response, "token_type", max_characters=64).lower() != "bearer":
        raise UnsupportedTokenType("expected token_type Bearer")
    expires_in = response.get("expires_in", 0)
    if type(expires_in) is not int or expires_in < 0:
        raise Oid4vciMessageMalformed("expires_in is a whole number of seconds")
    return TokenResponse(token, expires_in)


def parse_nonce_response(value: object) -> str:
    """Return the `c_nonce` of a nonce response (§7.2). Raises `Oid4vciMessageMalformed`."""
    return text_member(
        object_of(value, "a nonce response"), "c_nonce", max_characters=MAX_NONCE_CHARACTERS
    )


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """What an endpoint answered instead: the `error` name of its specification, and a text."""

    error: str
    description: str = ""

    def to_json(self) -> JsonObject:
        """Return the error response (RFC 6749 §5.2)."""
        if not self.description:
            return {"error": self.error}
        return {"error": self.error, "error_description": self.description}


def parse_error_response(value: object) -> ErrorResponse:
    """Return the error response of its JSON value. Raises `Oid4vciMessageMalformed`.

    The description is a stranger's text: show it as such or not at all.
    """
    response = object_of(value, "an error response")
    error = text_member(response, "error", max_characters=128)
    description = response.get("error_description", "")
    if type(description) is not str:
        raise Oid4vciMessageMalformed("error_description is a string")
    return ErrorResponse(error, description[:MAX_ERROR_CHARACTERS])
