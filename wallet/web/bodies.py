"""Strict request bodies: the right content type, UTF-8, no member or field twice."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from flask import Request

from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import MalformedError, UnsupportedError

MAX_FORM_FIELDS: Final = 50


class FormMalformed(MalformedError):
    """A form that is not valid, or names a field twice."""

    code = "form_malformed"


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
    try:
        text = request.get_data(cache=False).decode("utf-8")
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:
        raise FormMalformed("not a valid form in UTF-8, or too many fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise FormMalformed("a field occurs twice")
    return fields
