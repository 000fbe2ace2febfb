"""The operators' API for any credential type: offers, and the approval of held issuances."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, g, request
from marshmallow import fields, validate

from issuer.api.operator import offer_json, register_id_field
from issuer.api.operators import operator_body, operators_only
from issuer.config import Operator
from issuer.ports import Approval, ApprovalState, ApprovalUnknown
from issuer.service import IssuerService
from issuer.sessions import Entitlement
from wallet.encoding.json import JsonObject
from wallet.web.application import json_answer
from wallet.web.schemas import RequestMalformed, RequestSchema

_CONFIGURATION: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}\Z")
_RECORD_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def _flag(default: bool) -> fields.Boolean:
    return fields.Boolean(load_default=default, truthy={True}, falsy={False})


class _Offer(RequestSchema):
    configuration_id = fields.String(required=True, validate=validate.Regexp(_CONFIGURATION))
    subject_id = register_id_field()
    holder_id = register_id_field()
    tx_code = _flag(True)
    hold = _flag(False)
    by_authorization = _flag(False)


class _Nothing(RequestSchema):
    pass


def approvals_blueprint(service: IssuerService, operators: Sequence[Operator]) -> Blueprint:
    """Return the endpoints. With no operators, nobody gets in."""
    blueprint = operators_only("approvals", "/operator", operators)

    @blueprint.post("/credential-offers")
    def offer() -> Response:
        asked = operator_body(_Offer())
        kind = service.catalogue.type_of(asked["configuration_id"])
        held = asked["hold"] or kind.needs_approval
        entitlement = Entitlement(
            asked["configuration_id"],
            asked["subject_id"],
            asked["holder_id"],
            g.operator if held else None,
        )
        (made,) = service.offers.offer(
            [entitlement],
            with_tx_code=asked["tx_code"] and not asked["by_authorization"],
            by_authorization=asked["by_authorization"],
        )
        return json_answer(offer_json(made), 201)

    @blueprint.get("/approvals")
    def approvals() -> Response:
        try:
            state = ApprovalState(request.args.get("state", ApprovalState.WAITING.value))
        except ValueError:
            raise RequestMalformed("state: waiting, approved or refused") from None
        found = service.deferrals.approvals(state)
        return json_answer({"approvals": [_approval_json(item) for item in found]})

    @blueprint.post("/approvals/<approval_id>/<any(approve, refuse):decision>")
    def decide(approval_id: str, decision: str) -> Response:
        operator_body(_Nothing())
        if not _RECORD_ID.match(approval_id):
            raise ApprovalUnknown("there is no such held issuance")
        decided = service.deferrals.decide(
            approval_id, approve=decision == "approve", operator=g.operator
        )
        return json_answer(_approval_json(decided))

    return blueprint


def _approval_json(approval: Approval) -> JsonObject:
    return {
        "approval_id": approval.approval_id,
        "configuration_id": approval.configuration_id,
        "subject_id": approval.subject_id,
        "holder_id": approval.holder_id,
        "state": approval.state.value,
        "held_by": approval.held_by,
        "asked_at": approval.asked_at,
        "decided_by": approval.decided_by,
        "decided_at": approval.decided_at,
    }
