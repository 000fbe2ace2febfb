"""Who gets in at the operators' endpoints, once for all of them."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, g, request

from issuer.config import Operator
from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.web.bodies import read_json
from wallet.web.problems import problem
from wallet.web.schemas import RequestSchema, load

MAX_OPERATOR_BODY_BYTES: Final = 256 * 1024
MAX_TOKEN_CHARACTERS: Final = 512


class OperatorUnknown(RejectedError):
    """No operator has this token."""

    code = "operator_unknown"
    status = 401


def operators_only(name: str, prefix: str, operators: Sequence[Operator]) -> Blueprint:
    """Return a blueprint that only operators enter; `g.operator` is who it is.

    With no operators, nobody gets in.
    """
    blueprint = Blueprint(name, __name__, url_prefix=prefix)

    @blueprint.before_request
    def only_operators() -> None:
        g.operator = _authenticate(request.headers.get("Authorization", ""), operators)

    blueprint.register_error_handler(OperatorUnknown, _answer_unknown)
    return blueprint


def operator_body(schema: RequestSchema) -> JsonObject:
    """Return the JSON that an operator sent. Raises `RequestMalformed`."""
    request.max_content_length = MAX_OPERATOR_BODY_BYTES
    loaded: JsonObject = load(schema, read_json(request))
    return loaded


def _answer_unknown(error: OperatorUnknown) -> Response:
    """Answer 401 with a challenge."""
    answer = problem(401, error.code, str(error))
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _authenticate(header: str, operators: Sequence[Operator]) -> str:
    """Return the operator of an Authorization header. Raises `OperatorUnknown`."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and 0 < len(token) <= MAX_TOKEN_CHARACTERS:
        digest = sha256(token.encode("utf-8", "surrogatepass"))
        found = None
        for candidate in operators:
            # Every one is compared, so that the time does not tell which came close.
            if hmac.compare_digest(candidate.token_digest, digest):
                found = candidate.name
        if found is not None:
            return found
    raise OperatorUnknown("send an operator's token in the Authorization header")
