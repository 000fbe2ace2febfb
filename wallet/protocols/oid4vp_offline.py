"""OpenID4VP where neither side has a network: request and answer go from screen to camera.

The request is the signed request object of OpenID4VP 1.0 with a response mode of our own,
`qr.jwt`: it names no `response_uri`, is good for `MAX_AGE_S`, and carries a key made for it alone.
The answer is the encrypted answer of §8.3, shown instead of posted. `wallet.protocols.frames` cuts
both into QR codes.

What this cannot do is tell a screen from a photograph of it: whoever stands between the two may
relay both within the time. See docs/threat-model.md.
"""

from __future__ import annotations

from typing import Final

from wallet.credentials.jose import CompactJws
from wallet.errors import RejectedError
from wallet.protocols.client_id import ClientId
from wallet.protocols.oid4vp import (
    CLOCK_SKEW_S,
    RequestMalformed,
    RequestNotForWallet,
    VerifiedRequest,
    Way,
    parse_request,
)
from wallet.protocols.oid4vp_metadata import response_encryption
from wallet.protocols.oid4vp_request_object import (
    RequestTrust,
    check_claims,
    verify_client_signature,
)

# A request older than this is not answered, and an answer older than this is not decided on.
MAX_AGE_S: Final = 60


class OfflineRequestTooOld(RejectedError):
    """The request was made more than `MAX_AGE_S` ago: have the verifier show a new one."""

    code = "offline_request_too_old"


def verify_offline_request(
    request_object: CompactJws,
    client_id: ClientId,
    trust: RequestTrust,
    *,
    now: int,
    development: bool = False,
) -> VerifiedRequest:
    """Return a request that was read off a screen, if its client signed it less than a minute ago.

    `client_id` is the one that the request names, `trust` the anchors for its certificate, or its
    DID's document where that is at hand. By this device's clock (`now`, unix seconds) the request
    may be `MAX_AGE_S` old, no more; the verifier's clock may be ahead by `CLOCK_SKEW_S`, and every
    second that it is behind is missing from the minute. Raises `OfflineRequestTooOld`,
    `RequestNotForWallet` for one of the future, `RequestMalformed` for one without times or a key
    for the answer, and what `verify_client_signature`, `check_claims` and `parse_request` raise.
    """
    certificate = verify_client_signature(request_object, client_id, trust, now=now)
    claims = request_object.peek_claims()
    check_claims(claims, client_id)
    request = parse_request(claims, development=development, way=Way.FRAMES)
    issued_at, expires_at = request.issued_at, request.expires_at
    if issued_at is None or expires_at is None or expires_at - issued_at > MAX_AGE_S:
        raise RequestMalformed(f"a request in frames says when it was made, for {MAX_AGE_S} s")
    if issued_at > now + CLOCK_SKEW_S:
        raise RequestNotForWallet("the request is dated in the future")
    if now >= expires_at:
        raise OfflineRequestTooOld("the request is too old: have it shown anew")
    response_encryption(request.client_metadata)
    return VerifiedRequest(
        request=request,
        authenticated=True,
        audience=str(client_id),
        certificate=certificate,
        request_object=request_object,
    )
