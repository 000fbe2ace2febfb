"""What anyone may read: status lists, receipts, manifests, card types, health and metrics."""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, request

from issuer.card_types import SVG_MEDIA_TYPE
from issuer.metrics import IssuerMetrics
from issuer.service import IssuerService
from issuer.status import ListForm, StatusListUnknown
from wallet.crypto.merkle import HASH_BYTES
from wallet.encoding import base64url
from wallet.errors import MalformedError
from wallet.ports.batches import BatchState
from wallet.verification.manifest import MANIFEST_TYPE
from wallet.web.application import json_answer

PENDING_RETRY_S: Final = 60
TYPE_MAX_AGE_S: Final = 300
_LIST_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}\Z")


class HashMalformed(MalformedError):
    """A root or leaf hash in a URL is not 32 bytes in base64url."""

    code = "hash_malformed"


def parse_hash(text: str) -> bytes:
    """Return the 32 bytes that a URL names. Raises `HashMalformed`, `Base64urlMalformed`."""
    raw = base64url.decode(text)
    if len(raw) != HASH_BYTES:
        raise HashMalformed(f"a hash is {HASH_BYTES} bytes in base64url")
    return raw


def public_blueprint(service: IssuerService, metrics: IssuerMetrics) -> Blueprint:
    """Return the public read endpoints."""
    blueprint = Blueprint("public", __name__)

    @blueprint.get("/status-lists/<number>")
    def status_list(number: str) -> Response:
        # One spelling per list, or a signed list would be served under URIs it does not name.
        if not _LIST_NUMBER.match(number):
            raise StatusListUnknown("there is no such status list")
        # The JWT also for those who take anything, or say nothing that is served here.
        wanted = request.accept_mimetypes.best_match(list(ListForm), default=ListForm.JWT)
        form = ListForm(wanted)
        answer = Response(service.statuses.token(int(number), form), content_type=form.value)
        answer.headers["Cache-Control"] = f"public, max-age={service.status_max_age_s}"
        answer.headers["Vary"] = "Accept"
        return answer

    @blueprint.get("/status-lists/<number>/<any(revocation, suspension):purpose>")
    def bitstring_list(number: str, purpose: str) -> Response:
        if not _LIST_NUMBER.match(number):
            raise StatusListUnknown("there is no such status list")
        answer = json_answer(
            service.bitstrings.credential(int(number), purpose), content_type="application/vc"
        )
        answer.headers["Cache-Control"] = f"public, max-age={service.status_max_age_s}"
        return answer

    @blueprint.get("/receipts/<leaf>")
    def receipt(leaf: str) -> Response:
        found = service.anchoring.receipt(parse_hash(leaf))
        if found.state is BatchState.SEALED:
            answer = json_answer({"state": "pending"}, 202)
            answer.headers["Retry-After"] = str(PENDING_RETRY_S)
            return answer
        path = [base64url.encode(node) for node in found.path]
        return json_answer(
            {
                "state": found.state.value,
                "receipt": {"index": found.index, "size": found.size, "path": path},
            }
        )

    @blueprint.get("/batches/<root>")
    def manifest(root: str) -> Response:
        signed = service.anchoring.manifest(parse_hash(root))
        answer = Response(signed, content_type=f"application/{MANIFEST_TYPE}")
        answer.headers["Cache-Control"] = "public, max-age=86400, immutable"
        return answer

    @blueprint.get("/types/<name>")
    def type_metadata(name: str) -> Response:
        return _of_a_type(service.card_types.type(name).document, "application/json")

    @blueprint.get("/types/<name>/<file>")
    def type_picture(name: str, file: str) -> Response:
        # Opened by itself in a browser it can do nothing: the services' policy allows no source.
        return _of_a_type(service.card_types.picture(name, file), SVG_MEDIA_TYPE)

    @blueprint.get("/healthz")
    def health() -> Response:
        # Asks the database, because a process that cannot reach it serves nobody.
        service.anchoring.waiting()
        return json_answer({"status": "ok"})

    @blueprint.get("/metrics")
    def scrape() -> Response:
        waiting_leaves, unfinished_batches = service.anchoring.waiting()
        return Response(
            metrics.exposition(waiting_leaves, unfinished_batches),
            content_type="text/plain; version=0.0.4; charset=utf-8",
        )

    return blueprint


def _of_a_type(body: bytes, media_type: str) -> Response:
    answer = Response(body, content_type=media_type)
    answer.headers["Cache-Control"] = f"public, max-age={TYPE_MAX_AGE_S}"
    return answer
