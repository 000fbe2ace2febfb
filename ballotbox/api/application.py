"""The Flask application of the ballot box."""

from __future__ import annotations

from typing import Final

from flask import Flask

from ballotbox.api.board import board_blueprint
from ballotbox.api.counting import counting_blueprint
from ballotbox.api.openapi import openapi_blueprint
from ballotbox.api.operations import operations_blueprint
from ballotbox.api.sending import sending_blueprint
from ballotbox.counting import Counting
from ballotbox.health import Health
from ballotbox.metrics import Metrics
from ballotbox.service import BallotBox
from wallet.voting.board import MAX_ENTRY_BYTES
from wallet.web.application import new_application

MAX_BODY_BYTES: Final = MAX_ENTRY_BYTES


def create_app(box: BallotBox, counting: Counting, health: Health, metrics: Metrics) -> Flask:
    """Return the WSGI application over `box`."""
    app = new_application("ballotbox", max_body_bytes=MAX_BODY_BYTES)
    app.register_blueprint(sending_blueprint(box))
    app.register_blueprint(counting_blueprint(counting))
    app.register_blueprint(board_blueprint(box))
    app.register_blueprint(operations_blueprint(health, metrics))
    app.register_blueprint(openapi_blueprint())
    return app
