"""What agencies call: open a request, collect its result, check a presentation in hand."""

from __future__ import annotations

import hmac
from typing import Any, Final

from flask import Blueprint, Response, request
from marshmallow import ValidationError, fields, validate
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from verifier.client import PREFIXES
from verifier.config import VerifierConfig
from verifier.service import VerifierService
from wallet.credentials.sd_jwt import MAX_SD_JWT_BYTES
from wallet.crypto.hashing import sha256
from wallet.protocols.oid4vp import MAX_ORIGINS, MAX_PURPOSE_CHARACTERS, ResponseMode, Way
from wallet.protocols.oid4vp_response import RawPresentation, parse_dc_response
from wallet.protocols.oid4vp_session import Flow, RequestOptions
from wallet.protocols.oid4vp_transaction import MAX_TRANSACTIONS, encode_transaction_data
from wallet.web.application import json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load
from wallet.web.vc_api import StrictObject

MAX_REQUEST_BYTES: Final = 64 * 1024
MAX_VERIFY_BYTES: Final = 512 * 1024
_DEFAULT_MODES: Final = {
    Way.LINK: ResponseMode.DIRECT_POST,
    Way.PAGE: ResponseMode.DC_API,
    Way.FRAMES: ResponseMode.QR_JWT,
}
_SHORT: Final = validate.Length(min=1, max=512)


class CreateRequest(RequestSchema):
    """`POST /v1/requests`."""

    query = fields.String(validate=_SHORT)
    dcql_query = fields.Raw()
    purpose = fields.String(validate=validate.Length(min=1, max=MAX_PURPOSE_CHARACTERS))
    one_holder = fields.Boolean(truthy={True}, falsy={False})
    client_id_prefix = fields.String(validate=validate.OneOf(PREFIXES))
    response_mode = fields.Enum(ResponseMode, by_value=True)
    flow = fields.Enum(Flow, by_value=True)
    request_uri_method = fields.String(validate=validate.OneOf(("get", "post")))
    transaction_data = fields.List(
        StrictObject(), validate=validate.Length(min=1, max=MAX_TRANSACTIONS)
    )
    return_uri = fields.String(validate=_SHORT)
    expected_origins = fields.List(
        fields.String(validate=_SHORT), validate=validate.Length(min=1, max=MAX_ORIGINS)
    )


class Redeem(RequestSchema):
    """`POST /v1/requests/{id}/result`."""

    response_code = fields.String(required=True, validate=_SHORT)


class PageAnswer(RequestSchema):
    """`POST /v1/requests/{id}/response`."""

    data = StrictObject(required=True)
    origin = fields.String(validate=_SHORT)


