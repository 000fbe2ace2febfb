"""OAuth over HTTP: the pushed authorization request and token endpoints."""

from __future__ import annotations

from flask import Blueprint, Response, request

from issuer.api.errors import PAR_ERRORS, TOKEN_ERRORS, answer_errors
from issuer.api.token_use import authenticated_client, dpop_key, offer_dpop_nonces
from issuer.authorization.server import AuthorizationServer
from issuer.service import IssuerService
from wallet.protocols.oid4vci.authorization import (
    MAX_PUSHED_REQUEST_BYTES,
    parse_pushed_request,
)
from wallet.protocols.oid4vci.client_attestation import ClientNotAuthenticated
from wallet.protocols.oid4vci.dpop import DpopProofInvalid
from wallet.protocols.oid4vci.token import (
    MAX_TOKEN_REQUEST_BYTES,
    CodeTokenRequest,
    RecoveryTokenRequest,
    parse_token_request,
)
from wallet.web.application import json_answer
from wallet.web.bodies import UnsupportedMediaType

_FORM = "application/x-www-form-urlencoded"


def _form_body(max_bytes: int) -> bytes:
    request.max_content_length = max_bytes
    if request.mimetype != _FORM:
        raise UnsupportedMediaType(f"send {_FORM}")
    return request.get_data(cache=False)


def par_blueprint(service: IssuerService, server: AuthorizationServer) -> Blueprint:
    """Return the pushed authorization request endpoint (RFC 9126)."""
    blueprint = Blueprint("par", __name__)
    answer_errors(blueprint, PAR_ERRORS, too_large="invalid_request")
    offer_dpop_nonces(blueprint, service)

    @blueprint.post("/par")
    def push() -> Response:
        asked = parse_pushed_request(_form_body(MAX_PUSHED_REQUEST_BYTES))
        with service.together():
            jkt = dpop_key(service, "/par")
            if jkt is not None and asked.dpop_jkt not in (None, jkt):
                raise DpopProofInvalid("dpop_jkt is not of the key of the DPoP proof")
            client_id = authenticated_client(service, asked.client_id)
            if client_id is None:
                raise ClientNotAuthenticated("client_id is missing")
            pushed = server.push(asked.bound_to(jkt), client_id=client_id)
        return json_answer(pushed.to_json(), 201)

    return blueprint


def token_blueprint(service: IssuerService) -> Blueprint:
    """Return the token endpoint (§6)."""
    blueprint = Blueprint("token", __name__)
    answer_errors(blueprint, TOKEN_ERRORS, too_large="invalid_request")
    offer_dpop_nonces(blueprint, service)

    @blueprint.post("/token")
    def token() -> Response:
        asked = parse_token_request(_form_body(MAX_TOKEN_REQUEST_BYTES))
        with service.together():
            jkt = dpop_key(service, "/token")
            # Without a client id a pre-authorized code, and what comes of it, belongs to its
            # bearer or to the key of the DPoP proof.
            anonymous = not isinstance(asked, CodeTokenRequest)
            client_id = authenticated_client(service, asked.client_id, anonymous=anonymous)
            if (
                jkt is None
                and service.clients.policy.dpop_required
                and isinstance(asked, CodeTokenRequest)
            ) or (jkt is None and isinstance(asked, RecoveryTokenRequest)):
                raise DpopProofInvalid("send a DPoP proof")
            made = service.offers.exchange(asked, client_id=client_id, jkt=jkt)
        return json_answer(made.to_json())

    return blueprint
