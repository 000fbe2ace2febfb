"""Verify the proofs on a document, and a credential with them (Data Integrity §4.4, §4.5).

To accept a document:
  1. every proof is well formed, and the chain of previousProof hangs together
  2. each has a cryptosuite that is accepted, and the purpose, challenge and domain of this use
  3. each is in its time: created before now, not expired
  4. each key is in the verification relation of that purpose, in its own controller's document
  5. each signature covers the document, its proof options and the proofs that it builds on
A credential, besides: its structure, a proof by its issuer, its own validity period.
One bad proof spoils the set. The caller MUST see to it that a challenge is used once, and check
status, schema and trust in the issuer. Presentations: `wallet.credentials.vc_presentation`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.data_integrity.cryptosuite import Cryptosuite
from wallet.credentials.data_integrity.proof import (
    Proof,
    UnsupportedCryptosuite,
    document_for,
    parse_proofs,
)
from wallet.credentials.jsonld.pinned import pinned_json_ld
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.vcdm.credential import Credential, parse_credential
from wallet.credentials.vcdm.related import check_related_resources
from wallet.crypto.keys import PublicKey
from wallet.did.document import DidDocument
from wallet.did.syntax import Did
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError, UnavailableError

ASSERTION: Final = "assertionMethod"
AUTHENTICATION: Final = "authentication"
CLOCK_SKEW_S: Final = 60

# The DID documents at hand, by DID.
DidDocuments = Mapping[str, DidDocument]


class ProofPurposeMismatch(RejectedError):
    """The proof was made for another purpose."""

    code = "proof_purpose_mismatch"


class ChallengeMismatch(RejectedError):
    """The proof answers another challenge, or none."""

    code = "challenge_mismatch"


class DomainMismatch(RejectedError):
    """The proof is for another domain, or for none."""

    code = "domain_mismatch"


class ProofOutsideItsTime(RejectedError):
    """The proof has expired, or says that it was made in the future."""

    code = "proof_outside_its_time"


class ProofNotByIssuer(RejectedError):
    """No proof on the credential is by a key of its issuer."""

    code = "proof_not_by_issuer"


class DidDocumentMissing(UnavailableError):
    """The DID document of a proof's key is not at hand. Resolve it and verify again."""

    code = "did_document_missing"


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a proof must be for. None for `challenge` or `domain` asks for nothing."""

    purpose: str
    challenge: str | None = None
    domain: str | None = None
    clock_skew_s: int = CLOCK_SKEW_S


@dataclass(frozen=True, slots=True)
class VerifiedDataIntegrityProof:
    """A proof whose signature, key, purpose and time are good. `signed_input` is what was signed.

    Nobody has asked who the controller is. Only `verify_proofs` makes one.
    """

    proof: Proof
    controller: Did
    key: PublicKey
    signed_input: bytes


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """A credential that its issuer signed, within its dates.

    Status, schema, anchor and trust in the issuer are *not* checked. `signed_input` is what the
    issuer's key signed, and what is anchored; `proofs` is empty for a credential in a JWT.
    """

    credential: Credential
    issuer_key: PublicKey
    signed_input: bytes
    proofs: tuple[VerifiedDataIntegrityProof, ...]


def peek_controllers(document: JsonObject) -> frozenset[Did]:
    """Return the DIDs whose documents the proofs on `document` need, unverified.

    For a presentation, those of the credentials inside have to be asked for one by one. Raises
    what `parse_proofs` raises.
    """
    return frozenset(proof.verification_method.did for proof in parse_proofs(document))


def verify_proofs(
    document: JsonObject,
    documents: DidDocuments,
    expectations: Expectations,
    *,
    now: int,
    json_ld: Canonicalizer | None = None,
    suites: Mapping[str, Cryptosuite] = CRYPTOSUITES,
) -> tuple[VerifiedDataIntegrityProof, ...]:
    """Return the proofs on a secured document, all of them verified (steps 1 to 5).

    `now` is unix seconds; `suites` are those accepted, by name. Raises `ProofMalformed`,
    `ProofChainBroken`, `UnsupportedCryptosuite`, `ProofPurposeMismatch`, `ChallengeMismatch`,
    `DomainMismatch`, `ProofOutsideItsTime`, `DidDocumentMissing`, `KeyNotAuthorized`,
    `KeyNotForCryptosuite`, `SignatureInvalid`, and what canonicalization raises.
    """
    proofs = parse_proofs(document)
    for proof in proofs:
        _check_use(proof, expectations, now)
        if proof.cryptosuite not in suites:
            raise UnsupportedCryptosuite("the cryptosuite is not among those accepted")
    canonicalizer = json_ld or pinned_json_ld()
    verified = []
    for proof in proofs:
        did = proof.verification_method.did
        if str(did) not in documents:
            raise DidDocumentMissing("the DID document of the proof's key is not at hand")
        key = documents[str(did)].key_for(str(proof.verification_method), proof.purpose)
        covered = document_for(document, proof.previous, proofs)
        signed = suites[proof.cryptosuite].verify(covered, proof, key, canonicalizer)
        verified.append(VerifiedDataIntegrityProof(proof, did, key, signed))
    return tuple(verified)


def _check_use(proof: Proof, expectations: Expectations, now: int) -> None:
    if proof.purpose != expectations.purpose:
        raise ProofPurposeMismatch(f"expected a proof for {expectations.purpose}")
    challenge, domain = expectations.challenge, expectations.domain
    if challenge is not None and not hmac.compare_digest(
        (proof.challenge or "").encode("utf-8"), challenge.encode("utf-8")
    ):
        raise ChallengeMismatch("the proof answers another challenge")
    if domain is not None and domain not in proof.domains:
        raise DomainMismatch("the proof is for another domain")
    skew = expectations.clock_skew_s
    if proof.created is not None and proof.created > now + skew:
        raise ProofOutsideItsTime("the proof says that it was made in the future")
    if proof.expires is not None and proof.expires <= now - skew:
        raise ProofOutsideItsTime("the proof has expired")


def verify_credential(
    document: JsonObject,
    documents: DidDocuments,
    *,
    now: int,
    clock_skew_s: int = CLOCK_SKEW_S,
    json_ld: Canonicalizer | None = None,
    suites: Mapping[str, Cryptosuite] = CRYPTOSUITES,
) -> VerifiedCredential:
    """Return the credential if its structure, proofs, issuer and dates are good.

    Raises what `parse_credential` and `verify_proofs` raise, `ProofNotByIssuer`,
    `RelatedResourceMismatch` (contexts alone are at hand), `ValidityPeriodNotStarted` and
    `ValidityPeriodEnded`.
    """
    credential = parse_credential(document)
    verified = verify_issuer_proof(
        credential, documents, now=now, clock_skew_s=clock_skew_s, json_ld=json_ld, suites=suites
    )
    credential.check_validity(now, clock_skew_s)
    return verified


def verify_issuer_proof(
    credential: Credential,
    documents: DidDocuments,
    *,
    now: int,
    clock_skew_s: int = CLOCK_SKEW_S,
    json_ld: Canonicalizer | None = None,
    suites: Mapping[str, Cryptosuite] = CRYPTOSUITES,
) -> VerifiedCredential:
    """Return a parsed credential if its proofs are good and one is the issuer's.

    As `verify_credential`, but the credential's own dates are *not* checked.
    """
    expectations = Expectations(ASSERTION, clock_skew_s=clock_skew_s)
    proofs = verify_proofs(
        credential.document, documents, expectations, now=now, json_ld=json_ld, suites=suites
    )
    by_issuer = [proof for proof in proofs if str(proof.controller) == credential.issuer]
    if not by_issuer:
        raise ProofNotByIssuer("no proof is by a key of the issuer")
    check_related_resources(credential, (json_ld or pinned_json_ld()).contexts.documents)
    first = by_issuer[0]
    return VerifiedCredential(credential, first.key, first.signed_input, proofs)


def peek_signed_input(
    document: JsonObject,
    *,
    json_ld: Canonicalizer | None = None,
    suites: Mapping[str, Cryptosuite] = CRYPTOSUITES,
) -> bytes:
    """Return the bytes that the first proof on a document says were signed, unverified.

    Raises `ProofMalformed`, `UnsupportedCryptosuite` and what canonicalization raises.
    """
    proofs = parse_proofs(document)
    proof = proofs[0]
    if proof.cryptosuite not in suites:
        raise UnsupportedCryptosuite("the cryptosuite is not among those accepted")
    covered = document_for(document, proof.previous, proofs)
    return suites[proof.cryptosuite].peek_signed(covered, proof, json_ld or pinned_json_ld())
