"""DPoP: tokens that only the holder of a key can use (RFC 9449)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from wallet.credentials.jose import (
    claim_string,
    claim_time,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import SignatureInvalid, SigningKey, parse_jwk, thumbprint
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError

DPOP_TYPE: Final = "dpop+jwt"
DPOP_ALGORITHMS: Final = ("ES256",)
MAX_DPOP_CHARACTERS: Final = 8 * 1024
MAX_DPOP_AGE_S: Final = 300
MAX_CLOCK_SKEW_S: Final = 60
MAX_JTI_CHARACTERS: Final = 256
_JTI_BYTES: Final = 16


class DpopProofInvalid(RejectedError):
    """Not a DPoP proof for this request: another method, URL, token, key or time."""

    code = "dpop_proof_invalid"
    status = 401


@dataclass(frozen=True, slots=True)
class VerifiedDpopProof:
    """Who signed (`jkt`, the key's thumbprint) and what is yet to be checked against a store:
    that `jti` is new, and that `nonce` is one of the server's."""

    jkt: str
    jti: str
    issued_at: int
    nonce: str | None


def build_dpop_proof(
    key: SigningKey,
    *,
    method: str,
    url: str,
    issued_at: int,
    nonce: str | None = None,
    access_token: str | None = None,
) -> str:
    """Return a DPoP proof for one request (RFC 9449 §4.2)."""
    claims: JsonObject = {
        "jti": secrets.token_urlsafe(_JTI_BYTES),
        "htm": method,
        "htu": _without_query(url),
        "iat": issued_at,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if access_token is not None:
        claims["ath"] = access_token_hash(access_token)
    return sign_jws(key, {"typ": DPOP_TYPE, "jwk": key.public_key.jwk}, claims)


def access_token_hash(access_token: str) -> str:
    """Return `ath`: the SHA-256 of the token, base64url."""
    return base64url.encode(sha256(access_token.encode("ascii", "replace")))


def _without_query(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def verify_dpop_proof(
    proof: str, *, method: str, url: str, now: int, access_token: str | None
) -> VerifiedDpopProof:
    """Return what a DPoP proof shows (RFC 9449 §4.3).

    `url` is the endpoint as it is published, never as a request names it. With an access token
    its hash must be there, without one it need not. Raises `DpopProofInvalid` only. Not checked:
    the server's nonce, that `jti` is new, and that the token is bound to this key.
    """
    try:
        if len(proof) > MAX_DPOP_CHARACTERS:
            raise DpopProofInvalid(f"longer than {MAX_DPOP_CHARACTERS} characters")
        jws = parse_compact_jws(proof, typ=DPOP_TYPE)
        if jws.header["alg"] not in DPOP_ALGORITHMS:
            raise DpopProofInvalid("expected alg " + " or ".join(DPOP_ALGORITHMS))
        key = parse_jwk(jws.header.get("jwk"))
        verify_jws(jws, key)
        claims = jws.peek_claims()
        jti = claim_string(claims, "jti")
        issued_at = claim_time(claims, "iat", required=True) or 0
    except SignatureInvalid:
        raise DpopProofInvalid("the signature does not verify") from None
    except (MalformedError, UnsupportedError) as error:
        raise DpopProofInvalid(f"not a DPoP proof: {error}") from error
    if len(jti) > MAX_JTI_CHARACTERS:
        raise DpopProofInvalid("jti is too long")
    if claims.get("htm") != method or not _same_url(claims.get("htu"), url):
        raise DpopProofInvalid("htm or htu is not of this request")
    if not now - MAX_DPOP_AGE_S <= issued_at <= now + MAX_CLOCK_SKEW_S:
        raise DpopProofInvalid("iat is too old or in the future")
    if access_token is not None and claims.get("ath") != access_token_hash(access_token):
        raise DpopProofInvalid("ath is not of this access token")
    nonce = claims.get("nonce")
    if nonce is not None and type(nonce) is not str:
        raise DpopProofInvalid("nonce is a string")
    return VerifiedDpopProof(thumbprint(key), jti, issued_at, nonce)


def _same_url(given: object, expected: str) -> bool:
    # A proof names no query and no fragment, and one that does is read without (§4.3, check 9).
    if type(given) is not str:
        return False
    try:
        one, other = urlsplit(_without_query(given)), urlsplit(expected)
        ports = (one.port, other.port)
    except ValueError:
        return False
    default = {"https": 443, "http": 80}.get(other.scheme)
    return (
        (one.scheme.lower(), one.hostname, one.path or "/")
        == (other.scheme, other.hostname, other.path or "/")
        and (ports[0] or default) == (ports[1] or default)
        and "@" not in one.netloc
    )
