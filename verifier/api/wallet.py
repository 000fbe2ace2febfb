"""What wallets call: fetch a request object, post the response (OpenID4VP 1.0)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from verifier.api.errors import response_refused, response_unreadable
from verifier.service import VerifierService
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vp import OPAQUE, REQUEST_OBJECT_MEDIA_TYPE, RequestMalformed
from wallet.protocols.oid4vp_response import EncryptedResponse, ResponseMalformed, parse_response
from wallet.web.application import json_answer
from wallet.web.bodies import read_form

MAX_FETCH_BYTES: Final = 16 * 1024


def wallet_blueprint(service: VerifierService) -> Blueprint:
    """Return the wallets' endpoints."""
    blueprint = Blueprint("wallet", __name__)

    @blueprint.get("/request-objects/<session_id>")
    def get_request_object(session_id: str) -> Response:
        """Hand out the signed request object, once. 404 unknown or expired, 409 handed out."""
        return _jws(service.request_object(session_id))

    @blueprint.post("/request-objects/<session_id>")
    def post_request_object(session_id: str) -> Response:
        """The same with `request_uri_method=post`; `wallet_nonce`, if sent, is repeated (§5.10).

        `wallet_metadata` is ignored: the request does not depend on the wallet.
        """
        request.max_content_length = MAX_FETCH_BYTES
        fields = read_form(request) if request.content_type or request.content_length else {}
        wallet_nonce = fields.get("wallet_nonce")
        if wallet_nonce is not None and not OPAQUE.match(wallet_nonce):
            raise RequestMalformed("wallet_nonce is printable ASCII of limited length")
        return _jws(service.request_object(session_id, wallet_nonce=wallet_nonce))

    @blueprint.post("/responses")
    def receive_response() -> Response:
        """Take a direct_post or direct_post.jwt response.

        Form fields `vp_token` and `state`, or `response` (a JWE with both inside), or `error` and
        `state`. 200 says that it was taken, not how it was judged: that is for the agency;
        `redirect_uri` is where the holder's browser goes on, if anywhere; `decision_receipt` comes
        only to wallets whose key bindings name a `receipt_key`. 400 `invalid_request`
        for a state that is unknown, used, expired, foreign or missing, and for an answer that
        cannot be decrypted or came in the clear although it should not. Every refusal has it as
        its `error`; what cannot be read says in `code` what is wrong with it.
        """
        try:
            response = parse_response(read_form(request))
            if not isinstance(response, EncryptedResponse) and response.state is None:
                raise ResponseMalformed("state is missing")
            taken = service.receive(response)
        except (ConflictError, RejectedError) as error:
            return response_refused(error)
        except (MalformedError, UnsupportedError) as error:
            return response_unreadable(error)
        told: JsonObject = {"redirect_uri": taken.return_uri} if taken.return_uri else {}
        if taken.receipt is not None:
            told["decision_receipt"] = taken.receipt
        return json_answer(told)

    return blueprint


def _jws(text: str) -> Response:
    return Response(text, content_type=REQUEST_OBJECT_MEDIA_TYPE)
