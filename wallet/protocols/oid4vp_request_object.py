"""Signed request objects of OpenID4VP 1.0 (§5.9.3, RFC 9101), and unsigned requests by value.

Who signs is said by the prefix of the client identifier: a key of a DID, or a certificate that
leads to one of the wallet's trust anchors.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wallet.credentials.jose import (
    CompactJws,
    claim_string,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.crypto.certificates import TrustAnchors, VerifiedCertificate, parse_x5c
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.did.document import DidDocument, KeyNotAuthorized
from wallet.did.syntax import parse_did_url
from wallet.encoding.json import JsonObject, parse_json
from wallet.errors import RejectedError
from wallet.protocols.client_id import (
    CertificateClientId,
    ClientId,
    ClientIdMismatch,
    DidClientId,
    HashClientId,
    RedirectUriClientId,
    SanDnsClientId,
    parse_client_id,
)
from wallet.protocols.oid4vp import (
    REQUEST_OBJECT_TYPE,
    WALLET_AUDIENCE,
    AuthorizationRequest,
    RequestNotForWallet,
    VerifiedRequest,
    check_request_times,
    parse_request,
)

_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,12}\Z")
_JSON_PARAMETERS: Final = ("dcql_query", "client_metadata", "transaction_data", "verifier_info")

# Where the key of a signed request is found: the DID's document, or anchors for its certificate.
RequestTrust = DidDocument | TrustAnchors


class RequestNotSigned(RejectedError):
    """The client identifier calls for a signed request, or forbids one."""

    code = "request_not_signed"


class WalletNonceMismatch(RejectedError):
    """The request object does not repeat the nonce that this wallet sent for it."""

    code = "wallet_nonce_mismatch"


def sign_request_object(
    request: AuthorizationRequest,
    key: SigningKey,
    *,
    kid: str | None = None,
    chain: Sequence[bytes] = (),
) -> str:
    """Return the request object as a JWS (§5.9.3).

    A DID client names its key by `kid`, a DID URL; certificate clients send `chain` (DER, leaf
    first, without the trust anchor). A mismatch is a `ValueError`.
    """
    header: JsonObject = {"typ": REQUEST_OBJECT_TYPE}
    if isinstance(request.client_id, DidClientId):
        if kid is None or str(parse_did_url(kid).did) != str(request.client_id.did):
            raise ValueError("kid is a key of the client's DID")
        header["kid"] = kid
    elif isinstance(request.client_id, CertificateClientId):
        if not chain:
            raise ValueError("a certificate client sends its certificates")
        header["x5c"] = [binascii.b2a_base64(der, newline=False).decode() for der in chain]
    else:
        raise ValueError("a redirect_uri: client does not sign")
    return sign_jws(key, header, {**request.to_claims(), "aud": WALLET_AUDIENCE})


def parse_request_object(text: str | bytes) -> CompactJws:
    """Return the unverified request object. Raises `JwsMalformed`, `UnsupportedAlgorithm` & kin.

    Another `typ` than `oauth-authz-req+jwt` is refused, and so is `alg` none.
    """
    return parse_compact_jws(text, typ=REQUEST_OBJECT_TYPE)


def verify_request_object(
    request_object: CompactJws,
    client_id: ClientId,
    trust: RequestTrust,
    *,
    now: int,
    wallet_nonce: str | None = None,
    development: bool = False,
) -> VerifiedRequest:
    """Return the request if its client signed it, for wallets, now.

    `client_id` is the one of the link that led here, `trust` that DID's document, or the anchors
    that a client's certificate must lead to; `wallet_nonce` is what this wallet sent with
    `request_uri_method=post`. Raises `ClientIdMismatch`, `RequestNotSigned`, `KeyNotAuthorized`,
    `CertificateNotTrusted`, `CertificateMalformed`, `SignatureInvalid`, `RequestNotForWallet`,
    `WalletNonceMismatch`, and what `parse_request` raises. Does not decide whether the verifier
    may ask: that is the holder's consent.
    """
    certificate = verify_client_signature(request_object, client_id, trust, now=now)
    claims = request_object.peek_claims()
    check_claims(claims, client_id)
    request = parse_request(claims, development=development)
    check_request_times(request, now)
    if wallet_nonce is not None and request.wallet_nonce != wallet_nonce:
        raise WalletNonceMismatch("the request object does not repeat the wallet's nonce")
    return VerifiedRequest(
        request=request,
        authenticated=True,
        audience=str(client_id),
        certificate=certificate,
        request_object=request_object,
    )


def check_claims(claims: JsonObject, client_id: ClientId) -> None:
    """Return if the claims are of this client and for wallets.

    Raises `ClientIdMismatch`, `RequestNotForWallet`.
    """
    if claim_string(claims, "client_id") != str(client_id):
        raise ClientIdMismatch("the link and the request object name different clients")
    if claims.get("aud") != WALLET_AUDIENCE:
        raise RequestNotForWallet("aud is not " + WALLET_AUDIENCE)
    # `iss` may be there (RFC 9101), and OpenID4VP §5 has wallets ignore it.


def verify_client_signature(
    request_object: CompactJws, client_id: ClientId, trust: RequestTrust, *, now: int
) -> VerifiedCertificate | None:
    """Return if the client signed; the leaf certificate for clients that have one.

    Raises as `verify_request_object` does, about signature and key alone.
    """
    if isinstance(client_id, RedirectUriClientId):
        raise RequestNotSigned("a redirect_uri: client cannot sign its request")
    if isinstance(client_id, DidClientId):
        if not isinstance(trust, DidDocument):
            raise ClientIdMismatch("the client's DID document is not at hand")
        verify_jws(request_object, _did_key(request_object, client_id, trust))
        return None
    if not isinstance(trust, TrustAnchors):
        raise ClientIdMismatch("the client has a certificate, not a DID document")
    chain = parse_x5c(request_object.header.get("x5c"))
    leaf = trust.verify_chain(chain, now=now)
    if isinstance(client_id, SanDnsClientId) and client_id.name not in leaf.dns_names:
        raise ClientIdMismatch("the certificate is not for the client's name")
    if isinstance(client_id, HashClientId) and client_id != HashClientId.of_certificate(chain[0]):
        raise ClientIdMismatch("the certificate is another than the client's")
    verify_jws(request_object, leaf.key)
    return leaf


def _did_key(
    request_object: CompactJws, client_id: DidClientId, document: DidDocument
) -> PublicKey:
    kid = parse_did_url(request_object.kid)
    if kid.did != client_id.did or document.did != client_id.did:
        raise ClientIdMismatch("the request object is signed by another DID than the client's")
    method = document.methods.get(str(kid))
    if method is None:
        raise KeyNotAuthorized("the key is not in the client's DID document")
    return method.key


def verify_unsigned_request(
    parameters: Mapping[str, str], *, now: int, development: bool = False
) -> VerifiedRequest:
    """Return the request that a link carries by value, of a `redirect_uri:` client (§5.9.3).

    `parameters` are those of `parse_request_link`. Raises `RequestNotSigned` for any other
    client, `RequestNotForWallet`, `ClientIdMismatch`, and what `parse_request` raises.
    """
    client_id = parse_client_id(parameters.get("client_id"), development=development)
    if not isinstance(client_id, RedirectUriClientId):
        raise RequestNotSigned("this client must sign its request")
    claims: dict[str, Any] = dict(parameters)
    for name in _JSON_PARAMETERS:
        if name in parameters:
            claims[name] = parse_json(parameters[name].encode("utf-8", "surrogatepass"))
    for name in ("iat", "exp"):
        if name in parameters and _WHOLE_NUMBER.match(parameters[name]):
            claims[name] = int(parameters[name])
    request = parse_request(claims, development=development)
    check_request_times(request, now)
    return VerifiedRequest(request=request, authenticated=False, audience=str(client_id))
