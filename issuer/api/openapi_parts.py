"""The recurring parts of the OpenAPI document: schemas, bodies, answers, parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from wallet.encoding.json import JsonObject

Operation: TypeAlias = JsonObject
_TEXT: Final = {"type": "string"}


def object_schema(properties: Mapping[str, Any], required: Sequence[str]) -> JsonObject:
    """Return the schema of an object."""
    return {"type": "object", "properties": dict(properties), "required": list(required)}


_ERRORS: Final[Mapping[str, JsonObject]] = {
    "oauth": {
        "description": "The protocol's own error.",
        "content": {
            "application/json": {
                "schema": object_schema({"error": _TEXT, "error_description": _TEXT}, ("error",))
            }
        },
    },
    "problem": {
        "description": "Problem details (RFC 9457).",
        "content": {
            "application/problem+json": {
                "schema": object_schema(
                    {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"},
                     "code": _TEXT, "detail": _TEXT},
                    ("type", "title", "status", "code", "detail"),
                )
            }
        },
    },
}  # fmt: skip


def answer(kind: str) -> JsonObject:
    """Return an error answer: `oauth` or `problem`."""
    return _ERRORS[kind]


def json_answer_of(description: str, schema: JsonObject) -> JsonObject:
    """Return an answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def body(schema: JsonObject, content_type: str) -> JsonObject:
    """Return a request body that must be there."""
    return {"required": True, "content": {content_type: {"schema": schema}}}


def path_parameter(name: str) -> JsonObject:
    """Return a path parameter of any text."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def query_parameter(name: str, *, required: bool = True) -> JsonObject:
    """Return a query parameter of any text."""
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}


def operation(
    summary: str,
    responses: Mapping[str, JsonObject],
    *,
    parameters: Sequence[JsonObject] = (),
    request: JsonObject | None = None,
    security: str | None = None,
) -> Operation:
    """Return one operation; a path that does not exist as spelled is 404 in any case."""
    made: JsonObject = {"summary": summary, "responses": dict(responses)}
    if parameters:
        made["parameters"] = list(parameters)
        made["responses"].setdefault("404", answer("problem"))
    if request is not None:
        made["requestBody"] = request
    if security is not None:
        made["security"] = [{security: []}]
    return made
