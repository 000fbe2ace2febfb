"""What the VC-API endpoints of issuer, verifier and holder share: bodies and problem details.

A problem carries `errors`, and the W3C problem types where a specification names one (VC Data
Model 2.0 §7.1, Data Integrity §4.7, Bitstring Status List §3.5). What could not be fetched because
of what the input names is 422 here too, with its own code: it is no verdict on a credential, and
the caller may try again.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, g
from marshmallow import EXCLUDE, ValidationError, fields
from werkzeug.exceptions import RequestEntityTooLarge

from wallet.credentials.data_integrity.cryptosuite import KeyNotForCryptosuite
from wallet.credentials.data_integrity.proof import (
    ProofChainBroken,
    ProofMalformed,
    UnsupportedCryptosuite,
)
from wallet.credentials.data_integrity.verify import (
    ChallengeMismatch,
    DomainMismatch,
    ProofPurposeMismatch,
)
from wallet.credentials.jsonld.errors import (
    GraphTooComplex,
    JsonLdMalformed,
    StatementsLost,
    UnsupportedContext,
)
from wallet.credentials.vcdm.fields import CredentialMalformed
from wallet.crypto.bbs.types import BbsProofInvalid
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding.json import JsonMalformed, JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.ports.facts import DidUnresolvable, StatusListUnavailable
from wallet.status.compression import StatusListMalformed
from wallet.status.token_status_list import StatusIndexOutOfRange
from wallet.web.problems import PROBLEM_TYPE_PREFIX
from wallet.web.schemas import RequestSchema

MAX_VC_API_BYTES: Final = 512 * 1024
_MODEL: Final = "https://www.w3.org/TR/vc-data-model#"
_PROOF: Final = "https://w3id.org/security#"
_LIST: Final = "https://www.w3.org/ns/credentials/status-list#"
W3C_TYPES: Final[Mapping[type[SeoulWalletError], str]] = {
    JsonMalformed: f"{_MODEL}PARSING_ERROR",
    CredentialMalformed: f"{_MODEL}MALFORMED_VALUE_ERROR",
    ChallengeMismatch: f"{_PROOF}INVALID_CHALLENGE_ERROR",
    DomainMismatch: f"{_PROOF}INVALID_DOMAIN_ERROR",
    ProofMalformed: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    ProofChainBroken: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    ProofPurposeMismatch: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    UnsupportedCryptosuite: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    KeyNotForCryptosuite: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    SignatureInvalid: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    BbsProofInvalid: f"{_PROOF}PROOF_VERIFICATION_ERROR",
    StatementsLost: f"{_PROOF}PROOF_TRANSFORMATION_ERROR",
    GraphTooComplex: f"{_PROOF}PROOF_TRANSFORMATION_ERROR",
    JsonLdMalformed: f"{_PROOF}PROOF_TRANSFORMATION_ERROR",
    UnsupportedContext: f"{_PROOF}PROOF_TRANSFORMATION_ERROR",
    StatusListUnavailable: f"{_LIST}STATUS_RETRIEVAL_ERROR",
    StatusListMalformed: f"{_LIST}STATUS_VERIFICATION_ERROR",
    StatusIndexOutOfRange: f"{_LIST}RANGE_ERROR",
}
# Facts that the input names and that could not be had.
_NAMED_BY_INPUT: Final = (DidUnresolvable, StatusListUnavailable)


class StrictObject(fields.Field[JsonObject]):
    """A JSON object as it is, nothing else; what is in it is for the core to check."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> JsonObject:
        if type(value) is not dict:
            raise ValidationError("Not an object.")
        return value


class VcApiOptions(RequestSchema):
    """Base of `options`: members that are not known here are for others, and ignored."""

    class Meta:
        unknown = EXCLUDE


def answer_vc_api_errors(blueprint: Blueprint) -> None:
    """Answer the typed errors of a blueprint's views as problem details with `errors`."""
    blueprint.register_error_handler(SeoulWalletError, vc_api_problem)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)


def vc_api_problem(error: SeoulWalletError) -> Response:
    """Return the problem details of an error."""
    status = 422 if isinstance(error, _NAMED_BY_INPUT) else error.status
    return _problem(status, error.code, str(error), _type_of(error))


def _type_of(error: SeoulWalletError) -> str:
    for kind in type(error).__mro__:
        if kind in W3C_TYPES:
            return W3C_TYPES[kind]
    return PROBLEM_TYPE_PREFIX + error.code


def _too_large(_: RequestEntityTooLarge) -> Response:
    text, code = "the body is too large", "request_entity_too_large"
    return _problem(413, code, text, PROBLEM_TYPE_PREFIX + code)


def _problem(status: int, code: str, detail: str, kind: str) -> Response:
    body = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"type": kind, "code": code, "detail": detail}],
        "request_id": g.get("request_id"),
    }
    return Response(to_json(body), status, content_type="application/problem+json")
