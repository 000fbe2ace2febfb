"""The OpenAPI document of the issuer: every route, every status it answers with.

Written by hand beside the views; a test compares it with the routes there are.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response

from issuer.api.openapi_holder import HOLDER_PATHS
from issuer.api.openapi_operator import CENSUS_PATHS, OPERATOR_PATHS
from issuer.api.openapi_parts import (
    Operation,
    answer,
    body,
    json_answer_of,
    object_schema,
    operation,
    path_parameter,
    query_parameter,
)
from issuer.api.openapi_recovery import RECOVERY_PATHS
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.recovery import RECOVERY_MEMBER
from wallet.protocols.oid4vci.token import RECOVERY_GRANT
from wallet.web.application import json_answer

OPENAPI_VERSION: Final = "3.1.0"
_FORM: Final = "application/x-www-form-urlencoded"
_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "integer"}
_PROOFS: Final = {
    "type": "object",
    "properties": {"jwt": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 32}},
    "required": ["jwt"],
    "additionalProperties": False,
}
_CREDENTIALS: Final = object_schema(
    {
        "credentials": {
            "type": "array",
            "minItems": 1,
            "items": object_schema(
                {"credential": {"type": ["string", "object"]}, "anchor": {"type": "object"}},
                ("credential",),
            ),
        },
        "notification_id": _TEXT,
    },
    ("credentials",),
)
_DEFERRED: Final = object_schema(
    {"transaction_id": _TEXT, "interval": _NUMBER}, ("transaction_id", "interval")
)
_JWT: Final = {"application/jwt": {"schema": _TEXT}}
_OFFER: Final = object_schema(
    {"credential_issuer": _TEXT, "credential_configuration_ids": {"type": "array"},
     "grants": {"type": "object"}},
    ("credential_issuer", "credential_configuration_ids", "grants"),
)  # fmt: skip


def _credential_answers(ok: JsonObject) -> dict[str, JsonObject]:
    both = {**json_answer_of("The credentials.", ok)["content"], **_JWT}
    held = {**json_answer_of("Held.", _DEFERRED)["content"], **_JWT}
    return {
        "200": {"description": "The credentials, encrypted if that was asked for.",
                "content": both},
        "202": {"description": "Held for approval: ask again later.", "content": held},
    }  # fmt: skip


_WELL_KNOWN: Final[Mapping[str, Operation]] = {
    "openid-credential-issuer": operation(
        "Credential issuer metadata (OpenID4VCI 12.2), signed for Accept: application/jwt.",
        {
            "200": {
                "description": "The metadata.",
                "content": {"application/json": {"schema": {"type": "object"}}, **_JWT},
            }
        },
    ),
    "oauth-authorization-server": operation(
        "Authorization server metadata (RFC 8414).",
        {"200": json_answer_of("The metadata.", {"type": "object"})},
    ),
}
_DID: Final = operation(
    "The issuer's DID document (did:web).",
    {"200": json_answer_of("The document.", {"type": "object"})},
)
_PATHS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/offers/{offer_id}": {
        "get": operation(
            "The credential offer behind a credential_offer_uri.",
            {"200": json_answer_of("The offer.", _OFFER), "404": answer("problem")},
            parameters=[path_parameter("offer_id")],
        )
    },
    "/token": {
        "post": operation(
            "Token endpoint: pre-authorized code, authorization code, refresh token, recovery.",
            {
                "200": json_answer_of(
                    "Tokens.",
                    object_schema(
                        {"access_token": _TEXT, "token_type": {"enum": ["Bearer", "DPoP"]},
                         "expires_in": _NUMBER, "refresh_token": _TEXT,
                         "authorization_details": {"type": "array"}},
                        ("access_token", "token_type", "expires_in"),
                    ),
                ),
                **{status: answer("oauth") for status in ("400", "401", "413", "503")},
            },
            request=body(
                object_schema(
                    {
                        "grant_type": {
                            "enum": [
                                "urn:ietf:params:oauth:grant-type:pre-authorized_code",
                                "authorization_code",
                                "refresh_token",
                                RECOVERY_GRANT,
                            ]
                        },
                        "pre-authorized_code": _TEXT,
                        "tx_code": _TEXT,
                        "code": _TEXT,
                        "redirect_uri": _TEXT,
                        "code_verifier": _TEXT,
                        "refresh_token": _TEXT,
                        "recovery_proof": _TEXT,
                        "client_id": _TEXT, "authorization_details": _TEXT,
                    },
                    ("grant_type",),
                ),
                _FORM,
            ),
        )
    },
    "/nonce": {
        "post": operation(
            "Nonce endpoint: a c_nonce, good once.",
            {
                "200": json_answer_of(
                    "A nonce.", object_schema({"c_nonce": _TEXT}, ("c_nonce",))
                ),
                **{status: answer("oauth") for status in ("413", "503")},
            },
        )
    },
    "/credential": {
        "post": operation(
            "Credential endpoint: one credential per key proof.",
            {
                **_credential_answers(_CREDENTIALS),
                **{status: answer("oauth") for status in ("400", "401", "413", "503")},
            },
            request=body(
                object_schema(
                    {"credential_configuration_id": _TEXT, "credential_identifier": _TEXT,
                     "proofs": _PROOFS, "credential_response_encryption": {"type": "object"},
                     RECOVERY_MEMBER: _TEXT},
                    ("proofs",),
                ),
                "application/json",
            ),
            security="access_token",
        )
    },
    "/deferred-credential": {
        "post": operation(
            "Deferred credential endpoint: what was held, once it is approved.",
            {
                **_credential_answers(_CREDENTIALS),
                **{status: answer("oauth") for status in ("400", "401", "413", "503")},
            },
            request=body(
                object_schema({"transaction_id": _TEXT}, ("transaction_id",)),
                "application/json",
            ),
            security="access_token",
        )
    },
    "/notification": {
        "post": operation(
            "Notification endpoint: what became of credentials.",
            {
                "204": {"description": "Taken."},
                **{status: answer("oauth") for status in ("400", "401", "413", "503")},
            },
            request=body(
                object_schema(
                    {"notification_id": _TEXT, "event_description": _TEXT,
                     "event": {"enum": ["credential_accepted", "credential_failure",
                                        "credential_deleted"]}},
                    ("notification_id", "event"),
                ),
                "application/json",
            ),
            security="access_token",
        )
    },
    "/status-lists/{number}": {
        "get": operation(
            "A Token Status List.",
            {
                "200": {"description": "The signed list.",
                        "content": {"application/statuslist+jwt": {"schema": _TEXT}}},
                "404": answer("problem"),
                "503": answer("problem"),
            },
            parameters=[path_parameter("number")],
        )
    },
    "/status-lists/{number}/{purpose}": {
        "get": operation(
            "The same list as a BitstringStatusListCredential: revocation or suspension.",
            {
                "200": {"description": "The credential.",
                        "content": {"application/vc": {"schema": {"type": "object"}}}},
                "404": answer("problem"),
                "503": answer("problem"),
            },
            parameters=[path_parameter("number"), path_parameter("purpose")],
        )
    },
    "/receipts/{leaf}": {
        "get": operation(
            "Where a credential's leaf is in its batch.",
            {
                "200": json_answer_of("On the chain.", {"type": "object"}),
                "202": json_answer_of("Not yet.", {"type": "object"}),
                **{status: answer("problem") for status in ("400", "404", "503")},
            },
            parameters=[path_parameter("leaf")],
        )
    },
    "/batches/{root}": {
        "get": operation(
            "The signed manifest of a batch.",
            {
                "200": {"description": "The manifest.",
                        "content": {"application/anchor-manifest+jwt": {"schema": _TEXT}}},
                **{status: answer("problem") for status in ("400", "404", "503")},
            },
            parameters=[path_parameter("root")],
        )
    },
    "/healthz": {
        "get": operation(
            "Whether this process can serve.",
            {
                "200": json_answer_of("It can.", {"type": "object"}),
                "503": answer("problem"),
            },
        )
    },
    "/metrics": {
        "get": operation(
            "Metrics for Prometheus.",
            {
                "200": {"description": "Counts.", "content": {"text/plain": {"schema": _TEXT}}},
                "503": answer("problem"),
            },
        )
    },
    "/openapi.json": {
        "get": operation(
            "This document.", {"200": json_answer_of("The document.", {"type": "object"})}
        )
    },
    **RECOVERY_PATHS,
    **OPERATOR_PATHS,
}  # fmt: skip
_HTML: Final = {"text/html": {"schema": _TEXT}}
_AUTHORIZATION_PATHS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/par": {
        "post": operation(
            "Pushed authorization request (RFC 9126), the only kind there is.",
            {
                "201": json_answer_of(
                    "Kept.",
                    object_schema(
                        {"request_uri": _TEXT, "expires_in": _NUMBER},
                        ("request_uri", "expires_in"),
                    ),
                ),
                **{status: answer("oauth") for status in ("400", "401", "413", "503")},
            },
            request=body(
                object_schema(
                    {"response_type": {"enum": ["code"]}, "client_id": _TEXT,
                     "redirect_uri": _TEXT, "code_challenge": _TEXT,
                     "code_challenge_method": {"enum": ["S256"]}, "scope": _TEXT,
                     "state": _TEXT, "authorization_details": _TEXT, "issuer_state": _TEXT,
                     "dpop_jkt": _TEXT},
                    ("response_type", "client_id", "redirect_uri", "code_challenge",
                     "code_challenge_method"),
                ),
                _FORM,
            ),
        )
    },
    "/authorize": {
        "get": operation(
            "Authorization endpoint, for a browser with a pushed request.",
            {
                "200": {"description": "The login page.", "content": _HTML},
                "303": {"description": "To the city's login."},
                **{s: {"description": "Not to be continued.", "content": _HTML}
                   for s in ("400", "409", "503")},
            },
            parameters=[query_parameter("client_id"), query_parameter("request_uri")],
        )
    },
    "/authorize/return": {
        "get": operation(
            "Where the city's login sends the browser back to.",
            {
                "200": {"description": "The consent page.", "content": _HTML},
                **{s: {"description": "Not to be continued.", "content": _HTML}
                   for s in ("400", "403", "409", "503")},
            },
        )
    },
    **{
        f"/authorize/{page}": {
            "post": operation(
                f"The {page} form.",
                {
                    "200": {"description": "The next page.", "content": _HTML},
                    "303": {"description": "Back to the wallet."},
                    **{s: {"description": "Not to be continued.", "content": _HTML}
                       for s in ("400", "403", "409", "415", "503")},
                    "413": answer("problem"),
                },
                request=body({"type": "object", "additionalProperties": _TEXT}, _FORM),
            )
        }
        for page in ("login", "consent")
    },
    "/authorize/style.css": {
        "get": operation(
            "The style of the pages.",
            {"200": {"description": "CSS.", "content": {"text/css": {"schema": _TEXT}}}},
        )
    },
}  # fmt: skip


def openapi_document(
    base_url: str, paths: Sequence[str], *, by_code: bool, rolls: Container[str] = ()
) -> JsonObject:
    """Return the document of the issuers at `paths` (the base URL's own path first).

    Those in `rolls` have an electoral roll.
    """
    listed: dict[str, Any] = {}
    for path in paths:
        for name, item in _WELL_KNOWN.items():
            for place in (f"/.well-known/{name}{path}", f"{path}/.well-known/{name}"):
                listed[place] = {"get": item}
        listed[f"{path}/did.json" if path else "/.well-known/did.json"] = {"get": _DID}
        groups = (_PATHS, HOLDER_PATHS, *((_AUTHORIZATION_PATHS,) if by_code else ()))
        for group in groups:
            listed |= {path + place: item for place, item in group.items()}
        if path in rolls:
            listed |= {path + place: item for place, item in CENSUS_PATHS.items()}
    # One document for all departments, at the first of them.
    for path in paths[1:]:
        del listed[f"{path}/openapi.json"]
    origin = base_url.removesuffix(paths[0]) if paths[0] else base_url
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "Seoul Wallet issuer", "version": "1"},
        "servers": [{"url": origin}],
        "paths": listed,
        "components": {
            "securitySchemes": {
                "access_token": {"type": "http", "scheme": "bearer"},
                "operator": {"type": "http", "scheme": "bearer"},
            }
        },
    }


def openapi_blueprint(document: JsonObject) -> Blueprint:
    """Return the endpoint that serves the document."""
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return json_answer(document)

    return blueprint
