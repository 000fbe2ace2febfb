"""The OpenID Provider in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from verifier.api.openapi_parts import FORM, OBJECT, TEXT, json_of, operation
from verifier.oidc.provider import DISCOVERY_PATH, JWKS_PATH, TOKEN_PATH, USERINFO_PATH
from wallet.encoding.json import JsonObject

_TOKEN_REQUEST: Final[JsonObject] = {
    "type": "object",
    "required": ["grant_type", "code", "redirect_uri", "code_verifier"],
    "properties": {
        "grant_type": {"enum": ["authorization_code"]},
        "code": TEXT,
        "redirect_uri": TEXT,
        "code_verifier": TEXT,
        "client_id": TEXT,
        "client_assertion_type": TEXT,
        "client_assertion": TEXT,
    },
}
_TOKENS: Final[JsonObject] = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "id_token"],
    "properties": {
        "access_token": TEXT,
        "token_type": {"enum": ["Bearer"]},
        "expires_in": {"type": "integer"},
        "id_token": TEXT,
    },
}
_REFUSED: Final[JsonObject] = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": TEXT},
}
_CLAIMS: Final[JsonObject] = {
    "type": "object",
    "required": ["sub"],
    "properties": {
        "sub": TEXT,
        "birthdate": TEXT,
        "seoul_resident": {"type": "boolean"},
    },
}


def oidc_paths() -> JsonObject:
    """Return the paths of `verifier.api.oidc`."""
    told = {
        "200": json_of(_CLAIMS, "who logged in, as far as it was shown"),
        "401": json_of(_REFUSED, "no such access token"),
    }
    return {
        DISCOVERY_PATH: {
            "get": operation("The provider's metadata", {"200": json_of(OBJECT, "it")})
        },
        JWKS_PATH: {"get": operation("The keys of ID tokens", {"200": json_of(OBJECT, "them")})},
        TOKEN_PATH: {
            "post": operation(
                "Exchange a code for an ID token",
                {
                    "200": json_of(_TOKENS, "exchanged"),
                    "400": json_of(_REFUSED, "invalid_request, invalid_grant, …"),
                    "401": json_of(_REFUSED, "invalid_client"),
                },
                (413, 415, 503),
                body=(FORM, _TOKEN_REQUEST),
            )
        },
        USERINFO_PATH: {
            method: operation("Who logged in", told, (503,), bearer=True)
            for method in ("get", "post")
        },
    }
