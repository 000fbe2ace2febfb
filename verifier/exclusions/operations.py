"""What whoever runs the register asks: is it well, and what does it count."""

from __future__ import annotations

from flask import Blueprint, Response

from verifier.exclusions.metrics import Metrics
from verifier.exclusions.records import ExclusionRecords
from wallet.errors import UnavailableError
from wallet.web.application import json_answer


def operations_blueprint(records: ExclusionRecords, metrics: Metrics) -> Blueprint:
    """Return health and metrics."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        """200 while claims can be looked up, else 503 with the code of why not."""
        try:
            records.check()
        except UnavailableError as error:
            metrics.show_health(False)
            return json_answer({"status": "degraded", "code": error.code}, 503)
        metrics.show_health(True)
        return json_answer({"status": "ok"})

    @blueprint.get("/metrics")
    def exposition() -> Response:
        """Counters in the Prometheus text format."""
        return Response(metrics.exposition(), content_type=metrics.content_type)

    return blueprint
