"""The holder's side of VC-API, for development: derive credentials, resolve DIDs.

A wallet is somebody's own; this application is nobody's. It keeps nothing, needs no key, and
serves agencies that test their parts against ours.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Flask, Response, request
from marshmallow import fields, validate

from seoul_wallet.did_resolution import DocumentResolver, answer_resolution
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import RecentFacts
from wallet.adapters.http.sources import HttpDidResolver
from wallet.credentials.cryptosuites.bbs_2023 import BBS_2023
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.issue import derive_credential
from wallet.credentials.data_integrity.proof import UnsupportedCryptosuite, parse_proofs
from wallet.credentials.data_integrity.selection import MAX_POINTER_CHARACTERS, MAX_POINTERS
from wallet.credentials.data_integrity.statement_suite import DisclosureSuite
from wallet.credentials.data_integrity.verify import ASSERTION, Expectations, verify_proofs
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.vcdm.credential import parse_credential
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.web.application import json_answer, new_application
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load
from wallet.web.vc_api import (
    MAX_VC_API_BYTES,
    StrictObject,
    VcApiOptions,
    answer_vc_api_errors,
)

_SUITES: Final[dict[str, DisclosureSuite[Any]]] = {
    suite.name: suite for suite in (ECDSA_SD_2023, BBS_2023)
}


class DeriveOptions(VcApiOptions):
    """`options` of the derive endpoint."""

    selectivePointers = fields.List(
        fields.String(validate=validate.Length(max=MAX_POINTER_CHARACTERS)),
        required=True,
        validate=validate.Length(max=MAX_POINTERS // 2),
    )


class DeriveCredential(RequestSchema):
    """`POST /credentials/derive`."""

    verifiableCredential = StrictObject(required=True)
    options = fields.Nested(DeriveOptions, required=True)


def build_holder_app(
    base_url: str, json_ld: Canonicalizer, *, ca_file: str | None = None
) -> tuple[Flask, GuardedClient]:
    """Compose the application; the client is the caller's to close.

    Local DIDs are fetched by the scheme of `base_url`; `ca_file` names trust anchors (PEM).
    """
    client = GuardedClient(allow_loopback_http=True, ca_file=ca_file)
    clock = SystemClock()
    dids = HttpDidResolver(
        client, RecentFacts(clock), clock, development=base_url.startswith("http:")
    )
    return create_holder_app(dids, clock, json_ld), client


def create_holder_app(dids: DocumentResolver, clock: Clock, json_ld: Canonicalizer) -> Flask:
    """Return the WSGI application."""
    app = new_application("holder", max_body_bytes=MAX_VC_API_BYTES)
    blueprint = Blueprint("vc_api", __name__)
    answer_vc_api_errors(blueprint)

    @blueprint.post("/credentials/derive")
    def derive() -> Response:
        """201: `verifiableCredential`. JSON: `verifiableCredential`, `options`
        {`selectivePointers`}: what to show beside the mandatory parts, possibly nothing."""
        body: dict[str, Any] = load(DeriveCredential(), read_json(request))
        pointers = body["options"]["selectivePointers"]
        derived = _derive(body["verifiableCredential"], pointers, dids, clock, json_ld)
        return json_answer({"verifiableCredential": derived}, 201)

    @blueprint.get("/1.0/identifiers/<path:did>")
    def identifiers(did: str) -> Response:
        """The DID resolution result (DID Resolution §10), or the document alone."""
        return answer_resolution(dids, did)

    app.register_blueprint(blueprint)

    @app.get("/healthz")
    def health() -> Response:
        return json_answer({"status": "ok"})

    return app


def _derive(
    secured: JsonObject,
    pointers: list[str],
    dids: DocumentResolver,
    clock: Clock,
    json_ld: Canonicalizer,
) -> JsonObject:
    """Return the derived credential, which is one, and whose proof verifies.

    Without anything of the subject there is no credential; a bad base proof derives nothing.
    """
    parse_credential(secured)
    (proof, *_) = parse_proofs(secured)
    if proof.cryptosuite not in _SUITES:
        raise UnsupportedCryptosuite("nothing can be derived from a proof of this cryptosuite")
    derived = derive_credential(secured, pointers, _SUITES[proof.cryptosuite], json_ld=json_ld)
    parse_credential(derived)
    did = proof.verification_method.did
    documents = {str(did): dids.resolve(did).value}
    verify_proofs(derived, documents, Expectations(ASSERTION), now=clock.now(), json_ld=json_ld)
    return derived
