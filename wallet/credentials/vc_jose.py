"""Credentials and presentations secured by JWS (Securing VCs using JOSE and COSE §3.1)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.data_integrity.verify import (
    ASSERTION,
    AUTHENTICATION,
    CLOCK_SKEW_S,
    ChallengeMismatch,
    DidDocumentMissing,
    DidDocuments,
    DomainMismatch,
    ProofNotByIssuer,
    ProofOutsideItsTime,
    VerifiedCredential,
)
from wallet.credentials.jose import (
    CompactJws,
    JwsMalformed,
    claim_string,
    claim_time,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.credentials.jsonld.pinned import pinned_contexts
from wallet.credentials.vcdm.credential import parse_credential
from wallet.credentials.vcdm.presentation import (
    ENVELOPED_CREDENTIAL,
    ENVELOPED_PRESENTATION,
    Presentation,
    envelop,
    parse_envelope,
    parse_presentation,
)
from wallet.credentials.vcdm.related import check_related_resources
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.did.syntax import Did, parse_did_url
from wallet.encoding.json import JsonObject

CREDENTIAL_TYPE: Final = "vc+jwt"
PRESENTATION_TYPE: Final = "vp+jwt"
CREDENTIAL_MEDIA_TYPE: Final = "application/vc+jwt"
PRESENTATION_MEDIA_TYPE: Final = "application/vp+jwt"
MAX_PRESENTATION_AGE_S: Final = 300


@dataclass(frozen=True, slots=True)
class IssuedVcJwt:
    """A new compact JWS and the bytes that its signature covers (the leaf of an anchor batch)."""

    compact: str
    signing_input: bytes


def issue_credential_jwt(
    credential: JsonObject, key: SigningKey, *, verification_method: str
) -> IssuedVcJwt:
    """Sign a credential as `vc+jwt`; the payload is the credential itself.

    Raises `CredentialMalformed`, `JwsMalformed`.
    """
    parse_credential(credential)
    _refuse_foreign(credential)
    header = {"typ": CREDENTIAL_TYPE, "cty": "vc", "kid": verification_method}
    compact = sign_jws(key, header, credential)
    return IssuedVcJwt(compact, compact.rpartition(".")[0].encode("ascii"))


def verify_credential_jwt(
    token: str | bytes, documents: DidDocuments, *, now: int, clock_skew_s: int = CLOCK_SKEW_S
) -> VerifiedCredential:
    """Return the credential of a `vc+jwt` that a key of its issuer signed, within its dates.

    `kid` names the verification method; `iss`, in header or claims, is the issuer. Raises
    `JwsMalformed`, `CredentialMalformed`, `DidDocumentMissing`, `KeyNotAuthorized`,
    `SignatureInvalid`, `ProofNotByIssuer`, `RelatedResourceMismatch`, `ProofOutsideItsTime`,
    `ValidityPeriodNotStarted`, `ValidityPeriodEnded`.
    Does not check status, schema or trust in the issuer.
    """
    jws = parse_compact_jws(token, typ=CREDENTIAL_TYPE)
    claims, did, key = _verify(jws, "vc", ASSERTION, documents)
    credential = parse_credential(claims)
    if {credential.issuer, *_named_issuers(jws, claims)} != {str(did)}:
        raise ProofNotByIssuer("the credential is not signed by a key of its issuer")
    check_related_resources(credential, pinned_contexts().documents)
    _check_claim_times(claims, now, clock_skew_s)
    credential.check_validity(now, clock_skew_s)
    return VerifiedCredential(credential, key, jws.signing_input, ())


def _verify(
    jws: CompactJws, content: str, relationship: str, documents: DidDocuments
) -> tuple[JsonObject, Did, PublicKey]:
    media_type = jws.header.get("cty", content)
    # As in `typ`, what stands before the slash may be left out (RFC 7515 §4.1.10).
    if type(media_type) is not str or media_type.lower() not in (
        content,
        f"application/{content}",
    ):
        raise JwsMalformed(f"expected cty {content}")
    method = parse_did_url(jws.kid)
    document = documents.get(str(method.did))
    if document is None:
        raise DidDocumentMissing("the DID document of the signer's key is not at hand")
    key = document.key_for(str(method), relationship)
    verify_jws(jws, key)
    claims = jws.peek_claims()
    _refuse_foreign(claims)
    return claims, method.did, key


def _named_issuers(jws: CompactJws, claims: JsonObject) -> tuple[str, ...]:
    """Return `iss` of the header and of the claims, as far as they are there (§4.1.1)."""
    return tuple(claim_string(part, "iss") for part in (jws.header, claims) if "iss" in part)


def _refuse_foreign(claims: Mapping[str, Any]) -> None:
    """Refuse the members that would give one token two meanings (§3.1.1)."""
    for name in ("vc", "vp", "proof"):
        if name in claims:
            raise JwsMalformed(f"{name} does not belong into the payload")


def _check_claim_times(claims: JsonObject, now: int, clock_skew_s: int) -> None:
    not_before, expires = claim_time(claims, "nbf"), claim_time(claims, "exp")
    if not_before is not None and now + clock_skew_s < not_before:
        raise ProofOutsideItsTime("nbf is in the future")
    if expires is not None and now - clock_skew_s >= expires:
        raise ProofOutsideItsTime("exp has passed")


@dataclass(frozen=True, slots=True)
class VerifiedVpJwt:
    """A `vp+jwt` whose signature, audience, nonce and time are good; nothing inside is verified.

    `wallet.credentials.vc_presentation` goes on from here.
    """

    presentation: Presentation
    signer: Did
    key: PublicKey


def present_credentials_jwt(
    presentation: JsonObject,
    key: SigningKey,
    *,
    verification_method: str,
    audience: str,
    nonce: str,
    issued_at: int,
) -> str:
    """Sign a presentation as `vp+jwt` for one verifier and one request.

    Raises `CredentialMalformed`, `JwsMalformed`.
    """
    parse_presentation(presentation)
    _refuse_foreign(presentation)
    header = {"typ": PRESENTATION_TYPE, "cty": "vp", "kid": verification_method}
    bound = {"aud": audience, "nonce": nonce, "iat": issued_at}
    return sign_jws(key, header, {**presentation, **bound})


def verify_vp_jwt(
    token: str | bytes,
    documents: DidDocuments,
    *,
    audience: str,
    nonce: str,
    now: int,
    clock_skew_s: int = CLOCK_SKEW_S,
) -> VerifiedVpJwt:
    """Return the presentation of a `vp+jwt` made just now for this audience and nonce.

    Raises what `verify_credential_jwt` raises, `ChallengeMismatch` and `DomainMismatch`.
    """
    jws = parse_compact_jws(token, typ=PRESENTATION_TYPE)
    claims, did, key = _verify(jws, "vp", AUTHENTICATION, documents)
    if not {str(did)}.issuperset(_named_issuers(jws, claims)):
        raise ProofNotByIssuer("iss is not whose key signed the presentation")
    if claims.get("aud") != audience:
        raise DomainMismatch("aud is not this verifier")
    found = claim_string(claims, "nonce").encode("utf-8")
    if not hmac.compare_digest(found, nonce.encode("utf-8")):
        raise ChallengeMismatch("nonce is not the one of this request")
    _check_claim_times(claims, now, clock_skew_s)
    age = now - (claim_time(claims, "iat", required=True) or 0)
    if not -clock_skew_s <= age <= MAX_PRESENTATION_AGE_S + clock_skew_s:
        raise ProofOutsideItsTime("the presentation was not made just now")
    members = {
        name: value
        for name, value in claims.items()
        if name not in ("aud", "nonce", "iat", "exp", "nbf", "iss", "jti")
    }
    return VerifiedVpJwt(parse_presentation(members), did, key)


def envelop_credential(token: str) -> JsonObject:
    """Return the EnvelopedVerifiableCredential of a `vc+jwt` (VC Data Model 2.0 §4.13.1)."""
    return envelop(token, ENVELOPED_CREDENTIAL, CREDENTIAL_MEDIA_TYPE)


def open_credential_envelope(document: object) -> str:
    """Return the `vc+jwt` in an EnvelopedVerifiableCredential. Raises `CredentialMalformed`."""
    return parse_envelope(document, ENVELOPED_CREDENTIAL, CREDENTIAL_MEDIA_TYPE)


def envelop_presentation(token: str) -> JsonObject:
    """Return the EnvelopedVerifiablePresentation of a `vp+jwt` (§4.13.2)."""
    return envelop(token, ENVELOPED_PRESENTATION, PRESENTATION_MEDIA_TYPE)


def open_presentation_envelope(document: object) -> str:
    """Return the `vp+jwt` in an EnvelopedVerifiablePresentation. Raises `CredentialMalformed`."""
    return parse_envelope(document, ENVELOPED_PRESENTATION, PRESENTATION_MEDIA_TYPE)
