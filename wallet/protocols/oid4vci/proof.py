"""The `jwt` key proof: a holder shows that it has the key to bind to (§8.2.1.1, App. F.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.jose import (
    CompactJws,
    claim_time,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.crypto.keys import PublicKey, SignatureInvalid, SigningKey, parse_jwk
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.document import KeyNotAuthorized
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did_url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.token import MAX_NONCE_CHARACTERS

KEY_PROOF_TYPE: Final = "openid4vci-proof+jwt"
MAX_KEY_PROOF_CHARACTERS: Final = 16 * 1024
MAX_KEY_PROOF_AGE_S: Final = 300
MAX_CLOCK_SKEW_S: Final = 60
KEY_PROOF_ALGORITHMS: Final = frozenset(("ES256",))


class KeyProofMalformed(MalformedError):
    """Not a key proof: not a JWS of its type, or not with one key of a supported kind."""

    code = "key_proof_malformed"


class KeyProofInvalid(RejectedError):
    """The key proof is for another issuer, outside its time, or wrongly signed."""

    code = "key_proof_invalid"


class KeyProofWithoutNonce(RejectedError):
    """The key proof carries no `c_nonce`, and the issuer demands one."""

    code = "key_proof_without_nonce"


@dataclass(frozen=True, slots=True)
class VerifiedKeyProof:
    """A key whose holder signed for this issuer. Whether `nonce` is unused is yet to be seen.

    `did` is the DID by which the wallet named the key, in its spelling; None for a `jwk`.
    `key_attestation` is what came along, unverified.
    """

    key: PublicKey
    nonce: str
    did: str | None = None
    key_attestation: str | None = None


def build_key_proof(
    key: SigningKey,
    *,
    audience: str,
    nonce: str,
    issued_at: int,
    by_did: bool = False,
    key_attestation: str | None = None,
) -> str:
    """Return a key proof for the `credential_issuer` called `audience`.

    The key is named as `jwk`, or `by_did` as the did:jwk that it makes.
    """
    named: JsonObject = {"jwk": key.public_key.jwk}
    if by_did:
        named = {"kid": did_jwk_from_public_key(key.public_key) + "#0"}
    if key_attestation is not None:
        named["key_attestation"] = key_attestation
    return sign_jws(
        key,
        {"typ": KEY_PROOF_TYPE, **named},
        {"aud": audience, "iat": issued_at, "nonce": nonce},
    )


def verify_key_proof(
    proof: str,
    *,
    audience: str,
    now: int,
    client_id: str | None = None,
    algorithms: frozenset[str] = KEY_PROOF_ALGORITHMS,
) -> VerifiedKeyProof:
    """Return the key and nonce of a valid key proof.

    The header has exactly one of `jwk` and `kid` (a did:jwk or did:key URL; nothing is fetched);
    `aud` is `audience`, alone; `iat` is at most `MAX_KEY_PROOF_AGE_S` old; `iss`, if it is there,
    is `client_id`, to whom the access token was given. Of an anonymous client (None) `iss` counts
    for nothing. Raises only `KeyProofMalformed`, `KeyProofInvalid`, `KeyProofWithoutNonce`. Does
    not check the nonce: use it up, then trust the key. Nor `key_attestation`.
    """
    try:
        if len(proof) > MAX_KEY_PROOF_CHARACTERS:
            raise KeyProofMalformed(f"longer than {MAX_KEY_PROOF_CHARACTERS} characters")
        jws = parse_compact_jws(proof, typ=KEY_PROOF_TYPE)
        if jws.header["alg"] not in algorithms:
            raise KeyProofMalformed("expected alg " + " or ".join(sorted(algorithms)))
        key, did = _proven_key(jws)
        verify_jws(jws, key)
        claims = jws.peek_claims()
        _check_audience(claims.get("aud"), audience)
        if client_id is not None and claims.get("iss", client_id) != client_id:
            raise KeyProofInvalid("iss is not the client that the access token was given to")
        _check_times(claims, now)
    except SignatureInvalid:
        raise KeyProofInvalid("the key proof's signature does not verify") from None
    except KeyNotAuthorized as error:
        raise KeyProofMalformed(f"kid: {error}") from error
    except (KeyProofMalformed, KeyProofInvalid):
        raise
    except (MalformedError, UnsupportedError) as error:
        raise KeyProofMalformed(f"not a key proof: {error}") from error
    nonce = claims.get("nonce")
    if nonce is None:
        raise KeyProofWithoutNonce("the key proof carries no nonce")
    if type(nonce) is not str or not 0 < len(nonce) <= MAX_NONCE_CHARACTERS:
        raise KeyProofMalformed("nonce is a string of limited length")
    attestation = jws.header.get("key_attestation")
    if attestation is not None and type(attestation) is not str:
        raise KeyProofMalformed("key_attestation is a string")
    return VerifiedKeyProof(key, nonce, did, attestation)


def _proven_key(jws: CompactJws) -> tuple[PublicKey, str | None]:
    named = [name for name in ("jwk", "kid", "x5c") if name in jws.header]
    if len(named) != 1:
        raise KeyProofMalformed("the header names one key: jwk or kid")
    if named == ["jwk"]:
        return parse_jwk(jws.header["jwk"]), None
    if named == ["x5c"]:
        raise KeyProofMalformed("x5c is not supported: use jwk")
    url = parse_did_url(jws.kid)
    return resolve_self_contained(url.did).key_for(str(url), "authentication"), str(url.did)


def _check_audience(audience: Any, expected: str) -> None:
    # RFC 7519 §4.1.3 lets one audience stand alone or in an array. An array with more would let
    # one proof serve two issuers.
    if audience != expected and audience != [expected]:
        raise KeyProofInvalid("aud is not this credential issuer alone")


def _check_times(claims: dict[str, Any], now: int) -> None:
    issued_at = claim_time(claims, "iat", required=True) or 0
    if not now - MAX_KEY_PROOF_AGE_S <= issued_at <= now + MAX_CLOCK_SKEW_S:
        raise KeyProofInvalid("iat is too old or in the future")
    expires_at = claim_time(claims, "exp")
    not_before = claim_time(claims, "nbf")
    if expires_at is not None and expires_at <= now - MAX_CLOCK_SKEW_S:
        raise KeyProofInvalid("the key proof has expired")
    if not_before is not None and not_before > now + MAX_CLOCK_SKEW_S:
        raise KeyProofInvalid("the key proof is not valid yet")
