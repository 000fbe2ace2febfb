"""OpenID4VCI over HTTP: well-known documents, offers, token, nonce and credential endpoints."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from issuer.api.errors import (
    CREDENTIAL_ERRORS,
    TOKEN_ERRORS,
    AccessTokenMissing,
    answer_errors,
)
from issuer.metrics import IssuerMetrics
from issuer.service import IssuerService
from wallet.protocols.oid4vci.credential import (
    MAX_CREDENTIAL_REQUEST_BYTES,
    parse_credential_request,
)
from wallet.protocols.oid4vci.token import MAX_TOKEN_REQUEST_BYTES, parse_token_request
from wallet.web.application import json_answer
from wallet.web.bodies import UnsupportedMediaType, read_json

MAX_EMPTY_BODY_BYTES: Final = 1024
MAX_AUTHORIZATION_CHARACTERS: Final = 1024
_METADATA_MAX_AGE_S: Final = 300


def well_known_blueprint(service: IssuerService) -> Blueprint:
    """Return the well-known documents, at the root and below the base URL's path.

    RFC 8414 inserts the well-known part before the path; older clients append it after, and a
    did:web with a path has its document below the path.
    """
    blueprint = Blueprint("well_known", __name__)
    path = service.identity.path

    def issuer_metadata() -> Response:
        return _cacheable(json_answer(service.issuer_metadata().to_json()))

    def server_metadata() -> Response:
        return _cacheable(json_answer(service.authorization_server_metadata().to_json()))

    def did_document() -> Response:
        return _cacheable(json_answer(service.identity.did_document()))

    views = (
        ("openid-credential-issuer", issuer_metadata),
        ("oauth-authorization-server", server_metadata),
    )
    for name, view in views:
        for rule in sorted({f"/.well-known/{name}{path}", f"{path}/.well-known/{name}"}):
            blueprint.add_url_rule(rule, f"{name} at {rule}".replace(".", ""), view)
    did_rule = f"{path}/did.json" if path else "/.well-known/did.json"
    blueprint.add_url_rule(did_rule, "did_document", did_document)
    return blueprint


def offer_blueprint(service: IssuerService) -> Blueprint:
    """Return the endpoint behind `credential_offer_uri`."""
    blueprint = Blueprint("offers", __name__)

    @blueprint.get("/offers/<offer_id>")
    def credential_offer(offer_id: str) -> Response:
        return json_answer(service.offers.credential_offer(offer_id).to_json())

    return blueprint


def token_blueprint(service: IssuerService) -> Blueprint:
    """Return the token endpoint (§6)."""
    blueprint = Blueprint("token", __name__)
    answer_errors(blueprint, TOKEN_ERRORS, too_large="invalid_request")

    @blueprint.post("/token")
    def token() -> Response:
        request.max_content_length = MAX_TOKEN_REQUEST_BYTES
        if request.mimetype != "application/x-www-form-urlencoded":
            raise UnsupportedMediaType("send application/x-www-form-urlencoded")
        asked = parse_token_request(request.get_data(cache=False))
        return json_answer(service.offers.exchange(asked).to_json())

    return blueprint


def credential_blueprint(service: IssuerService, metrics: IssuerMetrics) -> Blueprint:
    """Return the nonce endpoint (§7) and the credential endpoint (§8)."""
    blueprint = Blueprint("credential", __name__)
    answer_errors(blueprint, CREDENTIAL_ERRORS, too_large="invalid_credential_request")

    @blueprint.post("/nonce")
    def nonce() -> Response:
        request.max_content_length = MAX_EMPTY_BODY_BYTES
        request.get_data(cache=False)
        return json_answer({"c_nonce": service.offers.new_nonce()})

    @blueprint.post("/credential")
    def credential() -> Response:
        request.max_content_length = MAX_CREDENTIAL_REQUEST_BYTES
        grant = service.issuing.authorize(_bearer_token())
        asked = parse_credential_request(read_json(request))
        response = service.issuing.issue(grant, asked)
        metrics.count_issued(asked.credential_configuration_id, len(response.credentials))
        return json_answer(response.to_json())

    return blueprint


def _bearer_token() -> str:
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token or len(header) > MAX_AUTHORIZATION_CHARACTERS:
        raise AccessTokenMissing("send the access token in the Authorization header")
    return token.strip()


def _cacheable(answer: Response) -> Response:
    answer.headers["Cache-Control"] = f"public, max-age={_METADATA_MAX_AGE_S}"
    return answer
