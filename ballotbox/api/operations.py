"""What whoever runs the ballot box asks: is it ready, is it well, what does it count."""

from __future__ import annotations

from flask import Blueprint, Response

from ballotbox.health import Health
from ballotbox.metrics import Metrics
from wallet.web.application import json_answer


def operations_blueprint(health: Health, metrics: Metrics) -> Blueprint:
    """Return health, readiness and metrics."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        is_well, said = health.check()
        return json_answer(said, 200 if is_well else 503)

    @blueprint.get("/readyz")
    def readyz() -> Response:
        # A box whose chain is away still takes ballots.
        health.check_ready()
        return json_answer({"status": "ready"})

    @blueprint.get("/metrics")
    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=metrics.content_type)

    return blueprint
