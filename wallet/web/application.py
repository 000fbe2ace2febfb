"""A Flask application with the services' common behaviour."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Final

from flask import Flask, Response, g, request
from werkzeug.datastructures import MIMEAccept

from wallet.encoding.json import to_json
from wallet.web.problems import register_problem_handlers

DEFAULT_MAX_BODY_BYTES: Final = 512 * 1024
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
# What every answer carries unless its endpoint said something else; by the names in lower case.
_HEADERS: Final = {
    name.lower(): (name, value)
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    )
}


def new_application(name: str, *, max_body_bytes: int = DEFAULT_MAX_BODY_BYTES) -> Flask:
    """Return an application with problem details, a body limit, request ids and safe headers."""
    app = Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.url_map.strict_slashes = False
    register_problem_handlers(app)
    app.before_request(_name_request)
    app.after_request(_add_headers)
    return app


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.match(given) else secrets.token_urlsafe(12)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    given = {name.lower() for name, _ in headers}
    if "x-request-id" not in given:
        headers.add("X-Request-Id", g.get("request_id") or "-")
    for key, (name, value) in _HEADERS.items():
        if key not in given:
            headers.add(name, value)
    return response


def accepted_type(offered: Sequence[str]) -> str | None:
    """Return which of `offered` media types the request takes best, parameters left aside.

    The first one if the request does not say, None if it takes none of them.
    """
    named = [(value.partition(";")[0], quality) for value, quality in request.accept_mimetypes]
    return MIMEAccept(named).best_match(offered) if named else offered[0]


def json_answer(
    value: object, status: int = 200, *, content_type: str = "application/json"
) -> Response:
    """Return `value` as a JSON answer."""
    return Response(to_json(value), status, content_type=content_type)
