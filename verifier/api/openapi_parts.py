"""What the parts of the OpenAPI document are made of, beyond `wallet.web.openapi`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wallet.encoding.json import JsonObject
from wallet.web import openapi
from wallet.web.openapi import OBJECT as OBJECT
from wallet.web.openapi import PROBLEM as PROBLEM
from wallet.web.openapi import TEXT as TEXT
from wallet.web.openapi import answers as answers
from wallet.web.openapi import json_of as json_of
from wallet.web.openapi import media as media

FORM: Final = "application/x-www-form-urlencoded"
SHORT: Final[JsonObject] = {"type": "string", "minLength": 1, "maxLength": 512}
TIME: Final[JsonObject] = {"type": "integer", "description": "unix seconds"}
SESSION: Final[JsonObject] = {
    "name": "session_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}


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
    return openapi.operation(
        summary,
        good,
        problems,
        body=body,
        body_required=body_required,
        bearer=bearer,
        parameters=[*([SESSION] if with_session else []), *parameters],
    )
