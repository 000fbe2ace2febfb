"""OpenID4VCI over HTTP: well-known documents, offers, nonce, credential and what follows it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from issuer.api.errors import CREDENTIAL_ERRORS, NOTIFICATION_ERRORS, answer_errors
from issuer.api.token_use import authorized_grant, offer_dpop_nonces
from issuer.metrics import IssuerMetrics
from issuer.service import IssuerService
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.credential import (
    MAX_CREDENTIAL_REQUEST_BYTES,
    CredentialResponse,
    DeferredResponse,
    parse_credential_request,
)
from wallet.protocols.oid4vci.deferred import (
    MAX_FOLLOW_UP_BYTES,
    parse_deferred_request,
    parse_notification,
)
from wallet.protocols.oid4vci.encryption import (
    ENCRYPTED_MEDIA_TYPE,
    EncryptionParametersInvalid,
    ResponseEncryption,
    decrypt_message,
    encrypt_message,
)
from wallet.protocols.oid4vci.metadata import SIGNED_METADATA_MEDIA_TYPE
from wallet.web.application import accepted_type, json_answer
from wallet.web.bodies import read_json

MAX_EMPTY_BODY_BYTES: Final = 1024
_METADATA_MAX_AGE_S: Final = 300


def well_known_blueprint(service: IssuerService) -> Blueprint:
    """Return the well-known documents, at the root and below the base URL's path.

    RFC 8414 inserts the well-known part before the path; older clients append it after, and a
    did:web with a path has its document below the path.
    """
    blueprint = Blueprint("well_known", __name__)
    path = service.identity.path

    def issuer_metadata() -> Response:
        # Clients that ask for nothing in particular, or for what is not here, get JSON.
        offered = ("application/json", SIGNED_METADATA_MEDIA_TYPE)
        if accepted_type(offered) == SIGNED_METADATA_MEDIA_TYPE:
            signed = service.signed_issuer_metadata()
            answer = Response(signed, content_type=SIGNED_METADATA_MEDIA_TYPE)
        else:
            answer = json_answer(service.issuer_metadata_document)
        answer.headers["Vary"] = "Accept"
        return _cacheable(answer)

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


def credential_blueprint(service: IssuerService, metrics: IssuerMetrics) -> Blueprint:
    """Return the nonce (§7), credential (§8) and deferred credential endpoints (§9)."""
    blueprint = Blueprint("credential", __name__)
    answer_errors(blueprint, CREDENTIAL_ERRORS, too_large="invalid_credential_request")
    offer_dpop_nonces(blueprint, service)

    @blueprint.post("/nonce")
    def nonce() -> Response:
        request.max_content_length = MAX_EMPTY_BODY_BYTES
        request.get_data(cache=False)
        return json_answer({"c_nonce": service.offers.new_nonce()})

    def answered(
        result: CredentialResponse | DeferredResponse, encryption: ResponseEncryption | None
    ) -> Response:
        status = 202 if isinstance(result, DeferredResponse) else 200
        if encryption is None:
            return json_answer(result.to_json(), status)
        token = encrypt_message(result.to_json(), encryption.key, enc=encryption.enc)
        return Response(token, status, content_type=ENCRYPTED_MEDIA_TYPE)

    def body(max_bytes: int) -> tuple[JsonObject, bool]:
        if request.mimetype != ENCRYPTED_MEDIA_TYPE:
            return read_json(request), False
        token = request.get_data(cache=False)
        return decrypt_message(token, service.keys.encryption, max_bytes=max_bytes), True

    def check_protected(encryption: ResponseEncryption | None, encrypted: bool) -> None:
        if encryption is not None and not encrypted:
            # In the clear, the key to encrypt for could be exchanged on the way (§8.2).
            raise EncryptionParametersInvalid("encrypt the request that asks for encryption")

    @blueprint.post("/credential")
    def credential() -> Response:
        _await_body(MAX_CREDENTIAL_REQUEST_BYTES)
        # One transaction: what the request uses up and what comes of it. It is on disk before
        # the answer leaves.
        with service.together():
            grant = authorized_grant(service, "/credential")
            message, encrypted = body(MAX_CREDENTIAL_REQUEST_BYTES)
            asked = parse_credential_request(message)
            check_protected(asked.response_encryption, encrypted)
            result = service.issuing.issue(grant, asked)
        if isinstance(result, CredentialResponse):
            granted = grant.state.entitlement.configuration_id
            metrics.count_issued(granted, len(result.credentials))
        return answered(result, asked.response_encryption)

    @blueprint.post("/deferred-credential")
    def deferred_credential() -> Response:
        _await_body(MAX_FOLLOW_UP_BYTES)
        with service.together():
            grant = authorized_grant(service, "/deferred-credential")
            message, encrypted = body(MAX_FOLLOW_UP_BYTES)
            asked = parse_deferred_request(message)
            check_protected(asked.response_encryption, encrypted)
            result = service.issuing.issue_deferred(grant, asked.transaction_id)
        if isinstance(result, CredentialResponse):
            granted = grant.state.entitlement.configuration_id
            metrics.count_issued(granted, len(result.credentials))
        return answered(result, asked.response_encryption)

    return blueprint


def notification_blueprint(service: IssuerService, metrics: IssuerMetrics) -> Blueprint:
    """Return the notification endpoint (§11)."""
    blueprint = Blueprint("notification", __name__)
    answer_errors(blueprint, NOTIFICATION_ERRORS, too_large="invalid_notification_request")
    offer_dpop_nonces(blueprint, service)

    @blueprint.post("/notification")
    def notification() -> Response:
        _await_body(MAX_FOLLOW_UP_BYTES)
        with service.together():
            grant = authorized_grant(service, "/notification")
            told = parse_notification(read_json(request))
            service.notifications.take(grant, told)
        metrics.count_notification(told.event.value)
        return Response(status=204)

    return blueprint


def _await_body(max_bytes: int) -> None:
    """Have all of the body here: nobody must wait, in a transaction, for a slow sender."""
    request.max_content_length = max_bytes
    request.get_data()


def _cacheable(answer: Response) -> Response:
    answer.headers["Cache-Control"] = f"public, max-age={_METADATA_MAX_AGE_S}"
    return answer
