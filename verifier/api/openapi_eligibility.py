"""Eligibility decisions, programmes and batches in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from verifier.api.openapi_parts import (
    FORM,
    OBJECT,
    SHORT,
    TEXT,
    TIME,
    json_of,
    media,
    operation,
)
from verifier.api.openapi_receipts import RECEIPT
from verifier.client import PREFIXES
from wallet.encoding.json import JsonObject

_JSON: Final = "application/json"
_NDJSON: Final = "application/x-ndjson"
_APPLICATION: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["programme"],
    "properties": {
        "programme": {"type": "string", "minLength": 1, "maxLength": 48},
        "version": {"type": "string", "minLength": 1, "maxLength": 32},
    },
}
_REQUEST: Final[JsonObject] = {
    **_APPLICATION,
    "properties": {
        **_APPLICATION["properties"],
        "client_id_prefix": {"enum": list(PREFIXES)},
        "flow": {"enum": ["cross_device", "frames"]},
    },
}
_CREATED: Final[JsonObject] = {
    "type": "object",
    "required": ["request_id", "decision_uri", "result_token", "expires_at"],
    "properties": {
        "request_id": TEXT,
        "link": TEXT,
        "request_uri": {"type": ["string", "null"]},
        "request_object": {**TEXT, "description": "to be shown in frames (flow frames)"},
        "decision_uri": TEXT,
        "result_token": TEXT,
        "expires_at": TIME,
    },
}
_DECISION: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "decision": {
            "type": ["object", "null"],
            "properties": {"outcome": {"enum": ["eligible", "not_eligible", "unknown"]}},
        },
        "code": {"type": ["string", "null"]},
        "decision_receipt": RECEIPT,
    },
}
_BATCH: Final[JsonObject] = {
    "type": "object",
    "required": ["batch_id", "chunks_uri", "decisions_uri", "audience", "nonce", "limits"],
    "properties": {
        "batch_id": TEXT,
        "state": {"enum": ["open", "sealed", "done"]},
        "next_chunk": {"type": "integer"},
        "applications": {"type": "object"},
        "limits": {"type": "object"},
    },
}
_PAGE: Final[JsonObject] = {
    "type": "object",
    "required": ["decisions", "next", "is_last"],
    "properties": {
        "decisions": {"type": "array"},
        "next": {"type": "integer"},
        "is_last": {"type": "boolean"},
    },
}


def _in_path(name: str, schema: JsonObject) -> JsonObject:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str) -> JsonObject:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}}


_BATCH_ID: Final = _in_path("batch_id", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"})
_CLAIM_ID: Final = _in_path("claim_id", {"type": "string", "pattern": "^[0-9a-f]{64}$"})
_NUMBER: Final = _in_path("number", {"type": "integer", "minimum": 0, "maximum": 1_000_000})
_WORD: Final[JsonObject] = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,48}$"}


def eligibility_paths() -> JsonObject:
    """Return the paths of `verifier.api.eligibility`."""
    decided = {
        "200": json_of(_DECISION, "what was decided"),
        "202": json_of(OBJECT, "nobody answered yet"),
    }
    ask = {"201": json_of(_CREATED, "opened")}
    apply = operation(
        "Apply for a programme", ask, (400, 409, 413, 415, 503), body=(_JSON, _APPLICATION)
    )
    apply["requestBody"]["content"] |= media(FORM, _APPLICATION)["content"]
    return {
        "/v1/eligibility/requests": {
            "post": operation(
                "Ask a holder for what a programme needs",
                ask,
                (400, 401, 409, 413, 415, 503),
                body=(_JSON, _REQUEST),
                bearer=True,
            )
        },
        "/v1/eligibility/applications": {"post": apply},
        "/v1/eligibility/decisions/{session_id}": {
            method: operation(
                "Tell what was decided", decided, (401, 404, 503), with_session=True, bearer=True
            )
            for method in ("get", "post")
        },
        "/v1/eligibility/claims/{claim_id}": {
            "delete": operation(
                "Take back a benefit that was granted",
                {"204": {"description": "taken back"}},
                (401, 404, 503),
                parameters=(_CLAIM_ID,),
                bearer=True,
            )
        },
        "/v1/programmes": {
            "get": operation("List the programmes", {"200": json_of(OBJECT, "all versions")})
        },
        "/v1/programmes/{programme_id}/{version}": {
            "get": operation(
                "One version of a programme",
                {"200": json_of(OBJECT, "its document")},
                (400, 404),
                parameters=[_in_path("programme_id", _WORD), _in_path("version", _WORD)],
            )
        },
        "/v1/programmes/catalogue": {
            "get": operation("The signed catalogue", {"200": json_of(OBJECT, "it")}, (503,))
        },
        "/v1/programmes/schema": {
            "get": operation("JSON Schema of programme files", {"200": json_of(OBJECT, "it")})
        },
    }


def batch_paths() -> JsonObject:
    """Return the paths of `verifier.api.batches`."""
    root = "/v1/eligibility/batches"
    taken = {"202": json_of(_BATCH, "how far the batch is")}
    page = json_of(_PAGE, "a page of decisions")
    page["content"] |= media(_NDJSON, TEXT)["content"]
    page["headers"] = {"Link": {"schema": TEXT, "description": "the next page, for NDJSON"}}
    mine: dict[str, Any] = {"bearer": True, "parameters": [_BATCH_ID]}
    chunk = operation(
        "Send a chunk of applications",
        taken,
        (400, 401, 404, 409, 413, 415, 503),
        body=(_NDJSON, SHORT),
        bearer=True,
        parameters=[_BATCH_ID, _NUMBER],
    )
    decisions = operation(
        "Read decisions",
        {"200": page},
        (400, 401, 404, 503),
        bearer=True,
        parameters=[_BATCH_ID, _in_query("after"), _in_query("limit")],
    )
    gone = {"204": {"description": "removed"}}
    return {
        root: {"post": operation("Open a batch", taken, (401, 409, 503), bearer=True)},
        root + "/{batch_id}": {
            "get": operation(
                "How far a batch is",
                {"200": json_of(_BATCH, "how far it is")},
                (401, 404, 503),
                **mine,
            ),
            "delete": operation("Remove a batch", gone, (401, 404, 503), **mine),
        },
        root + "/{batch_id}/chunks/{number}": {"put": chunk},
        root + "/{batch_id}/seal": {
            "post": operation("Say that no chunk follows", taken, (401, 404, 409, 503), **mine)
        },
        root + "/{batch_id}/decisions": {"get": decisions},
    }
