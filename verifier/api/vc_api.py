"""VC-API of the verifier (W3C CCG VC API §3.3): development only, see `verifier.vc_api`."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from verifier.vc_api import ProofChecker, names_keys
from wallet.credentials.data_integrity.proof import MAX_TEXT_CHARACTERS
from wallet.encoding.json import JsonObject
from wallet.web.application import json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load
from wallet.web.vc_api import (
    MAX_VC_API_BYTES,
    StrictObject,
    VcApiOptions,
    answer_vc_api_errors,
)

_TEXT: Final = validate.Length(min=1, max=MAX_TEXT_CHARACTERS)
_UNBOUND: Final = "the issuer is a URL without keys: whose the proof is was not checked"
_INLINE: Final = "a context is given inline: what a member means is for the credential to say"


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
        """200: `verified`, `issuer`. JSON: `verifiableCredential`, `options`.

        An issuer may be a URL that is no DID. Then the proof is good, and the answer names no
        issuer: whose it is was not checked.
        """
        request.max_content_length = MAX_VC_API_BYTES
        body: dict[str, Any] = load(VerifyCredential(), read_json(request))
        document = body["verifiableCredential"]
        if _is_unbound(document):
            checker.check_proofs(document)
            return _verified({}, _UNBOUND, *_warnings(document))
        verified = checker.check_credential(document)
        return _verified({"issuer": verified.credential.issuer}, *_warnings(document))

    @blueprint.post("/presentations/verify")
    def verify_presentation() -> Response:
        """200: `verified`, `holder`. JSON: `verifiablePresentation`, `options`: `challenge`,
        `domain` (checked if given)."""
        request.max_content_length = MAX_VC_API_BYTES
        body: dict[str, Any] = load(VerifyPresentation(), read_json(request))
        document, options = body["verifiablePresentation"], body["options"]
        verified = checker.check_presentation(
            document,
            challenge=options["challenge"],
            domain=options.get("domain"),
        )
        inside = (credential.credential.document for credential in verified.credentials)
        return _verified({"holder": str(verified.holder)}, *_warnings(document, *inside))

    return blueprint


def _verified(members: JsonObject, *warnings: str) -> Response:
    return json_answer({"verified": True, **members, "errors": [], "warnings": list(warnings)})


def _is_unbound(document: JsonObject) -> bool:
    issuer = document.get("issuer")
    url = issuer.get("id") if type(issuer) is dict else issuer
    return type(url) is str and not names_keys(url) and "proof" in document


def _warnings(*documents: JsonObject) -> list[str]:
    contexts = (document.get("@context") for document in documents)
    inline = (
        type(item) is dict
        for value in contexts
        for item in (value if type(value) is list else [value])
    )
    return [_INLINE] if any(inline) else []
