"""What trustees send after the end of the board, and the block that they wait for."""

from __future__ import annotations

from flask import Blueprint, Response

from ballotbox.api.sending import read_body
from ballotbox.counting import Counting
from wallet.web.application import json_answer


def counting_blueprint(counting: Counting) -> Blueprint:
    """Return the endpoints of the count."""
    blueprint = Blueprint("counting", __name__)

    @blueprint.post("/decryption-shares")
    def send_share() -> Response:
        return json_answer({"trustee": counting.take_share(read_body("application/json"))}, 202)

    @blueprint.post("/tie-nonces")
    def send_nonce() -> Response:
        return json_answer({"trustee": counting.take_nonce(read_body("application/json"))}, 202)

    @blueprint.get("/tie-block")
    def tie_block() -> Response:
        block = counting.tie_block()
        return json_answer({"number": block.number, "hash": block.hash.hex(), "time": block.time})

    return blueprint
