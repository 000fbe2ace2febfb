"""A wallet proves which app it is (draft-ietf-oauth-attestation-based-client-auth, HAIP §4.4.1).

The wallet's provider attests a key of the instance; the instance signs a proof for each server.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.jose import (
    CompactJws,
    claim_string,
    claim_time,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.crypto.certificates import CertificateNotTrusted, TrustAnchors, parse_x5c
from wallet.crypto.keys import PublicKey, SignatureInvalid, SigningKey, parse_jwk, thumbprint
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.token import MAX_CLIENT_ID_CHARACTERS

ATTESTATION_HEADER: Final = "OAuth-Client-Attestation"
ATTESTATION_PROOF_HEADER: Final = "OAuth-Client-Attestation-PoP"
ATTESTATION_TYPE: Final = "oauth-client-attestation+jwt"
ATTESTATION_PROOF_TYPE: Final = "oauth-client-attestation-pop+jwt"
MAX_ATTESTATION_CHARACTERS: Final = 32 * 1024
MAX_PROOF_AGE_S: Final = 300
MAX_CLOCK_SKEW_S: Final = 60
MAX_JTI_CHARACTERS: Final = 256
_ALGORITHMS: Final = ("ES256",)


class ClientNotAuthenticated(RejectedError):
    """The client did not show which wallet it is, to this server and nobody else."""

    code = "client_not_authenticated"
    status = 401


class ProviderNotTrusted(RejectedError):
    """The attestation is of a wallet provider that is not trusted here."""

    code = "wallet_provider_not_trusted"


@dataclass(frozen=True, slots=True)
class TrustedProviders:
    """Whose attestations count: keys by `iss`, and anchors of certificate chains. None, nobody."""

    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    anchors: TrustAnchors = field(default_factory=TrustAnchors)

    def __bool__(self) -> bool:
        return bool(self.keys) or len(self.anchors) > 0

    def key_of(self, attestation: CompactJws, *, now: int) -> PublicKey:
        """Return the key with which the provider must have signed an attestation.

        Raises `ProviderNotTrusted`, and what reading the header and claims raises.
        """
        if "x5c" in attestation.header:
            chain = parse_x5c(attestation.header["x5c"])
            try:
                return self.anchors.verify_chain(chain, now=now).key
            except CertificateNotTrusted as error:
                raise ProviderNotTrusted(str(error)) from error
        key = self.keys.get(str(attestation.peek_claims().get("iss")))
        if key is None:
            raise ProviderNotTrusted("the wallet's provider is not one that is trusted here")
        return key


@dataclass(frozen=True, slots=True)
class VerifiedClient:
    """A wallet that was attested. Whether `jti` is new is for the caller to check."""

    client_id: str
    instance: str
    jti: str
    name: str | None = None


def build_client_attestation(
    provider: SigningKey, instance: PublicKey, *, issuer: str, client_id: str, expires_at: int
) -> str:
    """Return the attestation that a wallet's provider gives to one instance."""
    return sign_jws(
        provider,
        {"typ": ATTESTATION_TYPE},
        {"iss": issuer, "sub": client_id, "exp": expires_at, "cnf": {"jwk": instance.jwk}},
    )


def build_attestation_proof(
    instance: SigningKey, *, client_id: str, audience: str, issued_at: int
) -> str:
    """Return the instance's proof for the authorization server called `audience`."""
    claims: JsonObject = {
        "iss": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": issued_at,
    }
    return sign_jws(instance, {"typ": ATTESTATION_PROOF_TYPE}, claims)


def verify_client(
    attestation: str, proof: str, *, audience: str, providers: TrustedProviders, now: int
) -> VerifiedClient:
    """Return the wallet that an attestation and its proof of possession show.

    `aud` of the proof is exactly `audience`, the server's issuer identifier, as a string: a proof
    for an endpoint, or for several servers, could be carried elsewhere. Raises
    `ClientNotAuthenticated` only.
    """
    try:
        if max(len(attestation), len(proof)) > MAX_ATTESTATION_CHARACTERS:
            raise ClientNotAuthenticated("the attestation is too long")
        attested = _parse(attestation, ATTESTATION_TYPE)
        verify_jws(attested, providers.key_of(attested, now=now))
        claims = attested.peek_claims()
        client_id = claim_string(claims, "sub")
        _check_time(claims, now)
        confirmation = claims.get("cnf")
        instance = parse_jwk(confirmation.get("jwk") if type(confirmation) is dict else None)
        possessed = _parse(proof, ATTESTATION_PROOF_TYPE)
        verify_jws(possessed, instance)
        jti = _check_proof(possessed.peek_claims(), client_id, audience, now)
    except SignatureInvalid:
        raise ClientNotAuthenticated("a signature does not verify") from None
    except ClientNotAuthenticated:
        raise
    except (MalformedError, UnsupportedError, RejectedError) as error:
        raise ClientNotAuthenticated(f"not a client attestation: {error}") from error
    if len(client_id) > MAX_CLIENT_ID_CHARACTERS:
        raise ClientNotAuthenticated("sub is too long")
    name = claims.get("wallet_name")
    return VerifiedClient(
        client_id, thumbprint(instance), jti, name if type(name) is str else None
    )


def _parse(token: str, typ: str) -> CompactJws:
    jws = parse_compact_jws(token, typ=typ)
    if jws.header["alg"] not in _ALGORITHMS:
        raise ClientNotAuthenticated("expected alg ES256")
    return jws


def _check_time(claims: Mapping[str, Any], now: int) -> None:
    expires_at = claim_time(claims, "exp", required=True) or 0
    not_before = claim_time(claims, "nbf")
    if expires_at <= now:
        raise ClientNotAuthenticated("the attestation has expired")
    if not_before is not None and not_before > now + MAX_CLOCK_SKEW_S:
        raise ClientNotAuthenticated("the attestation is not valid yet")


def _check_proof(claims: Mapping[str, Any], client_id: str, audience: str, now: int) -> str:
    if claims.get("iss", client_id) != client_id:
        raise ClientNotAuthenticated("the proof is of another client")
    if claims.get("aud") != audience:
        raise ClientNotAuthenticated("aud is exactly the authorization server's issuer")
    issued_at = claim_time(claims, "iat", required=True) or 0
    if not now - MAX_PROOF_AGE_S <= issued_at <= now + MAX_CLOCK_SKEW_S:
        raise ClientNotAuthenticated("iat of the proof is too old or in the future")
    jti = claim_string(claims, "jti")
    if len(jti) > MAX_JTI_CHARACTERS:
        raise ClientNotAuthenticated("jti is too long")
    return jti
