"""The OpenAPI 3.1 document of the verifier, served at `/openapi.json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask import Blueprint, Response

from verifier.client import PREFIXES
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

_FORM: Final = "application/x-www-form-urlencoded"
_SHORT: Final[JsonObject] = {"type": "string", "minLength": 1, "maxLength": 512}
_OBJECT: Final[JsonObject] = {"type": "object"}
_TEXT: Final[JsonObject] = {"type": "string"}
_TIME: Final[JsonObject] = {"type": "integer", "description": "unix seconds"}
_SESSION: Final[JsonObject] = {
    "name": "session_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
_PROBLEM: Final[JsonObject] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {**_TEXT, "description": "stable; the list is in docs/errors.md"},
        "detail": _TEXT,
        "request_id": {"type": ["string", "null"]},
    },
}
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
        "query": _SHORT,
        "dcql_query": _OBJECT,
        "purpose": {"type": "string", "minLength": 1, "maxLength": MAX_PURPOSE_CHARACTERS},
        "client_id_prefix": {"enum": list(PREFIXES)},
        "response_mode": {"enum": [mode.value for mode in ResponseMode]},
        "flow": {"enum": [flow.value for flow in Flow]},
        "request_uri_method": {"enum": ["get", "post"]},
        "transaction_data": {
            "type": "array",
            "items": _OBJECT,
            "minItems": 1,
            "maxItems": MAX_TRANSACTIONS,
        },
        "return_uri": _SHORT,
        "expected_origins": {
            "type": "array",
            "items": _SHORT,
            "minItems": 1,
            "maxItems": MAX_ORIGINS,
        },
    },
}
_CREATED: Final[JsonObject] = {
    "type": "object",
    "required": ["request_id", "result_uri", "result_token", "expires_at"],
    "properties": {
        "request_id": _TEXT,
        "link": _TEXT,
        "request_uri": _TEXT,
        "dc_request": _OBJECT,
        "result_uri": _TEXT,
        "result_token": _TEXT,
        "expires_at": _TIME,
    },
}
_REPORT: Final[JsonObject] = {
    "type": "object",
    "required": ["outcome", "code", "steps", "credential"],
    "properties": {
        "outcome": {"enum": ["accepted", "rejected", "unavailable"]},
        "code": {"type": ["string", "null"]},
        "steps": {"type": "array", "items": _OBJECT},
        "credential": {"type": ["object", "null"]},
    },
}
_VERIFY: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["presentation", "audience", "nonce"],
    "properties": {
        "presentation": {"type": "string", "minLength": 1},
        "audience": _SHORT,
        "nonce": _SHORT,
        "query": _SHORT,
    },
}
_RESPONSE_FORM: Final[JsonObject] = {
    "type": "object",
    "properties": {"vp_token": _TEXT, "response": _TEXT, "error": _TEXT, "state": _TEXT},
}
_HEALTH: Final[JsonObject] = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"enum": ["ok", "degraded"]}},
}


def _media(content_type: str, schema: JsonObject) -> JsonObject:
    return {"content": {content_type: {"schema": schema}}}


def _json(schema: JsonObject, text: str) -> JsonObject:
    return {"description": text, **_media("application/json", schema)}


def _answers(good: dict[str, JsonObject], problems: Iterable[int]) -> JsonObject:
    reference = {"$ref": "#/components/schemas/Problem"}
    problem = {"description": "a problem", **_media("application/problem+json", reference)}
    return good | {str(status): problem for status in problems}


def _operation(
    summary: str,
    good: dict[str, JsonObject],
    problems: Iterable[int] = (),
    *,
    body: tuple[str, JsonObject] | None = None,
    body_required: bool = True,
    with_session: bool = False,
    bearer: bool = False,
) -> JsonObject:
    operation: JsonObject = {"summary": summary, "responses": _answers(good, problems)}
    if with_session:
        operation["parameters"] = [_SESSION]
    if body is not None:
        operation["requestBody"] = {"required": body_required, **_media(*body)}
    if bearer:
        operation["security"] = [{"bearer": []}]
    return operation


def build_document(base_url: str) -> JsonObject:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Seoul Wallet verifier",
            "version": "1",
            "description": "OpenID4VP 1.0 for wallets, decisions for agencies.",
        },
        "servers": [{"url": base_url}],
        "paths": {**_agency_paths(), **_wallet_paths(), **_operator_paths()},
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _agency_paths() -> JsonObject:
    token, usual = "application/json", (400, 401, 413, 415, 503)
    redeem = {
        "type": "object",
        "additionalProperties": False,
        "required": ["response_code"],
        "properties": {"response_code": _SHORT},
    }
    page_answer = {
        "type": "object",
        "additionalProperties": False,
        "required": ["data"],
        "properties": {"data": _OBJECT, "origin": _SHORT},
    }
    waiting = {"202": _json(_OUTCOME, "nobody answered yet")}
    return {
        "/v1/requests": {
            "post": _operation(
                "Open a presentation request",
                {"201": _json(_CREATED, "opened")},
                usual,
                body=(token, _CREATE),
                bearer=True,
            )
        },
        "/v1/requests/{session_id}/result": {
            "get": _operation(
                "Tell how a request stands",
                {"200": _json(_OUTCOME, "answered"), **waiting},
                (401, 404, 503),
                with_session=True,
                bearer=True,
            ),
            "post": _operation(
                "Collect the result of a same-device request",
                {"200": _json(_OUTCOME, "answered")},
                (*usual, 404, 409),
                body=(token, redeem),
                with_session=True,
                bearer=True,
            ),
        },
        "/v1/requests/{session_id}/response": {
            "post": _operation(
                "Take what a page got through the Digital Credentials API",
                {"200": _json(_OBJECT, "taken")},
                (*usual, 404, 409, 422),
                body=(token, page_answer),
                with_session=True,
                bearer=True,
            )
        },
        "/v1/verify": {
            "post": _operation(
                "Check a presentation in hand",
                {"200": _json(_REPORT, "the report, whatever the outcome")},
                usual,
                body=(token, _VERIFY),
                bearer=True,
            )
        },
    }


def _wallet_paths() -> JsonObject:
    request_object = {"description": "the signed request", **_media(REQUEST_OBJECT_MEDIA_TYPE,
                                                                    _TEXT)}  # fmt: skip
    nonce = {
        "type": "object",
        "properties": {"wallet_nonce": _TEXT, "wallet_metadata": _TEXT},
    }
    taken = {"type": "object", "properties": {"redirect_uri": _TEXT}}
    return {
        "/request-objects/{session_id}": {
            "get": _operation(
                "Hand out the request object, once",
                {"200": request_object},
                (404, 409, 503),
                with_session=True,
            ),
            "post": _operation(
                "The same, repeating the wallet's nonce",
                {"200": request_object},
                (400, 404, 409, 413, 415, 503),
                body=(_FORM, nonce),
                body_required=False,
                with_session=True,
            ),
        },
        "/responses": {
            "post": _operation(
                "Take a wallet's response",
                {"200": _json(taken, "taken")},
                (400, 413, 415, 503),
                body=(_FORM, _RESPONSE_FORM),
            )
        },
    }


def _operator_paths() -> JsonObject:
    metrics = {"description": "Prometheus text format", **_media("text/plain", _TEXT)}
    return {
        "/.well-known/did.json": {
            "get": _operation("The verifier's DID document", {"200": _json(_OBJECT, "it")})
        },
        "/healthz": {
            "get": _operation(
                "Whether this verifier can decide",
                {"200": _json(_HEALTH, "it can"), "503": _json(_HEALTH, "it cannot")},
            )
        },
        "/metrics": {"get": _operation("Counters", {"200": metrics})},
    }


def openapi_blueprint(base_url: str) -> Blueprint:
    """Return the endpoint of the document."""
    blueprint = Blueprint("openapi", __name__)
    document: dict[str, Any] = build_document(base_url)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        """The document."""
        return json_answer(document)

    return blueprint
