"""The OpenAPI document of the register: every route, every status it answers with."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from verifier.exclusions.api import BASE64URL_PATTERN, CLAIM_ID_PATTERN
from wallet.encoding.json import JsonObject
from wallet.protocols.exclusion import MAX_SEALED_BYTES
from wallet.web.application import json_answer
from wallet.web.openapi import OBJECT, PROBLEM, TEXT, VERSION, json_of, media, operation

_SPELLED: Final[JsonObject] = {"type": "string", "pattern": f"^{BASE64URL_PATTERN}$"}
_CLAIM: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["digest", "answer", "sealed"],
    "properties": {
        "digest": _SPELLED,
        "answer": _SPELLED,
        "sealed": {"type": "string", "minLength": 1, "maxLength": MAX_SEALED_BYTES},
    },
}
_FREE: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["free"],
    "properties": {"free": {"type": "boolean"}},
}
_ABOUT: Final[JsonObject] = {
    "type": "object",
    "required": ["did", "jwk", "groups"],
    "properties": {"did": TEXT, "jwk": OBJECT, "groups": {"type": "array", "items": TEXT}},
}
_HEALTH: Final[JsonObject] = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"enum": ["ok", "degraded"]}, "code": TEXT},
}


def _place(name: str, pattern: str) -> JsonObject:
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def build_document(base_url: str) -> JsonObject:
    """Return the document."""
    place = [_place("group", "[a-z][a-z0-9-]{0,47}"), _place("claim_id", CLAIM_ID_PATTERN)]
    return {
        "openapi": VERSION,
        "info": {
            "title": "Seoul Wallet register of exclusion groups",
            "version": "1",
            "description": "One claim for a person, in a group of programmes and a period.",
        },
        "servers": [{"url": base_url}],
        "paths": {
            "/v1/exclusion-groups": {
                "get": operation(
                    "Tell which groups are counted, and the key that wallets seal for",
                    {"200": json_of(_ABOUT, "the register")},
                )
            },
            "/v1/exclusion-groups/{group}/claims/{claim_id}": {
                "put": operation(
                    "Claim for a person; the same again gets the same answer",
                    {"200": json_of(_FREE, "whether the person has no other claim")},
                    (400, 401, 404, 409, 413, 415, 422, 503),
                    body=("application/json", _CLAIM),
                    bearer=True,
                    parameters=place,
                ),
                "delete": operation(
                    "Take a claim of the agency back",
                    {"204": {"description": "it is gone, or never was"}},
                    (401, 404, 503),
                    bearer=True,
                    parameters=place,
                ),
            },
            "/healthz": {
                "get": operation(
                    "Whether claims can be looked up",
                    {"200": json_of(_HEALTH, "they can"), "503": json_of(_HEALTH, "they cannot")},
                )
            },
            "/metrics": {
                "get": operation(
                    "Counters",
                    {"200": {"description": "Prometheus", **media("text/plain", TEXT)}},
                )
            },
            "/openapi.json": {
                "get": operation("This document", {"200": json_of(OBJECT, "the document")})
            },
        },
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def openapi_blueprint(base_url: str) -> Blueprint:
    """Return the endpoint of the document."""
    blueprint = Blueprint("openapi", __name__)
    document = build_document(base_url)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        """The document."""
        return json_answer(document)

    return blueprint
