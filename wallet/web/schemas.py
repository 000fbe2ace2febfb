"""marshmallow at the edge: JSON of strangers becomes checked values or one typed error."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError

from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError


class RequestMalformed(MalformedError):
    """Members are missing, unknown or of the wrong form; the message names them, not values."""

    code = "request_malformed"


class RequestSchema(Schema):
    """Base of request schemas: unknown members are refused."""

    class Meta:
        unknown = RAISE


def load(schema: Schema, body: JsonObject) -> Any:
    """Return what `schema` makes of `body`. Raises `RequestMalformed`."""
    try:
        return schema.load(body)
    except ValidationError as error:
        names = error.messages_dict if isinstance(error.messages, dict) else {}
        shown = ", ".join(f"{name}: {_first(text)}" for name, text in sorted(names.items()))
        raise RequestMalformed(shown[:500] or "the request does not have the right form") from None


def _first(messages: Any) -> str:
    while isinstance(messages, (dict, list)) and messages:
        messages = next(iter(messages.values())) if isinstance(messages, dict) else messages[0]
    return str(messages)
