"""Eligibility over HTTP: programmes and their catalogue, requests, decisions."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from verifier.api.agency import bearer_token, options_of, require_agency
from verifier.catalogue import CataloguePublisher, ProgrammeShelf
from verifier.client import DID, PREFIXES
from verifier.config import VerifierConfig
from verifier.eligibility import EligibilityDesk
from verifier.service import NewRequest, VerifierService
from wallet.eligibility.document import programme_schema
from wallet.eligibility.programme import Programme
from wallet.eligibility.signed_catalogue import CATALOGUE_MEDIA_TYPE
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vp_session import Flow
from wallet.web.application import json_answer
from wallet.web.bodies import read_form, read_json
from wallet.web.schemas import RequestSchema, load

MAX_REQUEST_BYTES: Final = 4 * 1024
CATALOGUE_MAX_AGE_S: Final = 300


class _AskedBy(StrEnum):
    """The flows in which an agency asks for a programme's evidence."""

    CROSS_DEVICE = Flow.CROSS_DEVICE.value
    FRAMES = Flow.FRAMES.value


class _Application(RequestSchema):
    programme = fields.String(required=True, validate=validate.Length(min=1, max=48))
    version = fields.String(validate=validate.Length(min=1, max=32))


class _Request(_Application):
    client_id_prefix = fields.String(validate=validate.OneOf(PREFIXES))
    flow = fields.Enum(_AskedBy, by_value=True)


def eligibility_blueprint(
    service: VerifierService,
    shelf: ProgrammeShelf,
    desk: EligibilityDesk,
    publisher: CataloguePublisher,
    config: VerifierConfig,
) -> Blueprint:
    """Return the endpoints of eligibility decisions."""
    blueprint = Blueprint("eligibility", __name__, url_prefix="/v1")

    def opened(body: JsonObject) -> Response:
        named = desk.query_for(body["programme"], body.get("version"), publisher.now())
        asked_by = Flow(body.get("flow", Flow.CROSS_DEVICE))
        options = options_of({**body, "flow": asked_by}, DID)
        created = service.create_request(named=named, options=options)
        return json_answer(_created_json(created, config), 201)

    @blueprint.post("/eligibility/requests")
    def ask() -> Response:
        """Ask a holder for what a programme needs.

        Bearer: an agency token. JSON: `programme` and perhaps `version`, `client_id_prefix` and
        `flow` (cross_device, or frames where there is no network). 201 as `POST /v1/requests`,
        with `decision_uri`. 409 when no such version is in force.
        """
        require_agency(config)
        request.max_content_length = MAX_REQUEST_BYTES
        return opened(load(_Request(), read_json(request)))

    @blueprint.post("/eligibility/applications")
    def apply() -> Response:
        """The same for a holder who applies: no token, since nothing is told by it.

        JSON, or a form of the same fields. The wallet follows `link`, and gets the decision at
        `decision_uri` with `result_token`.
        """
        request.max_content_length = MAX_REQUEST_BYTES
        is_json = request.mimetype == "application/json"
        body = read_json(request) if is_json else dict(read_form(request))
        return opened(load(_Application(), body))

    @blueprint.route("/eligibility/decisions/<session_id>", methods=["GET", "POST"])
    def decision(session_id: str) -> Response:
        """Tell what was decided.

        Bearer: the request's `result_token`. 202 while nobody answered. 200 with `decision`
        (outcome, reasons, missing documents with where to get them, ages of the facts), or
        `decision` null and `code` when the answer was refused as a whole. 404 for an unknown id,
        an expired one and a wrong token alike. POST is for wallets, which send tokens with it.
        """
        answer = service.result(session_id, bearer_token())
        if answer["state"] != "answered":
            return json_answer({"state": answer["state"]}, 202)
        kept = {
            name: value
            for name, value in answer.items()
            if name not in ("query", "purpose", "presentations", "credentials", "eligibility")
        }
        return json_answer({**kept, "decision": answer.get("eligibility")})

    @blueprint.get("/programmes")
    def programmes() -> Response:
        """List every version of every programme, and what is wrong with files not served."""
        on = publisher.today()
        listed = [_listed(item, item.is_in_force(on)) for item in shelf.current.programmes()]
        problems = [str(problem) for problem in shelf.problems]
        return json_answer({"programmes": listed, "problems": problems})

    @blueprint.get("/programmes/<programme_id>/<version>")
    def programme(programme_id: str, version: str) -> Response:
        """Return the document of one version."""
        return json_answer(shelf.current.version(programme_id, version).document)

    @blueprint.get("/programmes/catalogue")
    def catalogue() -> Response:
        """The signed catalogue, the same bytes for everybody."""
        answer = Response(publisher.published(), content_type=CATALOGUE_MEDIA_TYPE)
        answer.headers["Cache-Control"] = f"public, max-age={CATALOGUE_MAX_AGE_S}"
        return answer

    @blueprint.get("/programmes/schema")
    def schema() -> Response:
        """The JSON Schema of programme files."""
        return json_answer(programme_schema())

    return blueprint


def _created_json(created: NewRequest, config: VerifierConfig) -> JsonObject:
    asked = (
        {"link": created.link, "request_uri": created.request_uri}
        if created.request_object is None
        else {"request_object": created.request_object}
    )
    return {
        "request_id": created.session_id,
        **asked,
        "decision_uri": f"{config.base_url}/v1/eligibility/decisions/{created.session_id}",
        "result_token": created.result_token,
        "expires_at": created.expires_at,
    }


def _listed(item: Programme, is_in_force: bool) -> JsonObject:
    until = item.effective_until
    return {
        "id": item.id,
        "version": item.version,
        "title": item.title.to_json(),
        "effective_from": item.effective_from.isoformat(),
        "effective_until": None if until is None else until.isoformat(),
        "in_force": is_in_force,
        "digest": base64url.encode(item.digest),
    }
