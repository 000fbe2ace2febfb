"""Token requests and responses of every grant, nonce responses and error responses (§6, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from wallet.encoding.form import parse_form, single_values
from wallet.encoding.json import JsonObject
from wallet.errors import UnsupportedError
from wallet.protocols.oid4vci.authorization_details import (
    build_authorization_details,
    credential_identifiers_json,
    parse_authorization_details,
    parse_credential_identifiers,
)
from wallet.protocols.oid4vci.offer import (
    AUTHORIZATION_CODE_GRANT,
    MAX_CODE_CHARACTERS,
    MAX_TX_CODE_CHARACTERS,
    PRE_AUTHORIZED_CODE_GRANT,
)
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, object_of, text_member

REFRESH_TOKEN_GRANT: Final = "refresh_token"  # noqa: S105 (the name of a grant type)
# Of this project's own: see `wallet.protocols.oid4vci.recovery`.
RECOVERY_GRANT: Final = "urn:seoul-wallet:params:oauth:grant-type:recovery"
MAX_CLIENT_ID_CHARACTERS: Final = 512
MAX_REDIRECT_CHARACTERS: Final = 2048
MAX_VERIFIER_CHARACTERS: Final = 128

MAX_TOKEN_REQUEST_BYTES: Final = 16 * 1024
MAX_ACCESS_TOKEN_CHARACTERS: Final = 8 * 1024
MAX_NONCE_CHARACTERS: Final = 512
MAX_ERROR_CHARACTERS: Final = 1024
_KNOWN: Final = frozenset(
    (
        "grant_type",
        "pre-authorized_code",
        "tx_code",
        "code",
        "redirect_uri",
        "code_verifier",
        "client_id",
        "refresh_token",
        "recovery_proof",
        "authorization_details",
    )
)
_TOKEN_TYPES: Final = {"bearer": "Bearer", "dpop": "DPoP"}


class UnsupportedGrantType(UnsupportedError):
    """The token request asks for a grant that is not implemented."""

    code = "unsupported_grant_type"


class UnsupportedTokenType(UnsupportedError):
    """The token is neither a Bearer nor a DPoP token."""

    code = "unsupported_token_type"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A pre-authorized code to exchange, with the transaction code if the holder has one.

    `configuration_ids` are what `authorization_details` names (§6.1.1), here and below.
    """

    pre_authorized_code: str
    tx_code: str | None = None
    client_id: str | None = None
    configuration_ids: tuple[str, ...] = ()

    def to_form(self) -> bytes:
        """Return the form body to POST."""
        return _form(
            {
                "grant_type": PRE_AUTHORIZED_CODE_GRANT,
                "pre-authorized_code": self.pre_authorized_code,
                "tx_code": self.tx_code,
                "client_id": self.client_id,
                **_details(self.configuration_ids),
            }
        )


@dataclass(frozen=True, slots=True)
class CodeTokenRequest:
    """An authorization code to exchange, with the verifier of its PKCE challenge (RFC 7636)."""

    code: str
    redirect_uri: str
    code_verifier: str
    client_id: str | None = None
    configuration_ids: tuple[str, ...] = ()

    def to_form(self) -> bytes:
        """Return the form body to POST."""
        return _form(
            {
                "grant_type": AUTHORIZATION_CODE_GRANT,
                "code": self.code,
                "redirect_uri": self.redirect_uri,
                "code_verifier": self.code_verifier,
                "client_id": self.client_id,
                **_details(self.configuration_ids),
            }
        )


@dataclass(frozen=True, slots=True)
class RefreshTokenRequest:
    """A refresh token to exchange for new tokens."""

    refresh_token: str
    client_id: str | None = None
    configuration_ids: tuple[str, ...] = ()

    def to_form(self) -> bytes:
        """Return the form body to POST."""
        return _form(
            {
                "grant_type": REFRESH_TOKEN_GRANT,
                "refresh_token": self.refresh_token,
                "client_id": self.client_id,
                **_details(self.configuration_ids),
            }
        )


@dataclass(frozen=True, slots=True)
class RecoveryTokenRequest:
    """A recovery proof with the act `reissue`, to exchange for tokens."""

    recovery_proof: str
    client_id: str | None = None

    def to_form(self) -> bytes:
        """Return the form body to POST."""
        return _form(
            {
                "grant_type": RECOVERY_GRANT,
                "recovery_proof": self.recovery_proof,
                "client_id": self.client_id,
            }
        )


AnyTokenRequest = TokenRequest | CodeTokenRequest | RefreshTokenRequest | RecoveryTokenRequest


