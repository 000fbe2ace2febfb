"""VC-API of the verifier (W3C CCG VC API §3.3): development only, see `verifier.vc_api`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from verifier.vc_api import ProofChecker
from wallet.credentials.data_integrity.proof import MAX_TEXT_CHARACTERS
from wallet.web.application import json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load
from wallet.web.vc_api import (
    MAX_VC_API_BYTES,
    StrictObject,
    VcApiOptions,
    answer_vc_api_errors,
)

_TEXT = validate.Length(min=1, max=MAX_TEXT_CHARACTERS)


class VerifyCredential(RequestSchema):
    """`POST /credentials/verify`."""

    verifiableCredential = StrictObject(required=True)
    options = fields.Nested(VcApiOptions)


class PresentationOptions(VcApiOptions):
    """`options` of the presentation endpoint: what the proof must answer."""

    challenge = fields.String(required=True, validate=_TEXT)
    domain = fields.String(validate=_TEXT)


class VerifyPresentation(RequestSchema):
    """`POST /presentations/verify`."""

    verifiablePresentation = StrictObject(required=True)
    options = fields.Nested(PresentationOptions, required=True)


def vc_api_blueprint(checker: ProofChecker) -> Blueprint:
    """Return the endpoints that check what is posted; 200 says that all of it is good."""
    blueprint = Blueprint("vc_api", __name__)
    answer_vc_api_errors(blueprint)

    @blueprint.post("/credentials/verify")
    def verify_credential() -> Response:
        """200: `verified`, `issuer`. JSON: `verifiableCredential`, `options`."""
        request.max_content_length = MAX_VC_API_BYTES
        body: dict[str, Any] = load(VerifyCredential(), read_json(request))
        verified = checker.check_credential(body["verifiableCredential"])
        return json_answer(
            {"verified": True, "issuer": verified.credential.issuer, "errors": [], "warnings": []}
        )

    @blueprint.post("/presentations/verify")
    def verify_presentation() -> Response:
        """200: `verified`, `holder`. JSON: `verifiablePresentation`, `options`: `challenge`,
        `domain` (checked if given)."""
        request.max_content_length = MAX_VC_API_BYTES
        body: dict[str, Any] = load(VerifyPresentation(), read_json(request))
        options = body["options"]
        verified = checker.check_presentation(
            body["verifiablePresentation"],
            challenge=options["challenge"],
            domain=options.get("domain"),
        )
        return json_answer(
            {"verified": True, "holder": str(verified.holder), "errors": [], "warnings": []}
        )

    return blueprint
