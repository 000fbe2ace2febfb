"""Credentials and presentations as JWTs of the data model 1.1 (§6.3.1): `jwt_vc_json`.

The claims of the JWT stand for members of the credential: `iss` for `issuer`, `sub` for the
subject's id, `nbf` and `exp` for the dates, `jti` for `id`. Where a member is there as well, both
must say the same; of two dates the narrower holds. `vc+jwt` of the data model 2.0 is another
format: `vc_jose`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.jose import (
    CompactJws,
    JwsMalformed,
    claim_string,
    claim_time,
    parse_compact_jws,
    sign_jws,
)
from wallet.credentials.jsonld.pinned import CREDENTIALS_V1
from wallet.credentials.vcdm.credential import Credential, parse_credential
from wallet.credentials.vcdm.fields import (
    CredentialMalformed,
    format_date_time,
    parse_date_time,
    parse_id_or_object,
)
from wallet.credentials.vcdm.presentation import parse_presentation
from wallet.crypto.keys import SigningKey
from wallet.encoding.json import JsonObject

# The data model asks for JWT, if there is a type at all; types of other JWTs are refused.
_TYPES: Final = (None, "JWT")
_DATES: Final = {"2.0": ("validFrom", "validUntil"), "1.1": ("issuanceDate", "expirationDate")}


@dataclass(frozen=True, slots=True)
class JwtVc:
    """A credential in a JWT, unverified. `credential` is what it says as a whole."""

    jws: CompactJws
    claims: JsonObject
    credential: Credential


@dataclass(frozen=True, slots=True)
class JwtVp:
    """A presentation in a JWT, unverified, with the one credential that it shows."""

    jws: CompactJws
    claims: JsonObject
    holder: str
    credential: str = field(repr=False)


def parse_jwt_vc(token: str | bytes) -> JwtVc:
    """Return the credential of a JWT.

    Raises `JwsMalformed`, `UnsupportedAlgorithm`, `CredentialMalformed` and those of the
    encodings. Verifies nothing.
    """
    jws = _parse(token)
    claims = jws.peek_claims()
    if "vp" in claims or type(claims.get("vc")) is not dict:
        raise JwsMalformed("expected a credential in vc")
    return JwtVc(jws, claims, parse_credential(_as_credential(claims, claims["vc"])))


def is_jwt_vp(token: str | bytes) -> bool:
    """Whether a JWT is a presentation. Raises as `parse_jwt_vc` does."""
    return "vp" in _parse(token).peek_claims()


def parse_jwt_vp(token: str | bytes) -> JwtVp:
    """Return the presentation of a JWT that shows one credential.

    Raises as `parse_jwt_vc` does. Verifies nothing, nor looks into the credential.
    """
    jws = _parse(token)
    claims = jws.peek_claims()
    if "vc" in claims:
        raise JwsMalformed("expected a presentation in vp")
    holder = claim_string(claims, "iss")
    inner: Any = claims.get("vp")
    if type(inner) is not dict:
        raise JwsMalformed("expected a presentation in vp")
    shown = inner.get("verifiableCredential")
    listed = shown if type(shown) is list else [shown]
    if len(listed) != 1 or type(listed[0]) is not str:
        raise CredentialMalformed("the presentation shows one credential, as a JWT")
    structure = {name: value for name, value in inner.items() if name != "verifiableCredential"}
    if parse_presentation(structure).holder not in (None, holder):
        raise JwsMalformed("iss and holder name different holders")
    return JwtVp(jws, claims, holder, listed[0])


def present_jwt_vp(
    credential: str,
    key: SigningKey,
    *,
    holder: str,
    verification_method: str,
    audience: str,
    nonce: str,
    issued_at: int,
    extra_claims: Mapping[str, Any] | None = None,
) -> str:
    """Return a presentation of one credential for one verifier and one request."""
    claims: JsonObject = {
        **(extra_claims or {}),
        "iss": holder,
        "aud": audience,
        "nonce": nonce,
        "iat": issued_at,
        "vp": {
            "@context": [CREDENTIALS_V1],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [credential],
        },
    }
    return sign_jws(key, {"typ": "JWT", "kid": verification_method}, claims)


def _parse(token: str | bytes) -> CompactJws:
    jws = parse_compact_jws(token, typ=None)
    if jws.header.get("typ") not in _TYPES:
        raise JwsMalformed("expected typ JWT or none")
    return jws


def _as_credential(claims: JsonObject, inner: JsonObject) -> JsonObject:
    """Return the credential that the claims and `vc` say together (§6.3.1, decoding)."""
    document = dict(inner)
    issuer = claim_string(claims, "iss")
    if "issuer" in document and parse_id_or_object(document["issuer"], "issuer") != issuer:
        raise JwsMalformed("iss and issuer name different issuers")
    document.setdefault("issuer", issuer)
    if "jti" in claims:
        _settle(document, "id", claim_string(claims, "jti"))
    if "sub" in claims:
        subject = document.get("credentialSubject")
        if type(subject) is not dict:
            raise JwsMalformed("with sub there is one subject")
        subject = dict(subject)
        _settle(subject, "id", claim_string(claims, "sub"))
        document["credentialSubject"] = subject
    contexts = document.get("@context")
    first = contexts[0] if type(contexts) is list and contexts else contexts
    begins, ends = _DATES["1.1" if first == CREDENTIALS_V1 else "2.0"]
    for claim, member, narrower in (("nbf", begins, max), ("exp", ends, min)):
        at = claim_time(claims, claim)
        if at is None:
            continue
        if member in document:
            at = narrower(at, parse_date_time(document[member], member))
        document[member] = _date_time(at, claim)
    return document


def _settle(document: JsonObject, name: str, value: str) -> None:
    if document.setdefault(name, value) != value:
        raise JwsMalformed(f"the claims and {name} say different things")


def _date_time(at: int, name: str) -> str:
    try:
        return format_date_time(at)
    except (ValueError, OverflowError, OSError):
        raise JwsMalformed(f"{name} is a time that exists") from None
