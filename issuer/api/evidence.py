"""Operators offer evidence: which kind, about whom. JSON in, JSON or problem details out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response
from marshmallow import fields, validate

from issuer.api.operator import offer_json
from issuer.api.operators import operator_body, operators_only
from issuer.config import Operator
from issuer.register.model import MAX_ID_CHARACTERS
from issuer.service import IssuerService
from wallet.web.application import json_answer
from wallet.web.schemas import RequestMalformed, RequestSchema

_REGISTER_ID: Final = re.compile(rf"[A-Z0-9-]{{1,{MAX_ID_CHARACTERS}}}\Z")
_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,47}\Z")


class _EvidenceOffer(RequestSchema):
    kind = fields.String(required=True, validate=validate.Regexp(_KIND))
    subject_id = fields.String(required=True, validate=validate.Regexp(_REGISTER_ID))
    holder_id = fields.String(required=True, validate=validate.Regexp(_REGISTER_ID))
    family_id = fields.String(validate=validate.Regexp(_REGISTER_ID))
    guardian_id = fields.String(validate=validate.Regexp(_REGISTER_ID))
    tx_code = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class _GuardianshipOffer(RequestSchema):
    family_id = fields.String(required=True, validate=validate.Regexp(_REGISTER_ID))
    guardian_id = fields.String(required=True, validate=validate.Regexp(_REGISTER_ID))
    child_id = fields.String(required=True, validate=validate.Regexp(_REGISTER_ID))
    tx_code = fields.Boolean(load_default=True, truthy={True}, falsy={False})


def evidence_blueprint(service: IssuerService, operators: Sequence[Operator]) -> Blueprint:
    """Return the endpoint; who may call it is as for every other of the operators'."""
    blueprint = operators_only("evidence", "/operator", operators)

    @blueprint.post("/evidence-offers")
    def offer() -> Response:
        """Offer one piece of evidence.

        Bearer: an operator's token. JSON: `kind`, `subject_id` (a person, or a family for
        family relations), `holder_id` and perhaps `tx_code`; for a child's evidence that goes to
        a guardian, `family_id` and `guardian_id` too. 201 with the offer's link; 422 when
        the register does not list the subject, 409 when it lacks a fact.
        """
        asked = operator_body(_EvidenceOffer())
        family_id, guardian_id = asked.get("family_id"), asked.get("guardian_id")
        if (family_id is None) is not (guardian_id is None):
            raise RequestMalformed("family_id and guardian_id belong together")
        made = service.offer_evidence(
            asked["kind"],
            asked["subject_id"],
            asked["holder_id"],
            with_tx_code=asked["tx_code"],
            guardian=None if family_id is None else (str(family_id), str(guardian_id)),
        )
        return json_answer(offer_json(made), 201)

    @blueprint.post("/guardianship-offers")
    def offer_guardianship() -> Response:
        """Offer the guardianship certificate for one child.

        Bearer: an operator's token. JSON: `family_id`, `guardian_id`, `child_id` and perhaps
        `tx_code`. 201 with the offer's link; 422 when the register makes nobody a guardian.
        """
        asked = operator_body(_GuardianshipOffer())
        made = service.offer_guardianship(
            asked["family_id"],
            asked["guardian_id"],
            asked["child_id"],
            with_tx_code=asked["tx_code"],
        )
        return json_answer(offer_json(made), 201)

    return blueprint
