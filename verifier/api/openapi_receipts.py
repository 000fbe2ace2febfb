"""Receipts and the agency's log in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from verifier.api.openapi_parts import OBJECT, TEXT, json_of, operation
from wallet.encoding.json import JsonObject

_JSON: Final = "application/json"
_NULLABLE_TEXT: Final[JsonObject] = {"type": ["string", "null"]}
_ID: Final[JsonObject] = {
    "name": "entry_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
_FROM: Final[JsonObject] = {
    "name": "from",
    "in": "query",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": 2**53},
}
RECEIPT: Final[JsonObject] = {
    "type": "object",
    "required": ["id", "receipt", "anchor_salt", "salts"],
    "properties": {
        "id": TEXT,
        "receipt": {**TEXT, "description": "compact JWS, typ decision-receipt+jwt"},
        "anchor_salt": TEXT,
        "salts": {"type": "object", "additionalProperties": TEXT},
    },
}
_ENTRY: Final[JsonObject] = {
    "type": "object",
    "required": ["id", "entry", "anchor_salt"],
    "properties": {
        "id": TEXT,
        "entry": {**TEXT, "description": "compact JWS, typ agency-entry+jwt"},
        "anchor_salt": TEXT,
    },
}
_READ: Final[JsonObject] = {
    "type": "object",
    "required": ["proof"],
    "properties": {
        "decision_receipt": RECEIPT,
        "countersignature": _NULLABLE_TEXT,
        "guardian_countersignature": {
            **_NULLABLE_TEXT,
            "description": "of a guardian who took part in a child's application",
        },
        "proof": {
            "type": "object",
            "required": ["state", "anchor", "manifest", "log"],
            "properties": {"state": {"enum": ["unanchored", "pending", "included", "final"]}},
        },
    },
}
_COLLECTED: Final[JsonObject] = {
    "type": "object",
    "required": ["decision_receipt"],
    "properties": {"decision_receipt": RECEIPT},
}
_STATEMENT: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["statement"],
    "properties": {
        "statement": {
            "type": "string",
            "minLength": 1,
            "maxLength": 8192,
            "description": "compact JWS, typ receipt-holder+jwt",
        }
    },
}
_HEAD: Final[JsonObject] = {
    "type": "object",
    "required": ["head"],
    "properties": {
        "head": {**_NULLABLE_TEXT, "description": "compact JWS, typ agency-log-head+jwt"},
        "path": {"type": "array", "items": TEXT},
    },
}
_SIGNED: Final = (400, 404, 409, 413, 415, 422, 503)


def receipt_paths() -> JsonObject:
    """Return the paths of `verifier.api.receipts`."""
    body = (_JSON, _STATEMENT)
    kept = {"204": {"description": "kept"}}
    entry = {"200": json_of(_ENTRY, "the agency's signed entry")}
    return {
        "/v1/receipts/{entry_id}": {
            "get": operation(
                "Read a receipt or another entry of the log, and where it is by now",
                {"200": json_of(_READ, "it")},
                (404, 503),
                parameters=[_ID],
            )
        },
        "/v1/receipts/{entry_id}/countersignature": {
            "post": operation(
                "Keep the holder's countersignature", kept, _SIGNED, body=body, parameters=[_ID]
            )
        },
        "/v1/receipts/{entry_id}/deletion": {
            "post": operation(
                "Delete what need not be kept", entry, _SIGNED, body=body, parameters=[_ID]
            )
        },
        "/v1/receipts/collections": {
            "post": operation(
                "Collect the receipt of an answer that named the key which signs",
                {"200": json_of(_COLLECTED, "it")},
                (400, 404, 413, 415, 422, 503),
                body=body,
            )
        },
        "/v1/receipts/withdrawals": {
            "post": operation(
                "Withdraw an application before it is decided",
                entry,
                (400, 409, 413, 415, 422, 503),
                body=body,
            )
        },
        "/v1/agency-log": {
            "get": operation(
                "The newest head of the agency's log", {"200": json_of(_HEAD, "it")}, (503,)
            )
        },
        "/v1/agency-log/extension": {
            "get": operation(
                "That the newest head extends an earlier one",
                {"200": json_of({**OBJECT, **_HEAD}, "head and path")},
                (400, 404, 503),
                parameters=[_FROM],
            )
        },
    }
