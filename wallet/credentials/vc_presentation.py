"""Verify presentations of W3C credentials, secured by proofs or by JWS, with what is inside.

To accept a presentation:
  1. its structure is sound and it holds at least one credential, unless it may be empty
  2. the holder's key proved this challenge (nonce) and domain (audience), just for it
  3. that key belongs to the `holder` that the presentation names, if it names one
  4. every credential inside is verified, in whichever way it is secured
  5. every credential is about the holder
The caller MUST see to it that a challenge is used once, and check status, schema and trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.data_integrity.cryptosuite import Cryptosuite
from wallet.credentials.data_integrity.verify import (
    AUTHENTICATION,
    CLOCK_SKEW_S,
    DidDocuments,
    DomainMismatch,
    Expectations,
    VerifiedCredential,
    verify_credential,
    verify_proofs,
)
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.vc_jose import (
    open_credential_envelope,
    verify_credential_jwt,
    verify_vp_jwt,
)
from wallet.credentials.vcdm.fields import CredentialMalformed
from wallet.credentials.vcdm.presentation import (
    ENVELOPED_CREDENTIAL,
    Presentation,
    is_enveloped,
    parse_presentation,
)
from wallet.crypto.keys import PublicKey
from wallet.did.syntax import Did
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError


class ProofNotByHolder(RejectedError):
    """The presentation is not proved by a key of the holder that it names."""

    code = "proof_not_by_holder"


class HolderNotSubject(RejectedError):
    """A credential in the presentation is not about its holder."""

    code = "holder_not_subject"


@dataclass(frozen=True, slots=True)
class PresentationPolicy:
    """What a verifier asked for, and what it accepts.

    `challenge` and `domain` are those of the request (`nonce` and `audience` in a JWT); `domain`
    is None only for requests that name none, which leaves a presentation open to relay. A
    credential must be about the holder (a subject has the holder's DID as id) unless it is of one
    of `bearer_types`. `suites` are the cryptosuites accepted; `json_ld` None means the pinned
    contexts that come with the library. With `may_be_empty` a presentation without a credential
    is one too (§4.13): it shows who holds a key, and nothing else.
    """

    challenge: str
    domain: str | None
    bearer_types: frozenset[str] = frozenset()
    clock_skew_s: int = CLOCK_SKEW_S
    suites: Mapping[str, Cryptosuite] = field(default_factory=lambda: CRYPTOSUITES)
    json_ld: Canonicalizer | None = None
    may_be_empty: bool = False

    def __post_init__(self) -> None:
        if not self.challenge or self.domain == "":
            raise ValueError("a presentation is verified for a challenge and a domain")


@dataclass(frozen=True, slots=True)
class VerifiedVcPresentation:
    """A presentation by `holder` whose credentials are verified and about that holder.

    What `VerifiedCredential` leaves open is open here too.
    """

    presentation: Presentation
    holder: Did
    holder_key: PublicKey
    credentials: tuple[VerifiedCredential, ...]


def verify_presentation(
    document: JsonObject, documents: DidDocuments, policy: PresentationPolicy, *, now: int
) -> VerifiedVcPresentation:
    """Return a presentation that is secured by Data Integrity proofs.

    `documents` has the DID documents of the holder and of all issuers. Raises what
    `verify_proofs`, `verify_credential` and `verify_credential_jwt` raise, `CredentialMalformed`,
    `ProofNotByHolder`, `HolderNotSubject`.
    """
    presentation = parse_presentation(document)
    expectations = Expectations(
        AUTHENTICATION, policy.challenge, policy.domain, policy.clock_skew_s
    )
    proofs = verify_proofs(
        document, documents, expectations, now=now, json_ld=policy.json_ld, suites=policy.suites
    )
    holder = presentation.holder or str(proofs[0].controller)
    by_holder = [proof for proof in proofs if str(proof.controller) == holder]
    if not by_holder:
        raise ProofNotByHolder("no proof is by a key of the holder")
    first = by_holder[0]
    return _with_credentials(presentation, first.controller, first.key, documents, policy, now)


def verify_presentation_jwt(
    token: str | bytes, documents: DidDocuments, policy: PresentationPolicy, *, now: int
) -> VerifiedVcPresentation:
    """Return a presentation that is secured as `vp+jwt`. Raises what `verify_presentation` does.

    The policy names a domain, else `DomainMismatch`. An EnvelopedVerifiablePresentation is opened
    with `vc_jose.open_presentation_envelope`.
    """
    if policy.domain is None:
        raise DomainMismatch("a JWT has an audience, and the request named none")
    verified = verify_vp_jwt(
        token,
        documents,
        audience=policy.domain,
        nonce=policy.challenge,
        now=now,
        clock_skew_s=policy.clock_skew_s,
    )
    presentation = verified.presentation
    if presentation.holder not in (None, str(verified.signer)):
        raise ProofNotByHolder("the presentation is not signed by a key of its holder")
    return _with_credentials(presentation, verified.signer, verified.key, documents, policy, now)


def _with_credentials(
    presentation: Presentation,
    holder: Did,
    holder_key: PublicKey,
    documents: DidDocuments,
    policy: PresentationPolicy,
    now: int,
) -> VerifiedVcPresentation:
    if not presentation.credentials and not policy.may_be_empty:
        raise CredentialMalformed("the presentation holds no credential")
    credentials = tuple(
        _verify_inside(inner, documents, policy, now) for inner in presentation.credentials
    )
    for verified in credentials:
        about, types = verified.credential.subject_ids, verified.credential.types
        if str(holder) not in about and policy.bearer_types.isdisjoint(types):
            raise HolderNotSubject("a credential is not about the holder")
    return VerifiedVcPresentation(presentation, holder, holder_key, credentials)


def _verify_inside(
    inner: JsonObject, documents: DidDocuments, policy: PresentationPolicy, now: int
) -> VerifiedCredential:
    if is_enveloped(inner, ENVELOPED_CREDENTIAL):
        token = open_credential_envelope(inner)
        return verify_credential_jwt(token, documents, now=now, clock_skew_s=policy.clock_skew_s)
    return verify_credential(
        inner,
        documents,
        now=now,
        clock_skew_s=policy.clock_skew_s,
        json_ld=policy.json_ld,
        suites=policy.suites,
    )
