"""What the parts of the OpenAPI document are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wallet.encoding.json import JsonObject

FORM: Final = "application/x-www-form-urlencoded"
SHORT: Final[JsonObject] = {"type": "string", "minLength": 1, "maxLength": 512}
OBJECT: Final[JsonObject] = {"type": "object"}
TEXT: Final[JsonObject] = {"type": "string"}
TIME: Final[JsonObject] = {"type": "integer", "description": "unix seconds"}
SESSION: Final[JsonObject] = {
    "name": "session_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
PROBLEM: Final[JsonObject] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "code": {**TEXT, "description": "stable; the list is in docs/errors.md"},
        "detail": TEXT,
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
    with_session: bool = False,
    bearer: bool = False,
    parameters: Sequence[JsonObject] = (),
) -> JsonObject:
    """Return an operation; `body` is a media type and a schema, `problems` are statuses."""
    operation: JsonObject = {"summary": summary, "responses": answers(good, problems)}
    listed = [*([SESSION] if with_session else []), *parameters]
    if listed:
        operation["parameters"] = listed
    if body is not None:
        operation["requestBody"] = {"required": body_required, **media(*body)}
    if bearer:
        operation["security"] = [{"bearer": []}]
    return operation
