"""What OpenAPI documents are made of: bodies, answers, problems, operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wallet.encoding.json import JsonObject

VERSION: Final = "3.1.0"
OBJECT: Final[JsonObject] = {"type": "object"}
TEXT: Final[JsonObject] = {"type": "string"}
PROBLEM: Final[JsonObject] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "code": {**TEXT, "description": "stable; the list is in docs/errors.md"},
        "detail": TEXT,
        "error": {**TEXT, "description": "the protocol's own name, where it has one"},
        "request_id": {"type": ["string", "null"]},
    },
}


def media(content_type: str, schema: JsonObject) -> JsonObject:
    """Return the content of a body."""
    return {"content": {content_type: {"schema": schema}}}


def json_of(schema: JsonObject, text: str) -> JsonObject:
    """Return an answer in JSON."""
    return {"description": text, **media("application/json", schema)}


def answers(good: dict[str, JsonObject], problems: Iterable[int]) -> JsonObject:
    """Return the answers, with a problem for each status of `problems`."""
    reference = {"$ref": "#/components/schemas/Problem"}
    problem = {"description": "a problem", **media("application/problem+json", reference)}
    return good | {str(status): problem for status in problems}


def operation(
    summary: str,
    good: dict[str, JsonObject],
    problems: Iterable[int] = (),
    *,
    body: tuple[str, JsonObject] | None = None,
    body_required: bool = True,
    bearer: bool = False,
    parameters: Sequence[JsonObject] = (),
) -> JsonObject:
    """Return an operation; `body` is a media type and a schema, `problems` are statuses."""
    operation: JsonObject = {"summary": summary, "responses": answers(good, problems)}
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        operation["requestBody"] = {"required": body_required, **media(*body)}
    if bearer:
        operation["security"] = [{"bearer": []}]
    return operation
