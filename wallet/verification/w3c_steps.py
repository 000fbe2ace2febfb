"""Steps 2 to 7 for W3C credentials: `jwt_vc_json` and `ldp_vc`.

What is said of a credential is the same in both; how it and the holder's presentation are signed
differs. A holder is a DID that carries its own key, and is who the credential is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wallet.credentials.data_integrity.verify import (
    AUTHENTICATION,
    DomainMismatch,
    Expectations,
    peek_controllers,
    verify_issuer_proof,
    verify_proofs,
)
from wallet.credentials.formats import matched_types, registered_type, specific_type
from wallet.credentials.jose import verify_jws, verify_jws_once
from wallet.credentials.jsonld.seoul import seoul_json_ld
from wallet.credentials.vc_presentation import HolderNotSubject, ProofNotByHolder
from wallet.credentials.vcdm.credential import Credential
from wallet.crypto.keys import PublicKey
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.did.ethr_document import keys_at
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did, parse_did_url
from wallet.errors import RejectedError
from wallet.verification.acting import ActingNotAccepted, is_held_by_guardian
from wallet.verification.evidence import Fact
from wallet.verification.issuer_key import IssuerMismatch, KeySource, KeySourceNotAccepted
from wallet.verification.presented import PresentedJwtVc, PresentedLdpVc
from wallet.verification.progress import JwsProgress, Progress
from wallet.verification.proof_steps import (
    HolderBindingMissing,
    TypeNotAccepted,
    check_bound_to_request,
    check_keys_are_fresh,
    check_made_just_now,
    named_anchor_time,
)
from wallet.verification.report import Outcome


class HolderKeyUnknown(RejectedError):
    """The presentation's key is not one of the holder's own DID."""

    code = "holder_key_unknown"


@dataclass(slots=True, kw_only=True)
class JwtVcProgress(JwsProgress):
    """That of a `jwt_vc_json`."""

    presented: PresentedJwtVc

    @property
    def credential(self) -> Credential:
        """What the JWT says as a whole."""
        return self.presented.credential.credential

    def named_receipt(self) -> object:
        """See `Progress.named_receipt`."""
        return self.presented.named_receipt()


@dataclass(slots=True, kw_only=True)
class LdpVcProgress(Progress):
    """That of an `ldp_vc`. `documents` has the issuer's DID document, once it was chosen."""

    presented: PresentedLdpVc
    documents: dict[str, DidDocument] = field(default_factory=dict)

    @property
    def credential(self) -> Credential:
        """The credential."""
        return self.presented.credential

    def named_receipt(self) -> object:
        """See `Progress.named_receipt`."""
        return self.presented.named_receipt()


W3cProgress = JwtVcProgress | LdpVcProgress


def verify_jwt_signature(progress: JwtVcProgress) -> None:
    """Step 3 of a JWT."""
    if progress.key is None:
        raise AssertionError("step 2 chose a key")
    verify_jws_once(progress.jws, progress.key)


def choose_issuer_document(progress: LdpVcProgress) -> int:
    """Step 2 of Data Integrity: keys come from DID documents, as old as the policy allows."""
    fact = progress.evidence.issuer_keys
    if not isinstance(fact, Fact):
        raise fact
    keys = fact.value
    if not isinstance(keys, DidDocument | EthrHistory):
        raise KeySourceNotAccepted("a Data Integrity proof is by a key of a DID")
    if KeySource.DID not in progress.policy.key_sources:
        raise KeySourceNotAccepted("issuer keys by did are not accepted")
    check_keys_are_fresh(progress, fact.as_of)
    if isinstance(keys, EthrHistory):
        at = progress.keys_at = named_anchor_time(progress)
        keys = keys_at(keys, progress.now if at is None else at)
    progress.documents = {str(keys.did): keys}
    return fact.as_of


def verify_ldp_signature(progress: LdpVcProgress) -> None:
    """Step 3 of Data Integrity: every proof on the credential holds, and one is the issuer's."""
    verified = verify_issuer_proof(
        progress.credential,
        progress.documents,
        now=progress.now,
        clock_skew_s=progress.policy.clock_skew_s,
        json_ld=seoul_json_ld(),
    )
    progress.key, progress.signed_input = verified.issuer_key, verified.signed_input


