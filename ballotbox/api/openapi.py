"""The OpenAPI document of the ballot box: every route, every status it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response

from wallet.encoding.json import JsonObject
from wallet.web.application import json_answer
from wallet.web.openapi import OBJECT, PROBLEM, TEXT, VERSION, json_of, media, operation

_NUMBER: Final[JsonObject] = {"type": "integer"}
_HEX: Final[JsonObject] = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
_STATEMENT: Final[JsonObject] = {
    "type": "object",
    "required": ["body", "signature"],
    "properties": {"body": OBJECT, "signature": _HEX},
}
_TAKEN: Final = (400, 409, 413, 415, 422, 503)
_JSON_BODY: Final = ("application/json", _STATEMENT)


def _members(**properties: JsonObject) -> JsonObject:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(item: JsonObject) -> JsonObject:
    return {"type": "array", "items": item}


def _query(name: str, *, required: bool = False) -> JsonObject:
    pattern = {"type": "string", "pattern": "^[0-9]{1,10}$"}
    return {"name": name, "in": "query", "required": required, "schema": pattern}


def _sent(summary: str, answer: str) -> JsonObject:
    return {
        "post": operation(
            summary,
            {"202": json_of(_members(**{answer: _NUMBER}), "Taken.")},
            _TAKEN,
            body=_JSON_BODY,
        )
    }


_PATH: Final = json_of(_members(path=_list(_HEX)), "The path.")
_PATHS: Final[Mapping[str, JsonObject]] = {
    "/manifest.json": {
        "get": operation("The manifest.", {"200": json_of(OBJECT, "Its bytes, as hashed.")})
    },
    "/log": {
        "get": operation(
            "Entries of the log as they stand in log.bin, at most 100.",
            {"200": {"description": "Entries.", **media("application/octet-stream", TEXT)}},
            (400, 503),
            parameters=[_query("start"), _query("count")],
        )
    },
    "/checkpoints": {
        "get": operation(
            "Signed checkpoints from number `first` on, at most 100.",
            {"200": json_of(_members(checkpoints=_list(_STATEMENT)), "Statements.")},
            (400, 503),
            parameters=[_query("first"), _query("count")],
        )
    },
    "/checkpoints/newest": {
        "get": operation("The newest checkpoint.", {"200": json_of(_STATEMENT, "It.")}, (404, 503))
    },
    "/anchors": {
        "get": operation(
            "Final transactions of the opening, of checkpoints, and of the seal.",
            {
                "200": json_of(
                    _members(
                        opened={"type": ["string", "null"]},
                        checkpoints=_list(_members(number=_NUMBER, transaction=_HEX)),
                        sealed={"type": ["string", "null"]},
                    ),
                    "Hashes; null and left out while they are not final.",
                )
            },
            (400, 503),
            parameters=[_query("first"), _query("count")],
        )
    },
    "/proofs/inclusion": {
        "get": operation(
            "The RFC 9162 inclusion path of an entry.",
            {"200": _PATH},
            (400, 404, 503),
            parameters=[_query("index", required=True), _query("size", required=True)],
        )
    },
    "/proofs/consistency": {
        "get": operation(
            "The RFC 9162 consistency path between two sizes.",
            {"200": _PATH},
            (400, 404, 503),
            parameters=[_query("old_size", required=True), _query("size", required=True)],
        )
    },
    "/ballots": {
        "post": operation(
            "Cast a ballot.",
            {"201": json_of(_STATEMENT, "The board's signed acceptance.")},
            _TAKEN,
            body=("application/cbor", {"type": "string", "format": "binary"}),
        )
    },
    "/ballots/{code}": {
        "get": operation(
            "Where the ballot with a tracking code stands.",
            {
                "200": json_of(
                    _members(index=_NUMBER, checkpoint=_STATEMENT, path=_list(_HEX)),
                    "A receipt.",
                )
            },
            (400, 404, 503),
            parameters=[{"name": "code", "in": "path", "required": True, "schema": TEXT}],
        )
    },
    "/ceremony": _sent("Send a message of the key ceremony.", "round"),
    "/batches": _sent("Send an officer's signed batch.", "number"),
    "/decryption-shares": _sent("Send a trustee's decryption share.", "trustee"),
    "/tie-nonces": _sent("Send a trustee's nonce.", "trustee"),
    "/tie-block": {
        "get": operation(
            "The block of the tie-break, once it is final.",
            {"200": json_of(_members(number=_NUMBER, hash=_HEX, time=_NUMBER), "The block.")},
            (409, 503),
        )
    },
    "/healthz": {
        "get": operation(
            "Whether the box does what it promises; the codes of what is not well.",
            {
                "200": json_of(OBJECT, "All is well."),
                "503": json_of(OBJECT, "Degraded: look at the codes."),
            },
        )
    },
    "/readyz": {
        "get": operation(
            "Whether requests can be served; a box whose chain is away still takes ballots.",
            {"200": json_of(OBJECT, "They can.")},
            (503,),
        )
    },
    "/metrics": {
        "get": operation(
            "Metrics for Prometheus.",
            {"200": {"description": "Counts.", **media("text/plain", TEXT)}},
        )
    },
    "/openapi.json": {
        "get": operation("This document.", {"200": json_of(OBJECT, "The document.")})
    },
}


def openapi_document() -> JsonObject:
    """Return the document."""
    return {
        "openapi": VERSION,
        "info": {"title": "Seoul Wallet ballot box", "version": "1"},
        "paths": dict(_PATHS),
        "components": {"schemas": {"Problem": PROBLEM}},
    }


def openapi_blueprint() -> Blueprint:
    """Return the endpoint that serves the document."""
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return json_answer(openapi_document())

    return blueprint
