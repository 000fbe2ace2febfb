"""Operators take the census of the electoral roll: what an organiser writes into a manifest."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response
from marshmallow import fields, validate

from issuer.api.operators import operator_body, operators_only
from issuer.config import Operator
from issuer.register.electoral_roll import DISTRICT_CODES, VOTING_AGE
from issuer.voting import VotingRoll
from wallet.web.application import json_answer
from wallet.web.schemas import RequestSchema


class _Electorate(RequestSchema):
    min_age = fields.Integer(
        required=True, strict=True, allow_none=True, validate=validate.Equal(VOTING_AGE)
    )
    districts = fields.List(
        fields.String(validate=validate.OneOf(sorted(DISTRICT_CODES.values()))),
        required=True,
        allow_none=True,
        validate=validate.Length(min=1, max=len(DISTRICT_CODES)),
    )


def census_blueprint(roll: VotingRoll, operators: Sequence[Operator]) -> Blueprint:
    """Return the endpoint; who may call it is as for every other of the operators'."""
    blueprint = operators_only("census", "/operator", operators)

    @blueprint.post("/census")
    def census() -> Response:
        """Return the members `eligibility` and `census` of a manifest for this electorate.

        Bearer: an operator's token. JSON: `min_age` (14 or null), `districts` (codes, or null for
        all). Numbers of people, no person.
        """
        asked = operator_body(_Electorate())
        districts = None if asked["districts"] is None else frozenset(asked["districts"])
        return json_answer(roll.manifest_parts(min_age=asked["min_age"], districts=districts))

    return blueprint
