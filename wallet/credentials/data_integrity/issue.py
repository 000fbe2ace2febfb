"""Add proofs to documents: issuers to credentials, holders to presentations (§4.2, §4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.proof import (
    PROOF_TYPE,
    Proof,
    ProofMalformed,
    document_for,
    parse_proof,
    parse_proofs,
)
from wallet.credentials.data_integrity.statement_suite import DisclosureSuite
from wallet.credentials.data_integrity.verify import ASSERTION, AUTHENTICATION
from wallet.credentials.jsonld.pinned import pinned_json_ld
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.vcdm.credential import parse_credential
from wallet.credentials.vcdm.fields import check_extent, format_date_time
from wallet.credentials.vcdm.presentation import parse_presentation
from wallet.crypto.keys import SigningKey
from wallet.encoding.json import JsonObject

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """What a new proof states besides its purpose. Times are unix seconds."""

    verification_method: str
    created: int | None = None
    expires: int | None = None
    id: str | None = None
    previous: tuple[str, ...] = ()
    nonce: str | None = None

    def to_json(self, suite: str, purpose: str) -> JsonObject:
        """Return the proof options, without members that are not set."""
        previous = self.previous[0] if len(self.previous) == 1 else list(self.previous)
        members = {
            "type": PROOF_TYPE,
            "id": self.id,
            "cryptosuite": suite,
            "created": None if self.created is None else format_date_time(self.created),
            "expires": None if self.expires is None else format_date_time(self.expires),
            "verificationMethod": self.verification_method,
            "proofPurpose": purpose,
            "previousProof": previous or None,
            "nonce": self.nonce,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SecuredDocument:
    """A document with its new proof, and the bytes that the proof signs (an anchor's leaf)."""

    document: JsonObject
    signed_input: bytes


def issue_credential(
    credential: JsonObject,
    key: SigningKey,
    options: ProofOptions,
    suite: WholeDocumentSuite,
    *,
    json_ld: Canonicalizer | None = None,
) -> SecuredDocument:
    """Sign a credential, or add a proof to one. Raises `CredentialMalformed` and kin.

    Not checked: that the key is the issuer's; a second signer's need not be.
    """
    parse_credential(credential)
    return add_proof(credential, key, options, suite, ASSERTION, json_ld=json_ld)


def issue_disclosable_credential(
    credential: JsonObject,
    key: K,
    options: ProofOptions,
    suite: DisclosureSuite[K],
    *,
    mandatory_pointers: Sequence[str],
    json_ld: Canonicalizer | None = None,
) -> SecuredDocument:
    """Sign a credential whose statements the holder may show one by one.

    What `mandatory_pointers` (RFC 6901) select is always shown; they must cover the issuer, the
    dates and the status. Raises `CredentialMalformed`, `PointerMalformed`, `ProofMalformed`.
    """
    parse_credential(credential)
    if "proof" in credential:
        raise ProofMalformed("a disclosable credential has one proof")
    configuration = options.to_json(suite.name, ASSERTION)
    value, data = suite.sign(
        credential, configuration, key, mandatory_pointers, json_ld or pinned_json_ld()
    )
    return SecuredDocument({**credential, "proof": {**configuration, "proofValue": value}}, data)


def derive_credential(
    secured: JsonObject,
    pointers: Sequence[str],
    suite: DisclosureSuite[Any],
    *,
    json_ld: Canonicalizer | None = None,
) -> JsonObject:
    """Return the credential that shows what is mandatory and what `pointers` select.

    Raises `ProofMalformed`, `PointerMalformed` and kin. Does not verify the base proof.
    """
    check_extent(secured)
    proof = _single_proof(secured, suite.name)
    document = document_for(secured, (), ())
    return suite.derive(document, proof, pointers, json_ld or pinned_json_ld())


def _single_proof(secured: JsonObject, suite: str) -> Proof:
    proofs = parse_proofs(secured)
    if len(proofs) != 1 or proofs[0].cryptosuite != suite:
        raise ProofMalformed(f"expected one proof of {suite}")
    return proofs[0]


def present_credentials(
    presentation: JsonObject,
    key: SigningKey,
    options: ProofOptions,
    suite: WholeDocumentSuite,
    *,
    challenge: str,
    domain: str,
    json_ld: Canonicalizer | None = None,
) -> SecuredDocument:
    """Sign a presentation for one verifier and one request. Raises `CredentialMalformed`, …"""
    parse_presentation(presentation)
    bound = {"challenge": challenge, "domain": domain}
    return add_proof(
        presentation, key, options, suite, AUTHENTICATION, bound=bound, json_ld=json_ld
    )


def add_proof(
    document: JsonObject,
    key: SigningKey,
    options: ProofOptions,
    suite: WholeDocumentSuite,
    purpose: str,
    *,
    bound: JsonObject | None = None,
    json_ld: Canonicalizer | None = None,
) -> SecuredDocument:
    """Return `document` with one more proof, which covers the proofs in `options.previous`.

    `bound` has further members of the proof. Raises `ProofMalformed`, `ProofChainBroken`,
    `KeyNotForCryptosuite` and what canonicalization raises.
    """
    configuration = {**options.to_json(suite.name, purpose), **(bound or {})}
    if suite.carries_context and "@context" in document:
        configuration["@context"] = document["@context"]
    before = parse_proofs(document) if "proof" in document else ()
    # A place holder of the right form: the chain is checked before anything is signed.
    unsigned = parse_proof({**configuration, "proofValue": "z1"})
    parse_proofs({"proof": [*(proof.value for proof in before), unsigned.value]})
    covered = document_for(document, options.previous, before)
    value, data = suite.sign(covered, configuration, key, json_ld or pinned_json_ld())
    proof = {**configuration, "proofValue": value}
    proofs = [*(each.value for each in before), proof]
    secured = {**document, "proof": proofs if before else proof}
    return SecuredDocument(secured, data)
