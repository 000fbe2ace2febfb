"""What relying parties call: discovery, keys, the token endpoint, userinfo (OIDC Core)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from verifier.oidc.clients import RelyingPartyNotAuthenticated
from verifier.oidc.logins import LoginCodeInvalid, UserinfoRefused
from verifier.oidc.provider import (
    DISCOVERY_PATH,
    JWKS_PATH,
    TOKEN_PATH,
    USERINFO_PATH,
    LoginGrantUnsupported,
    OpenIdProvider,
)
from wallet.encoding.form import FormMalformed
from wallet.web.application import json_answer
from wallet.web.bodies import read_form

MAX_TOKEN_REQUEST_BYTES: Final = 32 * 1024
_BEARER: Final = "bearer "


def oidc_blueprint(provider: OpenIdProvider) -> Blueprint:
    """Return the provider's endpoints beside those of the browser."""
    blueprint = Blueprint("oidc", __name__)

    @blueprint.get(DISCOVERY_PATH)
    def discovery() -> Response:
        """The provider's metadata."""
        return _public(provider.discovery())

    @blueprint.get(JWKS_PATH)
    def jwks() -> Response:
        """The keys of the ID tokens."""
        return _public(provider.jwks)

    @blueprint.post(TOKEN_PATH)
    def token() -> Response:
        """Exchange a code. Errors as RFC 6749 §5.2 spells them."""
        request.max_content_length = MAX_TOKEN_REQUEST_BYTES
        try:
            fields = read_form(request)
            answer = provider.exchange(request.headers.get("Authorization"), fields)
        except FormMalformed:
            return _refusal("invalid_request")
        except RelyingPartyNotAuthenticated:
            refused = _refusal("invalid_client", 401)
            refused.headers["WWW-Authenticate"] = 'Basic realm="oidc"'
            return refused
        except LoginGrantUnsupported:
            return _refusal("unsupported_grant_type")
        except LoginCodeInvalid:
            return _refusal("invalid_grant")
        told = json_answer(answer)
        told.headers["Pragma"] = "no-cache"
        return told

    @blueprint.route(USERINFO_PATH, methods=["GET", "POST"])
    def userinfo() -> Response:
        """The claims of the scopes. Bearer: the access token."""
        given = request.headers.get("Authorization", "")
        try:
            if not given.lower().startswith(_BEARER):
                raise UserinfoRefused("send the access token")
            return json_answer(provider.userinfo(given[len(_BEARER) :].strip()))
        except UserinfoRefused:
            refused = _refusal("invalid_token", 401)
            refused.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refused

    return blueprint


def _refusal(error: str, status: int = 400) -> Response:
    return json_answer({"error": error}, status)


def _public(value: object) -> Response:
    answer = json_answer(value)
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
