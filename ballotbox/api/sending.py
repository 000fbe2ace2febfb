"""What is sent to the ballot box: ballots, ceremony messages, batches."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ballotbox.service import BallotBox, BallotRefused
from wallet.encoding.json import parse_json_object
from wallet.web.application import json_answer
from wallet.web.bodies import UnsupportedMediaType
from wallet.web.problems import problem


def sending_blueprint(box: BallotBox) -> Blueprint:
    """Return the endpoints that take something."""
    blueprint = Blueprint("sending", __name__)

    @blueprint.post("/ballots")
    def send_ballot() -> Response:
        statement = box.accept(read_body("application/cbor"))
        return Response(statement.octets, 201, content_type="application/json")

    @blueprint.post("/ceremony")
    def send_message() -> Response:
        return json_answer({"round": box.ceremony.take(read_body("application/json"))}, 202)

    @blueprint.post("/batches")
    def send_batch() -> Response:
        return json_answer({"number": box.take_batch(read_body("application/json"))}, 202)

    @blueprint.errorhandler(BallotRefused)
    def refuse(error: BallotRefused) -> Response:
        answer = problem(error.cause.status, error.cause.code, str(error.cause))
        if error.rejection is None:
            return answer
        # The problem details with the board's signature under what it did.
        body = parse_json_object(answer.get_data())
        body["rejection"] = parse_json_object(error.rejection.octets)
        return json_answer(body, answer.status_code, content_type="application/problem+json")

    return blueprint


def read_body(wanted: str) -> bytes:
    """Return the bytes of a body of this content type. Raises `UnsupportedMediaType`."""
    if request.mimetype != wanted:
        raise UnsupportedMediaType(f"send {wanted}")
    return request.get_data(cache=False)
