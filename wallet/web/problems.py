"""RFC 9457 problem details: the one place where typed errors become HTTP answers."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError, UnavailableError, fault_place

PROBLEM_TYPE_PREFIX: Final = "urn:seoul-wallet:problem:"
RETRY_AFTER_S: Final = 5
_LOG: Final = logging.getLogger(__name__)


def problem(status: int, code: str, detail: str, *, error: str | None = None) -> Response:
    """Return a problem+json answer; `code` is stable, `detail` is for people.

    `error` is the name that the protocol of the endpoint has for it, where it has one.
    """
    body: JsonObject = {
        "type": PROBLEM_TYPE_PREFIX + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.get("request_id"),
    }
    if error is not None:
        body["error"] = error
    return Response(to_json(body), status, content_type="application/problem+json")


def _typed_error(error: SeoulWalletError) -> Response:
    answer = problem(error.status, error.code, str(error))
    if isinstance(error, UnavailableError):
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 or error.response is not None:
        return Response(error.get_response().get_data(), status, error.get_response().headers)
    code = (error.name or "http error").lower().replace(" ", "_").replace("'", "")
    answer = problem(status, code, error.description or error.name)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            answer.headers[name] = value
    return answer


def _programming_error(error: Exception) -> Response:
    _LOG.error("unhandled %s, request %s", fault_place(error), g.get("request_id"))
    return problem(500, "internal_error", "The request met a fault of this service.")


def register_problem_handlers(app: Flask) -> None:
    """Answer typed errors, HTTP errors and faults of `app` as problem+json."""
    app.register_error_handler(SeoulWalletError, _typed_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _programming_error)
