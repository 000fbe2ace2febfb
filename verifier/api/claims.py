"""Claims over HTTP: an agency takes back what it granted."""

from __future__ import annotations

from flask import Blueprint, Response

from verifier.api.agency import require_agency
from verifier.claims.counting import Counting
from verifier.config import VerifierConfig


def claims_blueprint(counting: Counting, config: VerifierConfig) -> Blueprint:
    """Return the endpoint."""
    blueprint = Blueprint("claims", __name__, url_prefix="/v1/eligibility/claims")

    @blueprint.delete("/<claim_id>")
    def release(claim_id: str) -> Response:
        """Take back a benefit that was granted, so that the person may draw it again.

        Bearer: an agency token. `claim_id` was told with the decision. 204; 404 for a claim that
        is not there. A group's register is told at once, or as soon as it answers; until then
        the person is told to try again.
        """
        require_agency(config)
        counting.release(claim_id)
        return Response(status=204)

    return blueprint
