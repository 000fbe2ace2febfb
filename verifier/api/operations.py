"""What operators and resolvers call: the DID document, health, metrics."""

from __future__ import annotations

from flask import Blueprint, Response

from verifier.health import Health
from verifier.metrics import Metrics
from verifier.service import VerifierService
from wallet.web.application import json_answer


def operations_blueprint(service: VerifierService, health: Health, metrics: Metrics) -> Blueprint:
    """Return the operators' endpoints."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/.well-known/did.json")
    def did_document() -> Response:
        """The document of this verifier's did:web."""
        answer = json_answer(service.did_document())
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer

    @blueprint.get("/healthz")
    def healthz() -> Response:
        """200 when this verifier can decide, else 503; the age of its replica in either case."""
        is_ready, body = health.check()
        return json_answer(body, 200 if is_ready else 503)

    @blueprint.get("/metrics")
    def exposition() -> Response:
        """Counters in the Prometheus text format."""
        return Response(metrics.exposition(), content_type=metrics.content_type)

    return blueprint
