"""What holders ask of the issuer beside OpenID4VCI: to revoke a copy of their own."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from issuer.api.errors import WireError, WireTable, answer_errors
from issuer.service import IssuerService
from issuer.sessions import NonceInvalid
from wallet.credentials.sd_jwt import MAX_SD_JWT_BYTES
from wallet.errors import ConflictError, MalformedError, RejectedError, UnsupportedError
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load

MAX_REVOCATION_BYTES: Final = MAX_SD_JWT_BYTES + 1024
REVOCATION_ERRORS: Final[WireTable] = {
    NonceInvalid: WireError("invalid_nonce"),
    RejectedError: WireError("invalid_presentation"),
    ConflictError: WireError("invalid_presentation"),
    MalformedError: WireError("invalid_request"),
    UnsupportedError: WireError("invalid_request"),
}


class _Revocation(RequestSchema):
    presentation = fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_SD_JWT_BYTES)
    )


def holder_blueprint(service: IssuerService) -> Blueprint:
    """Return the endpoint."""
    blueprint = Blueprint("holder", __name__)
    answer_errors(blueprint, REVOCATION_ERRORS, too_large="invalid_request")

    @blueprint.post("/revocations")
    def revoke() -> Response:
        """Revoke one credential, by its holder.

        JSON: `presentation`, the SD-JWT VC with a key binding to the credential issuer and a
        c_nonce of the nonce endpoint. 204, also when it was revoked before.
        """
        request.max_content_length = MAX_REVOCATION_BYTES
        asked = load(_Revocation(), read_json(request))
        service.holder_revocations.revoke(asked["presentation"])
        return Response(status=204)

    return blueprint
