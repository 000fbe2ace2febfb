"""What the ballot box shows: the log, checkpoints, proofs, receipts. Never a running result."""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, request

from ballotbox.board import MAX_CHECKPOINTS_AT_ONCE, MAX_ENTRIES_AT_ONCE
from ballotbox.ports import SignedCheckpoint
from ballotbox.service import BallotBox
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import MalformedError
from wallet.web.application import json_answer

_NUMBER: Final = re.compile(r"[0-9]{1,10}")


class QueryMalformed(MalformedError):
    """A number of the query is missing, or no whole number of at most ten digits."""

    code = "query_malformed"


def board_blueprint(box: BallotBox) -> Blueprint:
    """Return the endpoints that show something."""
    blueprint = Blueprint("board", __name__)

    @blueprint.get("/manifest.json")
    def manifest() -> Response:
        return Response(box.manifest.octets, content_type="application/json")

    @blueprint.get("/log")
    def log() -> Response:
        octets = box.board.log(_number("start", 0), _number("count", MAX_ENTRIES_AT_ONCE))
        return Response(octets, content_type="application/octet-stream")

    @blueprint.get("/checkpoints")
    def checkpoints() -> Response:
        found = box.board.checkpoints(
            _number("first", 1), _number("count", MAX_CHECKPOINTS_AT_ONCE)
        )
        return json_answer({"checkpoints": [_statement(item) for item in found]})

    @blueprint.get("/anchors")
    def anchors() -> Response:
        found = box.board.checkpoints(
            _number("first", 1), _number("count", MAX_CHECKPOINTS_AT_ONCE)
        )
        state = box.board.state()
        return json_answer(
            {
                "opened": _hex(state.opened),
                "checkpoints": [
                    {"number": item.checkpoint.number, "transaction": item.transaction.hex()}
                    for item in found
                    if item.transaction is not None
                ],
                "sealed": _hex(state.sealed),
            }
        )

    @blueprint.get("/checkpoints/newest")
    def newest() -> Response:
        return json_answer(_statement(box.board.newest_checkpoint()))

    @blueprint.get("/proofs/inclusion")
    def inclusion() -> Response:
        return _path(box.board.inclusion(_number("index"), _number("size")))

    @blueprint.get("/proofs/consistency")
    def consistency() -> Response:
        return _path(box.board.consistency(_number("old_size"), _number("size")))

    @blueprint.get("/ballots/<code>")
    def receipt(code: str) -> Response:
        found = box.board.receipt(code)
        return json_answer(
            {
                "index": found.index,
                "checkpoint": _statement(found.checkpoint),
                "path": [step.hex() for step in found.path],
            }
        )

    return blueprint


def _number(name: str, default: int | None = None) -> int:
    text = request.args.get(name)
    if text is None and default is not None:
        return default
    if text is None or not _NUMBER.fullmatch(text):
        raise QueryMalformed(f"{name} is a whole number")
    return int(text)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _statement(item: SignedCheckpoint) -> JsonObject:
    return parse_json_object(item.statement)


def _path(path: tuple[bytes, ...]) -> Response:
    return json_answer({"path": [step.hex() for step in path]})
