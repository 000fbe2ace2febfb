"""Access tokens, DPoP proofs and client attestations in the headers of a request."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from issuer.api.errors import AccessTokenMissing
from issuer.service import IssuerService
from issuer.tokens import LiveGrant
from wallet.protocols.oid4vci.client_attestation import (
    ATTESTATION_HEADER,
    ATTESTATION_PROOF_HEADER,
)
from wallet.protocols.oid4vci.dpop import DpopProofInvalid

MAX_AUTHORIZATION_CHARACTERS: Final = 1024


def offer_dpop_nonces(blueprint: Blueprint, service: IssuerService) -> None:
    """Send a nonce with every answer to a request that came with a DPoP proof."""

    @blueprint.after_request
    def add_nonce(answer: Response) -> Response:
        if "DPoP" in request.headers and answer.status_code < 500:
            answer.headers["DPoP-Nonce"] = service.dpop.nonce()
        return answer


def _dpop_proof() -> str | None:
    proofs = request.headers.getlist("DPoP")
    if len(proofs) > 1 or any("," in proof for proof in proofs):
        raise DpopProofInvalid("send one DPoP proof")
    return proofs[0] if proofs else None


def dpop_key(service: IssuerService, path: str) -> str | None:
    """Return the thumbprint of the key of the DPoP proof at an OAuth endpoint, None without one.

    `path` is the endpoint's below the base URL; what the request calls itself does not count.
    """
    proof = _dpop_proof()
    if proof is None:
        return None
    url = service.identity.base_url + path
    return service.dpop.check(proof, method=request.method, url=url, access_token=None)


def authorized_grant(service: IssuerService, path: str) -> LiveGrant:
    """Return the grant of the request's access token, Bearer or DPoP.

    Raises `AccessTokenMissing`, `AccessTokenInvalid`, `DpopProofInvalid`, `DpopNonceNeeded`.
    """
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if not token or len(header) > MAX_AUTHORIZATION_CHARACTERS or not token.isascii():
        raise AccessTokenMissing("send the access token in the Authorization header")
    if scheme.lower() == "bearer":
        return service.issuing.authorize(token)
    proof = _dpop_proof()
    if scheme.lower() != "dpop" or proof is None:
        raise AccessTokenMissing("send the access token in the Authorization header")
    url = service.identity.base_url + path
    jkt = service.dpop.check(proof, method=request.method, url=url, access_token=token)
    return service.issuing.authorize(token, jkt=jkt)


def authenticated_client(
    service: IssuerService, client_id: str | None, *, anonymous: bool = False
) -> str | None:
    """Return who the client is. Raises `ClientNotAuthenticated`."""
    return service.clients.authenticate(
        client_id,
        attestation=request.headers.get(ATTESTATION_HEADER),
        proof=request.headers.get(ATTESTATION_PROOF_HEADER),
        anonymous=anonymous,
    )
