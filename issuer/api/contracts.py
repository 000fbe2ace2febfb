"""The operators' API for employment contracts: enter, sign, look, offer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, g
from marshmallow import fields, validate

from issuer.api.operator import offer_json, register_id_field
from issuer.api.operators import operator_body, operators_only
from issuer.config import Operator
from issuer.contracts import (
    MAX_SIGNING_S,
    Contract,
    ContractSignature,
    ContractUnknown,
    SignatureEvidence,
)
from issuer.service import IssuerService
from wallet.credentials.contract import CONTRACT_HASH, Side
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vp_transaction import MAX_ENCODED_CHARACTERS
from wallet.web.application import json_answer
from wallet.web.schemas import RequestSchema

MAX_AUDIENCE_CHARACTERS: Final = 512
MAX_PRESENTATION_CHARACTERS: Final = 64 * 1024
MAX_NONCE_CHARACTERS: Final = 256
_CONTRACT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class _Contract(RequestSchema):
    employer_id = register_id_field()
    worker_id = register_id_field()
    terms = fields.Dict(keys=fields.String(), required=True)
    audience = fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_AUDIENCE_CHARACTERS)
    )
    sign_within_s = fields.Integer(
        strict=True,
        load_default=MAX_SIGNING_S,
        validate=validate.Range(min=1, max=MAX_SIGNING_S),
    )


class _Evidence(RequestSchema):
    presentation = fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_PRESENTATION_CHARACTERS)
    )
    nonce = fields.String(required=True, validate=validate.Length(min=1, max=MAX_NONCE_CHARACTERS))
    transaction_data = fields.List(
        fields.String(validate=validate.Length(min=1, max=MAX_ENCODED_CHARACTERS)),
        required=True,
        validate=validate.Length(equal=1),
    )


class _Signature(RequestSchema):
    side = fields.Enum(Side, by_value=True, required=True)
    evidence = fields.Nested(_Evidence, required=True)


class _ContractOffer(RequestSchema):
    side = fields.Enum(Side, by_value=True, required=True)
    tx_code = fields.Boolean(load_default=True, truthy={True}, falsy={False})


def contracts_blueprint(service: IssuerService, operators: Sequence[Operator]) -> Blueprint:
    """Return the endpoints. With no operators, nobody gets in."""
    blueprint = operators_only("contracts", "/operator/contracts", operators)

    @blueprint.post("")
    def enter() -> Response:
        """Enter a contract; 201 with the transaction data that a verifier shall have signed.

        `audience` is that verifier's client identifier.
        """
        asked = operator_body(_Contract())
        contract = service.contracts.enter(
            asked["terms"],
            {Side.EMPLOYER: asked["employer_id"], Side.WORKER: asked["worker_id"]},
            audience=asked["audience"],
            operator=g.operator,
            sign_within_s=asked["sign_within_s"],
        )
        return json_answer(_contract_json(contract, ()), 201)

    @blueprint.get("/<contract_id>")
    def look(contract_id: str) -> Response:
        """The contract, and who has signed it; every signature is checked again."""
        contract, _ = service.contracts.contract(_id(contract_id))
        return json_answer(_contract_json(contract, service.contracts.check(contract_id)))

    @blueprint.post("/<contract_id>/signatures")
    def sign(contract_id: str) -> Response:
        """Hand in the signature of one side: `evidence` is what the verifier gave for it."""
        asked = operator_body(_Signature())
        given = asked["evidence"]
        signature = service.contracts.sign(
            _id(contract_id),
            asked["side"],
            SignatureEvidence(
                presentation=given["presentation"],
                nonce=given["nonce"],
                transaction_data=tuple(given["transaction_data"]),
            ),
        )
        return json_answer(_signature_json(signature), 201)

    @blueprint.post("/<contract_id>/offer")
    def offer(contract_id: str) -> Response:
        """Offer one party its credential, once both have signed."""
        asked = operator_body(_ContractOffer())
        made = service.contracts.offer(
            _id(contract_id), asked["side"], with_tx_code=asked["tx_code"]
        )
        return json_answer(offer_json(made), 201)

    return blueprint


def _id(contract_id: str) -> str:
    if not _CONTRACT_ID.match(contract_id):
        raise ContractUnknown("there is no such contract")
    return contract_id


def _contract_json(contract: Contract, signatures: Sequence[ContractSignature]) -> JsonObject:
    return {
        "contract_id": contract.contract_id,
        CONTRACT_HASH: contract.hash,
        "transaction_data": contract.agreement(),
        "audience": contract.audience,
        "requested_by": contract.requested_by,
        "requested_at": contract.requested_at,
        "sign_until": contract.sign_until,
        "signatures": [_signature_json(item) for item in signatures],
    }


def _signature_json(signature: ContractSignature) -> JsonObject:
    given = signature.evidence
    return {
        "side": signature.side.value,
        "signed_at": signature.signed_at,
        "evidence": {
            "presentation": given.presentation,
            "nonce": given.nonce,
            "transaction_data": list(given.transaction_data),
        },
    }
