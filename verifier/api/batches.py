"""Bulk decisions over HTTP: open a batch, send chunks, seal, watch, read decisions."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from verifier.api.agency import require_agency
from verifier.bulk.application import MAX_APPLICATION_BYTES
from verifier.bulk.desk import MAX_PAGE, BulkDesk
from verifier.bulk.records import (
    MAX_CHUNK_APPLICATIONS,
    MAX_CHUNK_BYTES,
    ApplicationState,
    BulkBatch,
)
from verifier.config import VerifierConfig
from wallet.encoding.json import JsonObject, to_json
from wallet.web.application import json_answer
from wallet.web.bodies import UnsupportedMediaType
from wallet.web.schemas import RequestMalformed

NDJSON: Final = "application/x-ndjson"
MAX_CURSOR_DIGITS: Final = 12


def batches_blueprint(desk: BulkDesk, audience: str, config: VerifierConfig) -> Blueprint:
    """Return the endpoints of bulk decisions. All take an agency's token as bearer.

    A batch is its agency's own: to others it is 404, as an expired one is.
    """
    blueprint = Blueprint("batches", __name__, url_prefix="/v1/eligibility/batches")

    def told(batch: BulkBatch) -> JsonObject:
        return _batch_json(batch, desk, audience, config)

    @blueprint.post("")
    def open_batch() -> Response:
        """Open a batch.

        202 with `batch_id`, `batch_uri`, `chunks_uri` (to which the chunk's number is added),
        `decisions_uri`, `limits`, and `audience` and `nonce`: what the key binding of every
        presentation in the batch names as `aud` and `nonce`. The agency hands both to holders
        when it takes their applications in. A binding counts if it was made after the batch was
        opened; the nonce is the batch's and not one holder's, so that a presentation counts in
        one application alone, and in no other batch.
        """
        return json_answer(told(desk.open(require_agency(config))), 202)

    @blueprint.put("/<batch_id>/chunks/<int:number>")
    def receive(batch_id: str, number: int) -> Response:
        """Send a chunk: newline-delimited JSON, numbered from 0 without gaps.

        A line is an application: `id` (the agency's own, once in a batch, no name or number of
        a person), `programme`, perhaps `version`, and `presentations` (an object: the compact
        SD-JWT by the id of the evidence in the programme; what is missing is unknown). 202 as
        the GET of the batch. The same chunk again changes nothing; after a lost answer send it
        again, or go on at `next_chunk`. 409 for other content under a number that was received,
        for a gap, when the batch is sealed or full; 413 beyond `max_chunk_bytes`. What is wrong
        with one line is told in its place among the decisions and harms no other.
        """
        agency = require_agency(config)
        request.max_content_length = MAX_CHUNK_BYTES
        if request.mimetype != NDJSON:
            raise UnsupportedMediaType(f"send {NDJSON}")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaType("send the body without a content encoding")
        body = request.get_data(cache=False)
        return json_answer(told(desk.receive(batch_id, agency, number, body)), 202)

    @blueprint.post("/<batch_id>/seal")
    def seal(batch_id: str) -> Response:
        """Say that no chunk follows. 202 as the GET of the batch; again, nothing changes."""
        return json_answer(told(desk.seal(batch_id, require_agency(config))), 202)

    @blueprint.get("/<batch_id>")
    def progress(batch_id: str) -> Response:
        """Tell how far a batch is.

        200: what opening it told, `state` (open, sealed, done), `next_chunk`, `applications`
        with `received`, `decided`, `waiting`, and counts by outcome (eligible, not_eligible,
        unknown, refused), and the times.
        """
        return json_answer(told(desk.progress(batch_id, require_agency(config))))

    @blueprint.get("/<batch_id>/decisions")
    def decisions(batch_id: str) -> Response:
        """Read decisions, in the order of the applications, while they are being made.

        Query: `after` (a cursor, 0 at first) and `limit`. JSON `decisions`, `next` (the cursor
        to go on with; the same when nothing has followed yet) and `is_last`; with `Accept:
        application/x-ndjson` a line each, with `Link: <…>; rel="next"` unless it is the last
        page. An item has `position`, `id`, and either `state` decided and `decision` (as in
        `GET /v1/eligibility/decisions`), or `state` refused, `code` and `detail`.
        """
        agency = require_agency(config)
        after, limit = _number("after", 0), _number("limit", MAX_PAGE)
        page = desk.decisions(batch_id, agency, after=after, limit=max(1, min(limit, MAX_PAGE)))
        uri = _uri(config, batch_id)
        if request.accept_mimetypes.best_match(("application/json", NDJSON)) == NDJSON:
            answer = Response(b"".join(line + b"\n" for line in page.lines), content_type=NDJSON)
            if not page.is_last:
                answer.headers["Link"] = f'<{uri}/decisions?after={page.after}>; rel="next"'
            return answer
        head = to_json({"next": page.after, "is_last": page.is_last})[:-1]
        body = head + b',"decisions":[' + b",".join(page.lines) + b"]}"
        return Response(body, content_type="application/json")

    @blueprint.delete("/<batch_id>")
    def forget(batch_id: str) -> Response:
        """Remove a batch with everything kept of it, decided or not. 204."""
        desk.forget(batch_id, require_agency(config))
        return Response(status=204)

    return blueprint


def _number(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > MAX_CURSOR_DIGITS:
        raise RequestMalformed(f"{name} is a whole number")
    return int(text)


def _uri(config: VerifierConfig, batch_id: str) -> str:
    return f"{config.base_url}/v1/eligibility/batches/{batch_id}"


def _batch_json(
    batch: BulkBatch, desk: BulkDesk, audience: str, config: VerifierConfig
) -> JsonObject:
    uri = _uri(config, batch.batch_id)
    return {
        "batch_id": batch.batch_id,
        "batch_uri": uri,
        "chunks_uri": f"{uri}/chunks/",
        "decisions_uri": f"{uri}/decisions",
        "audience": audience,
        "nonce": batch.nonce,
        "limits": {
            "max_applications": desk.max_applications,
            "max_chunk_applications": MAX_CHUNK_APPLICATIONS,
            "max_chunk_bytes": MAX_CHUNK_BYTES,
            "max_application_bytes": MAX_APPLICATION_BYTES,
            "max_page": MAX_PAGE,
        },
        "state": batch.state.value,
        "next_chunk": batch.chunks,
        "applications": {
            "received": batch.applications,
            "decided": batch.decided,
            "waiting": batch.applications - batch.decided,
            **{state.value: batch.outcomes.get(state, 0) for state in ApplicationState},
        },
        "created_at": batch.created_at,
        "sealed_at": batch.sealed_at,
        "finished_at": batch.finished_at,
        "expires_at": batch.expires_at,
    }
