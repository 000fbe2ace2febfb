"""The register over HTTP: claim, release, and what it counts."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import NotFound, Unauthorized

from verifier.exclusions.desk import ExclusionDesk
from verifier.exclusions.metrics import Metrics
from wallet.credentials.jwe import EncryptionKey
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.protocols.exclusion import MAX_SEALED_BYTES
from wallet.web.application import json_answer
from wallet.web.bodies import read_json
from wallet.web.schemas import RequestSchema, load

MAX_BODY_BYTES: Final = 8 * 1024
CLAIM_ID_PATTERN: Final = "[A-Za-z0-9_-]{16,64}"
BASE64URL_PATTERN: Final = "[A-Za-z0-9_-]{1,128}"
_ID: Final = re.compile(CLAIM_ID_PATTERN)
_BASE64URL: Final = re.compile(rf"{BASE64URL_PATTERN}\Z")


class _Claim(RequestSchema):
    digest = fields.String(required=True, validate=validate.Regexp(_BASE64URL))
    answer = fields.String(required=True, validate=validate.Regexp(_BASE64URL))
    sealed = fields.String(required=True, validate=validate.Length(min=1, max=MAX_SEALED_BYTES))


def exclusions_blueprint(
    desk: ExclusionDesk, key: EncryptionKey, tokens: Mapping[str, bytes], metrics: Metrics
) -> Blueprint:
    """Return the endpoints. `tokens` has SHA-256 of every agency's bearer token by its DID."""
    blueprint = Blueprint("exclusions", __name__, url_prefix="/v1/exclusion-groups")

    def agency() -> str:
        authorization = request.authorization
        token = None if authorization is None else authorization.token
        digest = sha256((token or "").encode("utf-8", "surrogatepass"))
        known = [name for name, one in tokens.items() if hmac.compare_digest(digest, one)]
        if authorization is None or authorization.type != "bearer" or not known:
            metrics.refused("unauthorized")
            raise Unauthorized(
                "send an agency's token", www_authenticate=WWWAuthenticate("bearer")
            )
        return known[0]

    def own(claim_id: str) -> str:
        if not _ID.fullmatch(claim_id):
            raise NotFound
        return claim_id

    @blueprint.get("")
    def about() -> Response:
        """Tell which groups are counted, and the key that wallets seal for."""
        told = {"did": desk.did, "jwk": key.jwk, "groups": sorted(desk.groups)}
        return json_answer(told)

    @blueprint.put("/<group>/claims/<claim_id>")
    def claim(group: str, claim_id: str) -> Response:
        """Claim for a person.

        Bearer: an agency's token. JSON: `digest` and `answer` (base64url; of the proof that the
        agency verified) and `sealed` (the wallet's, for the register). 200 `{"free": true}` if
        the person has no other claim in the period, and this one is kept; `{"free": false}` if
        they have. Again, the same answer. 404 for a group that is not counted, 409 for a claim
        that was released before or was another, 422 when the pseudonym is not of the proof's
        person.
        """
        name = agency()
        request.max_content_length = MAX_BODY_BYTES
        body = load(_Claim(), read_json(request))
        try:
            free = desk.claim(
                name,
                group,
                own(claim_id),
                digest=base64url.decode(body["digest"]),
                answer=base64url.decode(body["answer"]),
                sealed=body["sealed"],
            )
        except SeoulWalletError as error:
            metrics.refused(error.code)
            raise
        metrics.claimed(free=free)
        return json_answer({"free": free})

    @blueprint.delete("/<group>/claims/<claim_id>")
    def release(group: str, claim_id: str) -> Response:
        """Take a claim of the agency back. Bearer: its token. 204, also if there is none."""
        desk.release(agency(), group, own(claim_id))
        metrics.released()
        return Response(status=204)

    return blueprint