def _details(configuration_ids: tuple[str, ...]) -> dict[str, str | None]:
    return {"authorization_details": build_authorization_details(configuration_ids)}


def _form(members: Mapping[str, str | None]) -> bytes:
    given = {name: value for name, value in members.items() if value is not None}
    return urlencode(given).encode("ascii")


def parse_token_request(body: bytes) -> AnyTokenRequest:
    """Return the token request of a form body (§6.1, RFC 6749 §4.1.3, §6).

    Unknown parameters are ignored, known ones may occur once. Raises `FormMalformed`,
    `Oid4vciMessageMalformed`, `AuthorizationDetailsInvalid`, `UnsupportedGrantType`.
    """
    pairs = parse_form(body, max_bytes=MAX_TOKEN_REQUEST_BYTES)
    form = single_values(pairs, _KNOWN)
    grant_type = form.get("grant_type")
    if not grant_type:
        raise Oid4vciMessageMalformed("grant_type is missing")
    client_id = None
    if "client_id" in form:
        client_id = text_member(form, "client_id", max_characters=MAX_CLIENT_ID_CHARACTERS)
    details = form.get("authorization_details")
    configuration_ids = () if details is None else parse_authorization_details(details)
    if grant_type == PRE_AUTHORIZED_CODE_GRANT:
        code = text_member(form, "pre-authorized_code", max_characters=MAX_CODE_CHARACTERS)
        tx_code = None
        if "tx_code" in form:
            tx_code = text_member(form, "tx_code", max_characters=MAX_TX_CODE_CHARACTERS)
        return TokenRequest(code, tx_code, client_id, configuration_ids)
    if grant_type == AUTHORIZATION_CODE_GRANT:
        return CodeTokenRequest(
            text_member(form, "code", max_characters=MAX_CODE_CHARACTERS),
            text_member(form, "redirect_uri", max_characters=MAX_REDIRECT_CHARACTERS),
            text_member(form, "code_verifier", max_characters=MAX_VERIFIER_CHARACTERS),
            client_id,
            configuration_ids,
        )
    if grant_type == REFRESH_TOKEN_GRANT:
        token = text_member(form, "refresh_token", max_characters=MAX_CODE_CHARACTERS)
        return RefreshTokenRequest(token, client_id, configuration_ids)
    if grant_type == RECOVERY_GRANT:
        proof = text_member(form, "recovery_proof", max_characters=MAX_ACCESS_TOKEN_CHARACTERS)
        return RecoveryTokenRequest(proof, client_id)
    raise UnsupportedGrantType("expected a pre-authorized code, a code or a refresh token")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """An access token and how many seconds it lasts.

    `token_type` is `Bearer` or `DPoP`. `credential_identifiers` is by configuration id, and not
    empty only if authorization was asked for by `authorization_details` (§6.2).
    """

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 (the name of a scheme)
    refresh_token: str | None = None
    credential_identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """Return the token response (RFC 6749 §5.1)."""
        response: JsonObject = {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
        }
        if self.refresh_token is not None:
            response["refresh_token"] = self.refresh_token
        if self.credential_identifiers:
            response["authorization_details"] = credential_identifiers_json(
                self.credential_identifiers
            )
        return response


def parse_token_response(value: object) -> TokenResponse:
    """Return the token response of its JSON value.

    A missing `expires_in` reads as 0: use the token at once. Raises `Oid4vciMessageMalformed`,
    `UnsupportedTokenType`.
    """
    response = object_of(value, "a token response")
    token = text_member(response, "access_token", max_characters=MAX_ACCESS_TOKEN_CHARACTERS)
    refresh = None
    if response.get("refresh_token") is not None:
        refresh = text_member(
            response, "refresh_token", max_characters=MAX_ACCESS_TOKEN_CHARACTERS
        )
    for secret in (token, refresh or ""):
        if not secret.isascii() or (secret and not secret.isprintable()) or " " in secret:
            raise Oid4vciMessageMalformed("tokens are printable ASCII")
    named = text_member(response, "token_type", max_characters=64).lower()
    if named not in _TOKEN_TYPES:
        raise UnsupportedTokenType("expected token_type Bearer or DPoP")
    expires_in = response.get("expires_in", 0)
    if type(expires_in) is not int or expires_in < 0:
        raise Oid4vciMessageMalformed("expires_in is a whole number of seconds")
    details = response.get("authorization_details") or []
    return TokenResponse(
        token, expires_in, _TOKEN_TYPES[named], refresh, parse_credential_identifiers(details)
    )


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
