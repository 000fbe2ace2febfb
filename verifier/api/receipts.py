"""Receipts over HTTP: to read, collect, countersign, withdraw, have deleted; the agency's log.

A receipt's id is the capability to read it: nobody can guess it, and there is nothing personal
behind it. What changes something is signed by the holder's key for that decision.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from verifier.receipts.desk import ReceiptDesk, receipt_json
from verifier.receipts.records import AgencyRecords, DecisionReceiptUnknown, EntryOf, LogEntry
from verifier.receipts.rounds import LogRounds
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.web.application import json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load

MAX_STATEMENT_BYTES: Final = 8 * 1024


class _Statement(RequestSchema):
    statement = fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_STATEMENT_BYTES)
    )


class _From(RequestSchema):
    since = fields.Integer(
        data_key="from", required=True, validate=validate.Range(min=1, max=2**53)
    )


def receipts_blueprint(desk: ReceiptDesk, records: AgencyRecords, rounds: LogRounds) -> Blueprint:
    """Return the endpoints of receipts and of the log."""
    blueprint = Blueprint("receipts", __name__, url_prefix="/v1")

    def statement() -> str:
        request.max_content_length = 2 * MAX_STATEMENT_BYTES
        text: str = load(_Statement(), read_json(request))["statement"]
        return text

    @blueprint.get("/receipts/<entry_id>")
    def receipt(entry_id: str) -> Response:
        """Return a receipt or another entry of the log, and where it is by now. 404."""
        entry = records.entry(entry_id)
        if entry.token is None:
            raise DecisionReceiptUnknown("there is no such receipt")
        told: JsonObject = (
            {
                "decision_receipt": receipt_json(entry),
                "countersignature": entry.countersignature,
                "guardian_countersignature": entry.guardian_countersignature,
            }
            if entry.kind is EntryOf.DECISION
            else _entry_json(entry)
        )
        return json_answer({**told, "proof": rounds.proof(entry).to_json(with_salt=False)})

    @blueprint.post("/receipts/<entry_id>/countersignature")
    def countersign(entry_id: str) -> Response:
        """Keep the holder's countersignature. 204; the same again changes nothing."""
        desk.countersign(entry_id, statement())
        return Response(status=204)

    @blueprint.post("/receipts/<entry_id>/deletion")
    def delete(entry_id: str) -> Response:
        """Delete what need not be kept; 200 with the agency's signed answer, always the same."""
        return json_answer(_entry_json(desk.delete(entry_id, statement())))

    @blueprint.post("/receipts/collections")
    def collect() -> Response:
        """The receipt of the decision on an answer that named the key which signs; 404 for none.

        For whom the answer of the response endpoint did not reach, or was not meant for.
        """
        return json_answer({"decision_receipt": receipt_json(desk.collect(statement()))})

    @blueprint.post("/receipts/withdrawals")
    def withdraw() -> Response:
        """Withdraw an application before it is decided; 200 with the agency's signed entry.

        409 `already_decided` when there is a decision, `nothing_to_withdraw` for an unknown nonce.
        """
        return json_answer(_entry_json(desk.withdraw(statement())))

    @blueprint.get("/agency-log")
    def log() -> Response:
        """The newest signed head of the log, null while there is none."""
        head = rounds.head()
        return json_answer({"head": None if head is None else head.token})

    @blueprint.get("/agency-log/extension")
    def extension() -> Response:
        """The newest head, and the path that shows that it extends the one of size `from`."""
        asked = load(_From(), dict(request.args))
        head, path = rounds.extension(asked["since"])
        return json_answer({"head": head.token, "path": [base64url.encode(node) for node in path]})

    return blueprint


def _entry_json(entry: LogEntry) -> JsonObject:
    return {
        "id": entry.entry_id,
        "entry": entry.token,
        "anchor_salt": base64url.encode(entry.anchor_salt),
    }