def read_jwt_credential(progress: JwtVcProgress) -> None:
    """Step 4 of a JWT: everything is shown. Also ties the issuer to the DID whose key signed."""
    progress.status = progress.presented.credential.claims.get("status")
    read_credential(progress)


def read_credential(progress: W3cProgress) -> None:
    """Step 4: what a derived proof left out was left out by the holder; nothing hides a date."""
    credential, fact = progress.credential, progress.evidence.issuer_keys
    progress.issuer = credential.issuer
    keys = fact.value if isinstance(fact, Fact) else None
    if isinstance(keys, DidDocument | EthrHistory) and progress.issuer != str(keys.did):
        raise IssuerMismatch("the issuer is not the DID whose key signed")
    progress.claims = {
        name: value for name, value in credential.document.items() if name != "proof"
    }
    if any(is_held_by_guardian(subject) for subject in credential.subjects):
        raise ActingNotAccepted("what a guardian holds is shown as SD-JWT VC, with its right")
    progress.statuses = credential.statuses


def check_w3c_type(progress: W3cProgress) -> None:
    """Step 5: of the types asked for, and of one type that an issuer can be accredited for."""
    credential, policy = progress.credential, progress.policy
    progress.types = matched_types(credential.document, credential.types)
    if not any(progress.types.issuperset(names) for names in policy.type_values):
        raise TypeNotAccepted("the credential type is not among those asked for")
    progress.vct = registered_type(specific_type(credential.types))


def check_w3c_validity(progress: W3cProgress) -> None:
    """Step 6."""
    progress.credential.check_validity(progress.now, progress.policy.clock_skew_s)


def verify_jwt_presentation(progress: JwtVcProgress) -> Outcome | None:
    """Step 7 of a JWT: the VP JWT is signed by the holder for this request, just now."""
    presentation, policy = progress.presented.presentation, progress.policy
    if not policy.requires_key_binding:
        return Outcome.NOT_REQUIRED
    if presentation is None:
        raise HolderBindingMissing("the credential comes without a presentation of its holder")
    kid = presentation.jws.kid
    key = _holder_key(presentation.holder, kid)
    verify_jws(presentation.jws, key)
    claims = presentation.claims
    check_bound_to_request(progress, claims)
    _check_subject(progress.credential, presentation.holder)
    progress.holder_key, progress.binding = key, claims
    progress.receipt_claim = progress.named_receipt()
    return None


def verify_ldp_presentation(progress: LdpVcProgress) -> Outcome | None:
    """Step 7 of Data Integrity: a proof for authentication, with this challenge and domain."""
    presentation, policy = progress.presented.presentation, progress.policy
    if not policy.requires_key_binding:
        return Outcome.NOT_REQUIRED
    if presentation is None or "proof" not in presentation.document:
        raise HolderBindingMissing("the credential comes without a proof of its holder")
    document = presentation.document
    documents = {
        str(did): resolve_self_contained(did)
        for did in sorted(peek_controllers(document), key=str)
    }
    expectations = Expectations(AUTHENTICATION, policy.nonce, policy.audience, policy.clock_skew_s)
    proofs = verify_proofs(
        document, documents, expectations, now=progress.now, json_ld=seoul_json_ld()
    )
    holder = presentation.holder or str(proofs[0].controller)
    found = next((proof for proof in proofs if str(proof.controller) == holder), None)
    if found is None:
        raise ProofNotByHolder("no proof is by a key of the holder")
    if found.proof.domains != (policy.audience,):
        raise DomainMismatch("the proof is for another verifier as well")
    if found.proof.created is not None:
        check_made_just_now(progress, found.proof.created)
    _check_subject(progress.credential, holder)
    progress.holder_key = found.key
    progress.receipt_claim = progress.named_receipt()
    return None


def _holder_key(holder: str, kid: str | None) -> PublicKey:
    did = parse_did(holder)
    if kid is not None and not kid.startswith("#") and parse_did_url(kid).did != did:
        raise HolderKeyUnknown("the presentation is signed by a key of somebody else")
    return resolve_self_contained(did).key_for(kid, AUTHENTICATION)


def _check_subject(credential: Credential, holder: str) -> None:
    # Every subject is the holder: a credential about others says nothing of who presents it.
    if len(credential.subjects) != 1 or credential.subject_ids != frozenset((holder,)):
        raise HolderNotSubject("the credential is not about the holder")
