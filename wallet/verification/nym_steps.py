"""Steps 2 to 7 for BBS credentials with a pseudonym: `seoul-bbs-nym`.

The holder's proof shows the issuer's signature and the possession of the secret at once. Nobody is
named: instead of a key there is a pseudonym, of this verifier if it asked for one.
"""

from __future__ import annotations

from dataclasses import dataclass

from wallet.credentials.bbs_nym import (
    NymPresentation,
    NymPresentationMalformed,
    NymRequest,
    verify_nym_presentation,
)
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.did.document import DidDocument
from wallet.errors import RejectedError
from wallet.verification.evidence import Fact
from wallet.verification.issuer_key import IssuerMismatch, KeySource, KeySourceNotAccepted
from wallet.verification.progress import Progress
from wallet.verification.proof_steps import (
    HolderBindingMissing,
    TypeNotAccepted,
    check_keys_are_fresh,
)


class EpochNotAccepted(RejectedError):
    """The credential is of an epoch that this verifier does not take, or not any more."""

    code = "epoch_not_accepted"


@dataclass(slots=True, kw_only=True)
class NymProgress(Progress):
    """That of a BBS credential."""

    presented: NymPresentation


def choose_bbs_key(progress: NymProgress) -> int:
    """Step 2: a BBS key in the assertions of the issuer's DID document."""
    fact, presented = progress.evidence.issuer_keys, progress.presented
    if not isinstance(fact, Fact):
        raise fact
    if not isinstance(fact.value, DidDocument):
        raise KeySourceNotAccepted("a BBS key is in a DID document")
    if KeySource.DID not in progress.policy.key_sources:
        raise KeySourceNotAccepted("issuer keys by did are not accepted")
    check_keys_are_fresh(progress, fact.as_of)
    if presented.issuer != str(fact.value.did):
        raise IssuerMismatch("the issuer is not the DID whose key signed")
    progress.key = fact.value.key_for(presented.verification_method, "assertionMethod")
    return fact.as_of


def verify_nym_proof(progress: NymProgress) -> None:
    """Step 3: the proof holds under the issuer's key, for this request and no other."""
    presented, policy, key = progress.presented, progress.policy, progress.key
    if not isinstance(key, BbsVerificationKey):
        raise KeySourceNotAccepted("the issuer's key is no BBS key")
    if policy.audience is None or policy.nonce is None:
        raise HolderBindingMissing("a BBS presentation answers a request, and none was made")
    if presented.link is not None and policy.nym_context is None:
        raise NymPresentationMalformed("nobody asked for a second pseudonym")
    request = NymRequest(policy.audience, policy.nonce, policy.pseudonym, policy.nym_context)
    progress.pseudonym = verify_nym_presentation(presented, key.key, request).pseudonym.octets


def read_nym_claims(progress: NymProgress) -> None:
    """Step 4: what is shown is what the holder chose to show."""
    presented = progress.presented
    progress.issuer, progress.epoch = presented.issuer, presented.epoch
    progress.claims = {**presented.claims, "vct": presented.vct, "epoch": presented.epoch}
    progress.disclosed = tuple((name,) for name in presented.claims)


def check_nym_type(progress: NymProgress) -> None:
    """Step 5."""
    progress.vct = progress.presented.vct
    progress.types = frozenset((progress.vct,))
    if progress.vct not in progress.policy.accepted_types:
        raise TypeNotAccepted("the credential type is not among those asked for")


def check_epoch(progress: NymProgress) -> None:
    """Step 6: it has no dates and no status; its epoch must be one that the policy names."""
    trust = progress.policy.trust
    if trust is not None and progress.presented.epoch not in trust.epochs:
        raise EpochNotAccepted("the epoch is not among those accepted")


def confirm_binding(progress: NymProgress) -> None:
    """Step 7: step 3 has bound the proof to audience and nonce, and to the holder's secret."""
