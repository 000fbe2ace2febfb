"""What agencies call: open a request, collect its result, check a presentation in hand."""

from __future__ import annotations

import hmac
from typing import Any, Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from verifier.config import VerifierConfig
from verifier.service import VerifierService
from wallet.credentials.sd_jwt import MAX_SD_JWT_BYTES
from wallet.crypto.hashing import sha256
from wallet.protocols.oid4vp import MAX_PURPOSE_CHARACTERS
from wallet.web.application import json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load

MAX_REQUEST_BYTES: Final = 64 * 1024
MAX_VERIFY_BYTES: Final = 512 * 1024
_SHORT: Final = validate.Length(min=1, max=512)


class CreateRequest(RequestSchema):
    """`POST /v1/requests`."""

    query = fields.String(validate=_SHORT)
    dcql_query = fields.Raw()
    purpose = fields.String(validate=validate.Length(min=1, max=MAX_PURPOSE_CHARACTERS))


class Verify(RequestSchema):
    """`POST /v1/verify`."""

    presentation = fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_SD_JWT_BYTES)
    )
    audience = fields.String(required=True, validate=_SHORT)
    nonce = fields.String(required=True, validate=_SHORT)
    query = fields.String(validate=_SHORT)


def bearer_token() -> str:
    """Return the bearer token of the request; 401 without one."""
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Unauthorized("send a bearer token", www_authenticate=WWWAuthenticate("bearer"))
    token: str = authorization.token
    return token


def require_agency(config: VerifierConfig) -> None:
    """Return if the request carries an agency's token; 401 otherwise."""
    digest = sha256(bearer_token().encode())
    # Every digest is compared, so the time does not tell which agency came close.
    known = [hmac.compare_digest(digest, one) for one in config.agency_token_digests.values()]
    if not any(known):
        raise Unauthorized(
            "the token is not an agency's",
            www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"}),
        )


def agency_blueprint(service: VerifierService, config: VerifierConfig) -> Blueprint:
    """Return the agencies' endpoints."""
    blueprint = Blueprint("agency", __name__, url_prefix="/v1")

    @blueprint.post("/requests")
    def create_request() -> Response:
        """Open a presentation request.

        Bearer: an agency token. JSON: `query` (a configured name) or `dcql_query`, and `purpose`.
        201: `request_id`, `link` (for the QR code), `request_uri`, `result_uri`, `result_token`
        (bearer for the result; shown only here) and `expires_at` of the link (unix seconds).
        """
        require_agency(config)
        request.max_content_length = MAX_REQUEST_BYTES
        body: dict[str, Any] = load(CreateRequest(), read_json(request))
        created = service.create_request(
            query_name=body.get("query"),
            dcql_query=body.get("dcql_query"),
            purpose=body.get("purpose"),
        )
        answer = {
            "request_id": created.session_id,
            "link": created.link,
            "request_uri": created.request_uri,
            "result_uri": f"{config.base_url}/v1/requests/{created.session_id}/result",
            "result_token": created.result_token,
            "expires_at": created.expires_at,
        }
        return json_answer(answer, 201)

    @blueprint.get("/requests/<session_id>/result")
    def result(session_id: str) -> Response:
        """Tell how a request stands.

        Bearer: its `result_token`. 202 while nobody answered (`state` requested or fetched). 200
        with `outcome` accepted, rejected or unavailable, `code`, `facts_as_of`, `facts_age_s`,
        the steps of every presentation, and `credentials` (the claims asked for, by query id):
        only if accepted and only the first time. 404 for an unknown id, an expired request and a
        wrong token alike.
        """
        answer = service.result(session_id, bearer_token())
        return json_answer(answer, 200 if answer["state"] == "answered" else 202)

    @blueprint.post("/verify")
    def verify() -> Response:
        """Check a presentation in hand.

        Bearer: an agency token. JSON: `presentation` (compact SD-JWT with key binding),
        `audience`, `nonce` (the agency's own, to be used once) and perhaps `query`. 200 with the
        report for all three outcomes, a presentation that cannot be parsed included: it is
        rejected at step `format`. 400 when the request itself is malformed.
        """
        require_agency(config)
        request.max_content_length = MAX_VERIFY_BYTES
        body: dict[str, Any] = load(Verify(), read_json(request))
        return json_answer(
            service.verify(
                body["presentation"],
                audience=body["audience"],
                nonce=body["nonce"],
                query_name=body.get("query"),
            )
        )

    return blueprint
