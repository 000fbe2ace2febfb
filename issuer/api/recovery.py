"""The endpoints of recovery keys beside token and credential endpoint, and the operators' view."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request

from issuer.api.errors import RECOVERY_ERRORS, answer_errors
from issuer.api.operators import operators_only
from issuer.config import Operator
from issuer.recovery.ports import RecoveryEvent
from issuer.service import IssuerService
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.recovery import (
    MAX_RECOVERY_REQUEST_BYTES,
    parse_recovery_request,
    parse_replace_request,
)
from wallet.web.application import json_answer
from wallet.web.bodies import read_json


def recovery_blueprint(service: IssuerService) -> Blueprint:
    """Return the endpoints for devices (`wallet.protocols.oid4vci.recovery`)."""
    blueprint = Blueprint("recovery", __name__, url_prefix="/recovery")
    answer_errors(blueprint, RECOVERY_ERRORS, too_large="invalid_request")

    def proof() -> str:
        request.max_content_length = MAX_RECOVERY_REQUEST_BYTES
        return parse_recovery_request(read_json(request))

    @blueprint.post("/devices")
    def devices() -> Response:
        return json_answer(service.recoveries.devices(proof()).to_json())

    @blueprint.post("/lost")
    def lost() -> Response:
        service.recoveries.lost(proof())
        return Response(status=204)

    @blueprint.post("/key")
    def replace_key() -> Response:
        request.max_content_length = MAX_RECOVERY_REQUEST_BYTES
        service.recoveries.replace_key(*parse_replace_request(read_json(request)))
        return Response(status=204)

    return blueprint


def recovery_record_blueprint(service: IssuerService, operators: Sequence[Operator]) -> Blueprint:
    """Return the record of recovery for operators. With no operators, nobody gets in."""
    blueprint = operators_only("recovery_record", "/operator", operators)

    @blueprint.get("/recoveries")
    def recoveries() -> Response:
        found = service.recoveries.events()
        return json_answer({"recoveries": [_event_json(event) for event in found]})

    return blueprint


def _event_json(event: RecoveryEvent) -> JsonObject:
    return {
        "event_id": event.event_id,
        "key_id": event.key_id,
        "kind": event.kind.value,
        "device": event.device,
        "holding_id": event.holding_id,
        "at": event.at,
    }