class PresentationField(fields.Field[RawPresentation]):
    """A presentation as it travels: the text of a JWT, or an object; the core reads it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> RawPresentation:
        if type(value) is dict or (type(value) is str and 0 < len(value) <= MAX_SD_JWT_BYTES):
            presentation: RawPresentation = value
            return presentation
        raise ValidationError("Not a text of limited length, nor an object.")


class Verify(RequestSchema):
    """`POST /v1/verify`."""

    presentation = PresentationField(required=True)
    format = fields.String(validate=_SHORT)
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


def require_agency(config: VerifierConfig) -> str:
    """Return the name of the agency whose token the request carries; 401 otherwise."""
    digest = sha256(bearer_token().encode())
    # Every digest is compared, so the time does not tell which agency came close.
    known = [
        name
        for name, one in config.agency_token_digests.items()
        if hmac.compare_digest(digest, one)
    ]
    if not known:
        raise Unauthorized(
            "the token is not an agency's",
            www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"}),
        )
    return known[0]


def agency_blueprint(service: VerifierService, config: VerifierConfig) -> Blueprint:
    """Return the agencies' endpoints."""
    blueprint = Blueprint("agency", __name__, url_prefix="/v1")

    @blueprint.post("/requests")
    def create_request() -> Response:
        """Open a presentation request.

        Bearer: an agency token. JSON: `query` (a configured name) or `dcql_query`, and `purpose`;
        besides, perhaps, `one_holder` (with `dcql_query`: false takes credentials of several keys,
        which wallets have that bind each credential to a key of its own), `client_id_prefix`,
        `response_mode`, `flow`, `request_uri_method`,
        `transaction_data` (objects), `return_uri` (same_device) and `expected_origins` (dc_api).
        201: `request_id`, `link` (for the QR code) and `request_uri`, or `dc_request` for the
        Digital Credentials API, or `request_object` to show in frames (flow frames, response mode
        qr.jwt), `result_uri`, `result_token` (bearer for the result; shown only
        here) and `expires_at` of the link (unix seconds).
        """
        require_agency(config)
        request.max_content_length = MAX_REQUEST_BYTES
        body: dict[str, Any] = load(CreateRequest(), read_json(request))
        created = service.create_request(
            query_name=body.get("query"),
            dcql_query=body.get("dcql_query"),
            purpose=body.get("purpose"),
            one_holder=body.get("one_holder"),
            options=options_of(body, config.client_id_prefix),
        )
        answer = {
            "request_id": created.session_id,
            "link": created.link,
            "request_uri": created.request_uri,
            "dc_request": created.dc_request,
            "request_object": created.request_object,
            "result_uri": f"{config.base_url}/v1/requests/{created.session_id}/result",
            "result_token": created.result_token,
            "expires_at": created.expires_at,
        }
        given = {name: value for name, value in answer.items() if value is not None}
        return json_answer(given, 201)

    @blueprint.get("/requests/<session_id>/result")
    def result(session_id: str) -> Response:
        """Tell how a request stands.

        Bearer: its `result_token`. 202 while nobody answered (`state` requested or fetched). 200
        with `outcome` accepted, rejected or unavailable, `code`, `facts_as_of`, `facts_age_s`,
        the steps of every presentation, and `credentials` (the claims asked for, by query id):
        only if accepted and only the first time; those of a signature have its `evidence` too:
        `presentation`, `nonce` and `transaction_data`. 404 for an unknown id, an expired request
        and a wrong token alike.
        """
        answer = service.result(session_id, bearer_token())
        return json_answer(answer, 200 if answer["state"] == "answered" else 202)

    @blueprint.post("/requests/<session_id>/result")
    def redeem(session_id: str) -> Response:
        """Collect the result of a same-device request with the `response_code` that came back.

        Bearer: its `result_token`. As the GET, which tells nothing of such a request; 409 for a
        code that is wrong or was used.
        """
        body: dict[str, Any] = load(Redeem(), read_json(request))
        answer = service.result(session_id, bearer_token(), response_code=body["response_code"])
        return json_answer(answer)

    @blueprint.post("/requests/<session_id>/response")
    def receive_from_page(session_id: str) -> Response:
        """Take what a page got through the Digital Credentials API, or what was read in frames.

        Bearer: the request's `result_token`. JSON: `data` (of the `DigitalCredential`, or
        `{"response": …}` with the message of the frames) and `origin`, which may be left out when
        only one was expected, and is for frames. 200 `{}` says that it was taken; 404 for an
        unknown or expired request, 409 when it was answered before.
        """
        body: dict[str, Any] = load(PageAnswer(), read_json(request))
        response = parse_dc_response(body["data"])
        service.receive_from_page(session_id, bearer_token(), response, body.get("origin"))
        return json_answer({})

    @blueprint.post("/verify")
    def verify() -> Response:
        """Check a presentation in hand.

        Bearer: an agency token. JSON: `presentation` (an SD-JWT with key binding or a VP JWT as
        text; a verifiable presentation or a BBS presentation as object), `audience`, `nonce` (the
        agency's own, to be used once), perhaps `format` (dc+sd-jwt, if not given) and `query`,
        whose format is meant then. 200 with the report for all three outcomes, a presentation that
        cannot be parsed included: it is rejected at step `format`. 400 when the request itself is
        malformed, or `format` is not the query's.
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
                format=body.get("format"),
            )
        )

    return blueprint


def options_of(body: dict[str, Any], default_prefix: str) -> RequestOptions:
    """Return how a request is made, by the fields of `CreateRequest` that say so."""
    flow = body.get("flow", Flow.CROSS_DEVICE)
    return RequestOptions(
        prefix=body.get("client_id_prefix", default_prefix),
        response_mode=body.get("response_mode", _DEFAULT_MODES[flow.way]),
        flow=flow,
        post=body.get("request_uri_method") == "post",
        transactions=tuple(
            encode_transaction_data(item) for item in body.get("transaction_data", ())
        ),
        return_uri=body.get("return_uri"),
        origins=tuple(body.get("expected_origins", ())),
    )
