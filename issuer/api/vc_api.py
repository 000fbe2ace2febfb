"""VC-API of the issuer (W3C CCG VC API §3.2): development only, see `issuer.vc_api`."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from issuer.vc_api import DEFAULT_PURPOSE, PURPOSES, SUSPENSION, DevelopmentIssuer
from wallet.credentials.data_integrity.selection import MAX_POINTER_CHARACTERS, MAX_POINTERS
from wallet.encoding.json import JsonObject
from wallet.web.application import accepted_type, json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load
from wallet.web.vc_api import (
    MAX_VC_API_BYTES,
    StrictObject,
    VcApiOptions,
    answer_vc_api_errors,
)

# What a credential is served as, the first unless the client only takes another.
CREDENTIAL_MEDIA_TYPES: Final = ("application/vc", "application/ld+json", "application/json")


class IssueOptions(VcApiOptions):
    """`options` of the issue endpoint."""

    mandatoryPointers = fields.List(
        fields.String(validate=validate.Length(max=MAX_POINTER_CHARACTERS)),
        validate=validate.Length(max=MAX_POINTERS // 2),
    )
    statusPurpose = fields.String(validate=validate.OneOf(PURPOSES), allow_none=True)


class IssueCredential(RequestSchema):
    """`POST /issuers/<cryptosuite>/<key>/credentials/issue`."""

    credential = StrictObject(required=True)
    options = fields.Nested(IssueOptions)


class UpdateStatus(RequestSchema):
    """`POST /credentials/status`."""

    credentialId = fields.String()
    credentialStatus = StrictObject(required=True)
    status = fields.Boolean(required=True, truthy={True}, falsy={False})


def vc_api_blueprint(issuer: DevelopmentIssuer) -> Blueprint:
    """Return the endpoints that issue what they are given, and the lists of its statuses."""
    blueprint = Blueprint("vc_api", __name__)
    answer_vc_api_errors(blueprint)

    @blueprint.post("/issuers/<suite>/<key>/credentials/issue")
    def issue(suite: str, key: str) -> Response:
        """201: `verifiableCredential`. JSON: `credential`, `options` {`mandatoryPointers`,
        `statusPurpose`: `revocation`, `suspension`, or null for no status}."""
        request.max_content_length = MAX_VC_API_BYTES
        body: dict[str, Any] = load(IssueCredential(), read_json(request))
        options = body.get("options", {})
        pointers = options.get("mandatoryPointers", ())
        purpose = options.get("statusPurpose", DEFAULT_PURPOSE)
        secured = issuer.issue(suite, key, body["credential"], pointers, purpose)
        return json_answer({"verifiableCredential": secured}, 201)

    @blueprint.post("/credentials/status")
    def update_status() -> Response:
        """200. JSON: a `credentialStatus` entry of this issuer's, `status` (true: revoked or
        suspended, as the entry's purpose says)."""
        request.max_content_length = MAX_VC_API_BYTES
        body: dict[str, Any] = load(UpdateStatus(), read_json(request))
        issuer.set_status(body["credentialStatus"], body["status"])
        return json_answer({})

    @blueprint.get("/credentials/status/<key>")
    def status_list(key: str) -> Response:
        """The signed list of what a key's owner revoked, new with every request."""
        return _credential(issuer.status_list(key))

    @blueprint.get("/credentials/status/<key>/suspension")
    def suspension_list(key: str) -> Response:
        """The signed list of what is suspended."""
        return _credential(issuer.status_list(key, SUSPENSION))

    return blueprint


def _credential(document: JsonObject) -> Response:
    """Answer a credential as its own media type, or as JSON for clients that know no other."""
    media_type = accepted_type(CREDENTIAL_MEDIA_TYPES) or CREDENTIAL_MEDIA_TYPES[0]
    answer = json_answer(document, content_type=media_type)
    answer.vary.add("Accept")
    return answer
