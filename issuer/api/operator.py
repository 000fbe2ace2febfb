"""The operators' API: offers, letters, statuses, batches. JSON in, JSON or problem details out.

Every operator has a Bearer token of their own; the service knows its SHA-256 digest only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, g, request
from marshmallow import fields, validate

from issuer.api.operators import operator_body, operators_only
from issuer.api.public import parse_hash
from issuer.catalogue import FAMILY_CARD
from issuer.config import Operator
from issuer.offers import IssuedOffer, OffersRefused
from issuer.ports import Issuance, IssuanceUnknown, Letter, LetterState, LetterUnknown
from issuer.register.model import MAX_ID_CHARACTERS
from issuer.service import IssuerService
from issuer.sessions import Entitlement
from issuer.status import StatusReason
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.status.token_status_list import INVALID, SUSPENDED, VALID
from wallet.web.application import json_answer
from wallet.web.problems import problem
from wallet.web.schemas import RequestMalformed, RequestSchema

# Not every database takes every character, and no id has others.
_REGISTER_ID: Final = re.compile(rf"[A-Z0-9-]{{1,{MAX_ID_CHARACTERS}}}\Z")
_RECORD_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_STATUS_NAMES: Final = {VALID: "valid", INVALID: "revoked", SUSPENDED: "suspended"}


def register_id_field() -> fields.String:
    """Return the field of an id of the register."""
    return fields.String(required=True, validate=validate.Regexp(_REGISTER_ID))


class _Card(RequestSchema):
    family_id = register_id_field()
    holder_id = register_id_field()


class _CardOffer(_Card):
    tx_code = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class _CardOffers(RequestSchema):
    cards = fields.List(fields.Nested(_Card), required=True)
    tx_code = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class _LetterRequest(RequestSchema):
    appointment_id = register_id_field()


class _LetterOffer(RequestSchema):
    tx_code = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class _Nothing(RequestSchema):
    pass


class _Search(RequestSchema):
    subject_id = register_id_field()


class _StatusChange(RequestSchema):
    reason = fields.Enum(StatusReason, by_value=True, required=True)


def operator_blueprint(service: IssuerService, operators: Sequence[Operator]) -> Blueprint:
    """Return the operators' endpoints. With no operators, nobody gets in."""
    blueprint = operators_only("operator", "/operator", operators)

    @blueprint.post("/offers")
    def offer() -> Response:
        asked = operator_body(_CardOffer())
        made = service.offer_family_card(
            asked["family_id"], asked["holder_id"], with_tx_code=asked["tx_code"]
        )
        return json_answer(offer_json(made), 201)

    @blueprint.post("/offers/bulk")
    def bulk_offers() -> Response:
        asked = operator_body(_CardOffers())
        entitlements = [
            Entitlement(FAMILY_CARD, card["family_id"], card["holder_id"])
            for card in asked["cards"]
        ]
        made = service.offers.offer(entitlements, with_tx_code=asked["tx_code"])
        return json_answer({"offers": [offer_json(item) for item in made]}, 201)

    @blueprint.post("/letters")
    def request_letter() -> Response:
        asked = operator_body(_LetterRequest())
        letter = service.letters.request_letter(asked["appointment_id"], operator=g.operator)
        return json_answer(_letter_json(letter), 201)

    @blueprint.get("/letters")
    def letters() -> Response:
        try:
            state = LetterState(request.args.get("state", LetterState.REQUESTED.value))
        except ValueError:
            raise RequestMalformed("state: requested or approved") from None
        found = service.letters.letters(state)
        return json_answer({"letters": [_letter_json(letter) for letter in found]})

    @blueprint.post("/letters/<letter_id>/approval")
    def approve_letter(letter_id: str) -> Response:
        operator_body(_Nothing())
        letter = service.letters.approve_letter(_letter_id(letter_id), operator=g.operator)
        return json_answer(_letter_json(letter))

    @blueprint.post("/letters/<letter_id>/offer")
    def offer_letter(letter_id: str) -> Response:
        asked = operator_body(_LetterOffer())
        made = service.letters.offer_letter(_letter_id(letter_id), with_tx_code=asked["tx_code"])
        return json_answer(offer_json(made), 201)

    @blueprint.post("/issuances/search")
    def issuances() -> Response:
        # A POST, so that an id of the register stays out of URLs and their logs.
        found = service.statuses.issuances_of(operator_body(_Search())["subject_id"])
        return json_answer({"issuances": [_issuance_json(issuance) for issuance in found]})

    changes = {
        "revoke": service.statuses.revoke,
        "suspend": service.statuses.suspend,
        "reinstate": service.statuses.reinstate,
    }

    @blueprint.post("/issuances/<issuance_id>/<any(revoke, suspend, reinstate):change>")
    def change_status(issuance_id: str, change: str) -> Response:
        reason = operator_body(_StatusChange())["reason"]
        if not _RECORD_ID.match(issuance_id):
            raise IssuanceUnknown("there is no such issuance")
        changes[change](issuance_id, reason)
        return Response(status=204)

    @blueprint.post("/batches/<root>/revoke")
    def revoke_batch(root: str) -> Response:
        operator_body(_Nothing())
        service.anchoring.revoke_batch(parse_hash(root))
        return Response(status=204)

    def refused(error: OffersRefused) -> Response:
        answer = problem(422, error.code, str(error))
        details: JsonObject = answer.get_json()
        listed = [{"index": item.index, "code": item.code} for item in error.refused]
        answer.set_data(to_json({**details, "refused": listed}))
        return answer

    blueprint.register_error_handler(OffersRefused, refused)
    return blueprint


def _letter_id(text: str) -> str:
    if not _RECORD_ID.match(text):
        raise LetterUnknown("there is no such letter")
    return text


def offer_json(offer: IssuedOffer) -> JsonObject:
    """Return an offer as operators get it."""
    return {"link": offer.link, "tx_code": offer.tx_code, "expires_at": offer.expires_at}


def _letter_json(letter: Letter) -> JsonObject:
    return {
        "letter_id": letter.letter_id,
        "appointment_id": letter.appointment_id,
        "state": letter.state.value,
        "requested_by": letter.requested_by,
        "requested_at": letter.requested_at,
        "approved_by": letter.approved_by,
        "approved_at": letter.approved_at,
    }


def _issuance_json(issuance: Issuance) -> JsonObject:
    return {
        "issuance_id": issuance.issuance_id,
        "credential_type": issuance.credential_type,
        "holder_id": issuance.holder_id,
        "status": _STATUS_NAMES[issuance.status],
        "reason": issuance.reason,
        "intended_at": issuance.intended_at,
        "completed": issuance.leaf is not None,
        "leaf": None if issuance.leaf is None else base64url.encode(issuance.leaf),
    }
