"""Strict request bodies: the right content type, UTF-8, no member or field twice."""

from __future__ import annotations

from flask import Request

from wallet.encoding.form import MAX_FORM_FIELDS, FormMalformed, parse_form
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import UnsupportedError

__all__ = ("MAX_FORM_FIELDS", "FormMalformed", "UnsupportedMediaType", "read_form", "read_json")


class UnsupportedMediaType(UnsupportedError):
    """The body is of another content type than this endpoint takes."""

    code = "unsupported_media_type"
    status = 415


def _require_type(request: Request, wanted: str) -> None:
    if request.mimetype != wanted:
        raise UnsupportedMediaType(f"send {wanted}")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")


def read_json(request: Request) -> JsonObject:
    """Return the body as a JSON object.

    Raises `UnsupportedMediaType`, `JsonMalformed`. The application's `MAX_CONTENT_LENGTH` bounds
    the size (413).
    """
    _require_type(request, "application/json")
    return parse_json_object(request.get_data(cache=False))


def read_form(request: Request) -> dict[str, str]:
    """Return the fields of an `application/x-www-form-urlencoded` body.

    Raises `UnsupportedMediaType`, `FormMalformed` (also when a field occurs twice).
    """
    _require_type(request, "application/x-www-form-urlencoded")
    body = request.get_data(cache=False)
    pairs = parse_form(body, max_bytes=len(body))
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise FormMalformed("a field occurs twice")
    return fields
