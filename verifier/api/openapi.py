"""The OpenAPI 3.1 document of the verifier, served at `/openapi.json`."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response

from verifier.api.open_routes import OPEN_ROUTES
from verifier.api.openapi_eligibility import batch_paths, eligibility_paths
from verifier.api.openapi_oidc import oidc_paths
from verifier.api.openapi_parts import (
    FORM,
    OBJECT,
    PROBLEM,
    SHORT,
    TEXT,
    TIME,
    json_of,
    media,
    operation,
)
from verifier.api.openapi_receipts import RECEIPT, receipt_paths
from verifier.client import PREFIXES
from verifier.queries import FORMATS
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vp import (
    MAX_ORIGINS,
    MAX_PURPOSE_CHARACTERS,
    REQUEST_OBJECT_MEDIA_TYPE,
    ResponseMode,
)
from wallet.protocols.oid4vp_session import Flow
from wallet.protocols.oid4vp_transaction import MAX_TRANSACTIONS
from wallet.web.application import json_answer
from wallet.web.cross_origin import mark_open_routes

_OUTCOME: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "state": {"enum": ["requested", "fetched", "answered"]},
        "outcome": {"enum": ["accepted", "rejected", "unavailable"]},
        "code": {"type": ["string", "null"]},
        "credentials": {"type": ["object", "null"]},
        "facts_as_of": {"type": ["integer", "null"]},
        "facts_age_s": {"type": ["integer", "null"]},
    },
}
_CREATE: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "query": SHORT,
        "dcql_query": OBJECT,
        "purpose": {"type": "string", "minLength": 1, "maxLength": MAX_PURPOSE_CHARACTERS},
        "one_holder": {"type": "boolean"},
        "client_id_prefix": {"enum": list(PREFIXES)},
        "response_mode": {"enum": [mode.value for mode in ResponseMode]},
        "flow": {"enum": [flow.value for flow in Flow]},
        "request_uri_method": {"enum": ["get", "post"]},
        "transaction_data": {
            "type": "array",
            "items": OBJECT,
            "minItems": 1,
            "maxItems": MAX_TRANSACTIONS,
        },
        "return_uri": SHORT,
        "expected_origins": {
            "type": "array",
            "items": SHORT,
            "minItems": 1,
            "maxItems": MAX_ORIGINS,
        },
    },
}
_CREATED: Final[JsonObject] = {
    "type": "object",
    "required": ["request_id", "result_uri", "result_token", "expires_at"],
    "properties": {
        "request_id": TEXT,
        "link": TEXT,
        "request_uri": TEXT,
        "dc_request": OBJECT,
        "request_object": TEXT,
        "result_uri": TEXT,
        "result_token": TEXT,
        "expires_at": TIME,
    },
}
_REPORT: Final[JsonObject] = {
    "type": "object",
    "required": ["outcome", "code", "steps", "credential"],
    "properties": {
        "outcome": {"enum": ["accepted", "rejected", "unavailable"]},
        "code": {"type": ["string", "null"]},
        "steps": {"type": "array", "items": OBJECT},
        "credential": {"type": ["object", "null"]},
    },
}
_VERIFY: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["presentation", "audience", "nonce"],
    "properties": {
        "presentation": {"anyOf": [{"type": "string", "minLength": 1}, OBJECT]},
        "format": {"enum": list(FORMATS), "default": SD_JWT_VC_FORMAT},
        "audience": SHORT,
        "nonce": SHORT,
        "query": SHORT,
    },
}
_RESPONSE_FORM: Final[JsonObject] = {
    "type": "object",
    "properties": {"vp_token": TEXT, "response": TEXT, "error": TEXT, "state": TEXT},
}
_HEALTH: Final[JsonObject] = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"enum": ["ok", "degraded"]}},
}


def build_document(base_url: str, *, oidc: bool = False) -> JsonObject:
    """Return the document; with `oidc` that of a verifier that logs people in."""
    document: JsonObject = {
        "openapi": "3.1.0",
        "info": {
            "title": "Seoul Wallet verifier",
            "version": "1",
            "description": "OpenID4VP 1.0 for wallets, decisions for agencies.",
        },
        "servers": [{"url": base_url}],
        "paths": {
            **_agency_paths(),
            **eligibility_paths(),
            **batch_paths(),
            **receipt_paths(),
            **_wallet_paths(),
            **_operator_paths(),
            **(oidc_paths() if oidc else {}),
        },
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    return mark_open_routes(document, OPEN_ROUTES)


def _agency_paths() -> JsonObject:
    token, usual = "application/json", (400, 401, 413, 415, 503)
    redeem = {
        "type": "object",
        "additionalProperties": False,
        "required": ["response_code"],
        "properties": {"response_code": SHORT},
    }
    page_answer = {
        "type": "object",
        "additionalProperties": False,
        "required": ["data"],
        "properties": {"data": OBJECT, "origin": SHORT},
    }
    waiting = {"202": json_of(_OUTCOME, "nobody answered yet")}
    return {
        "/v1/requests": {
            "post": operation(
                "Open a presentation request",
                {"201": json_of(_CREATED, "opened")},
                usual,
                body=(token, _CREATE),
                bearer=True,
            )
        },
        "/v1/requests/{session_id}/result": {
            "get": operation(
                "Tell how a request stands",
                {"200": json_of(_OUTCOME, "answered"), **waiting},
                (401, 404, 503),
                with_session=True,
                bearer=True,
            ),
            "post": operation(
                "Collect the result of a same-device request",
                {"200": json_of(_OUTCOME, "answered")},
                (*usual, 404, 409),
                body=(token, redeem),
                with_session=True,
                bearer=True,
            ),
        },
        "/v1/requests/{session_id}/response": {
            "post": operation(
                "Take what a page got through the Digital Credentials API",
                {"200": json_of(OBJECT, "taken")},
                (*usual, 404, 409, 422),
                body=(token, page_answer),
                with_session=True,
                bearer=True,
            )
        },
        "/v1/verify": {
            "post": operation(
                "Check a presentation in hand",
                {"200": json_of(_REPORT, "the report, whatever the outcome")},
                usual,
                body=(token, _VERIFY),
                bearer=True,
            )
        },
    }


def _wallet_paths() -> JsonObject:
    request_object = {"description": "the signed request", **media(REQUEST_OBJECT_MEDIA_TYPE,
                                                                    TEXT)}  # fmt: skip
    nonce = {
        "type": "object",
        "properties": {"wallet_nonce": TEXT, "wallet_metadata": TEXT},
    }
    taken = {
        "type": "object",
        "properties": {"redirect_uri": TEXT, "decision_receipt": RECEIPT},
    }
    return {
        "/request-objects/{session_id}": {
            "get": operation(
                "Hand out the request object, once",
                {"200": request_object},
                (404, 409, 503),
                with_session=True,
            ),
            "post": operation(
                "The same, repeating the wallet's nonce",
                {"200": request_object},
                (400, 404, 409, 413, 415, 503),
                body=(FORM, nonce),
                body_required=False,
                with_session=True,
            ),
        },
        "/responses": {
            "post": operation(
                "Take a wallet's response",
                {"200": json_of(taken, "taken")},
                (400, 413, 415, 503),
                body=(FORM, _RESPONSE_FORM),
            )
        },
    }


def _operator_paths() -> JsonObject:
    metrics = {"description": "Prometheus text format", **media("text/plain", TEXT)}
    return {
        "/.well-known/did.json": {
            "get": operation("The verifier's DID document", {"200": json_of(OBJECT, "it")})
        },
        "/healthz": {
            "get": operation(
                "Whether this verifier can decide",
                {"200": json_of(_HEALTH, "it can"), "503": json_of(_HEALTH, "it cannot")},
            )
        },
        "/metrics": {"get": operation("Counters", {"200": metrics})},
    }


def openapi_blueprint(base_url: str, *, oidc: bool = False) -> Blueprint:
    """Return the endpoint of the document."""
    blueprint = Blueprint("openapi", __name__)
    document: dict[str, Any] = build_document(base_url, oidc=oidc)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        """The document."""
        return json_answer(document)

    return blueprint
