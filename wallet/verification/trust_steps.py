"""Steps 8 to 10: the batch on the chain, the issuer's accreditation, the current status."""

from __future__ import annotations

from wallet.crypto.merkle import InclusionProofInvalid
from wallet.errors import RejectedError, UnavailableError
from wallet.status.token_status_list import SUSPENDED, VALID, parse_status_reference
from wallet.trust.facts import AnchorFacts, BatchFact, IssuerNotAccredited, IssuerSuspended
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import parse_receipt
from wallet.verification.evidence import Fact, FactMissing
from wallet.verification.policy import TrustPolicy
from wallet.verification.progress import Progress
from wallet.verification.proof_steps import FactsTooOld
from wallet.verification.report import Outcome
from wallet.verification.status import StatusListInvalid, VerifiedStatusList


class ReceiptMissing(RejectedError):
    """The policy asks for an anchor receipt and the presentation has none."""

    code = "receipt_missing"


class AnchorNotFinal(UnavailableError):
    """The batch is not among the finalized facts at hand: not yet, or never anchored."""

    code = "anchor_not_final"


class BatchRevoked(RejectedError):
    """The issuer or its accreditor revoked the whole batch."""

    code = "batch_revoked"


class CredentialRevoked(RejectedError):
    """The issuer's status list says: invalid."""

    code = "credential_revoked"


class CredentialSuspended(RejectedError):
    """The issuer's status list says: suspended."""

    code = "credential_suspended"


class StatusMissing(RejectedError):
    """The policy asks for a status and the credential names no list."""

    code = "status_missing"


class StatusListSuperseded(UnavailableError):
    """The list at hand is older than one that the chain already knows: a newer one is needed."""

    code = "status_list_superseded"


def trust_policy(progress: Progress) -> TrustPolicy:
    """Return the trust policy, without which the trust steps do not run."""
    if progress.policy.trust is None:
        raise AssertionError("trust steps run with a trust policy")
    return progress.policy.trust


def _anchor(progress: Progress) -> Fact[AnchorFacts]:
    if progress.anchor is None:
        fact = progress.evidence.anchor
        if not isinstance(fact, Fact):
            raise fact
        limit = trust_policy(progress).max_replica_age_s
        if progress.now - fact.as_of > limit:
            raise FactsTooOld("anchor replica", fact.as_of, limit)
        progress.anchor = fact
    return progress.anchor


def verify_anchor_receipt(progress: Progress) -> int | Outcome:
    """Step 8. Sets `anchored_at` only from a finalized batch of this issuer and type."""
    if progress.receipt_claim is None:
        if trust_policy(progress).require_receipt:
            raise ReceiptMissing("the presentation carries no anchor receipt")
        return Outcome.NOT_REQUIRED
    batch, as_of = find_batch(progress, progress.receipt_claim)
    _check_batch_is_the_issuers(progress, batch)
    if batch.revoked_at is not None:
        raise BatchRevoked("the batch was revoked")
    progress.anchored_at = batch.anchored_at
    return as_of


def find_batch(progress: Progress, receipt_claim: object) -> tuple[BatchFact, int]:
    """Return the finalized batch that a receipt leads to, and the time of the facts that have it.

    Raises `ReceiptMalformed`, `InclusionProofInvalid`, `AnchorNotFinal` and what says that the
    facts are missing or too old. Whose batch it is, and whether it was revoked, is not checked.
    """
    if progress.batch is not None:
        return progress.batch
    receipt = parse_receipt(receipt_claim)
    root = receipt.root_for(progress.signed_input)
    anchor = _anchor(progress)
    batch = anchor.value.batch
    if batch is None or batch.root != root:
        raise AnchorNotFinal("the batch is not among the finalized facts")
    if batch.size != receipt.size:
        raise InclusionProofInvalid("the batch has another size than the receipt says")
    progress.batch = batch, anchor.as_of
    return progress.batch


def _check_batch_is_the_issuers(progress: Progress, batch: BatchFact) -> None:
    # The replica is asked by issuer and root; a batch of another type must not vouch here.
    if batch.issuer_id != issuer_id(progress.issuer):
        raise InclusionProofInvalid("the batch is another issuer's")
    if batch.schema_id != schema_id(progress.vct):
        raise InclusionProofInvalid("the batch is of another credential type")


def check_accreditation(progress: Progress) -> int:
    """Step 9. Judged at anchor time when step 8 found one, else at the present.

    A suspension too: what was anchored before it stays valid, what is judged now is not.
    """
    anchor = _anchor(progress)
    if progress.keys_at not in (None, progress.anchored_at):
        # The evidence is of another batch than the receipt: its time says nothing about the key.
        raise FactMissing("the batch by which the issuer's key was chosen")
    at = progress.now if progress.anchored_at is None else progress.anchored_at
    if anchor.value.suspended(at):
        raise IssuerSuspended("the issuer is suspended")
    if not anchor.value.accredited(at):
        raise IssuerNotAccredited("the issuer is not accredited for this credential type")
    return anchor.as_of


def check_status(progress: Progress) -> int | Outcome:
    """Step 10. The list's own time counts as the time of the fact, not when it was fetched."""
    trust = trust_policy(progress)
    if progress.status is None:
        if trust.require_status:
            raise StatusMissing("the credential names no status list")
        return Outcome.NOT_REQUIRED
    reference = parse_status_reference(progress.status)
    fact = progress.evidence.status_list
    if not isinstance(fact, Fact):
        raise fact
    listed = fact.value
    if listed.uri != reference.uri or listed.issuer != progress.issuer:
        raise StatusListInvalid("the list is not the one that the credential names")
    _check_list_is_current(progress, listed, trust)
    status = listed.entries.status(reference.index)
    if status == SUSPENDED:
        raise CredentialSuspended("the issuer suspended the credential")
    if status != VALID:
        raise CredentialRevoked("the issuer revoked the credential")
    return listed.issued_at


def _check_list_is_current(
    progress: Progress, listed: VerifiedStatusList, trust: TrustPolicy
) -> None:
    check_list_age(
        listed, now=progress.now, max_age_s=trust.max_status_age_s,
        skew_s=progress.policy.clock_skew_s,
    )  # fmt: skip
    check_list_is_newest(listed, _anchor(progress).value)


def check_list_age(listed: VerifiedStatusList, *, now: int, max_age_s: int, skew_s: int) -> None:
    """Return if a list may still be used. Raises `StatusListInvalid`, `FactsTooOld`."""
    if listed.issued_at > now + skew_s:
        raise StatusListInvalid("the list is dated in the future")
    # `ttl` bounds how long a copy may be used (§13.7): it limits the age as the policy does.
    limits = [max_age_s]
    if listed.ttl_s is not None:
        limits.append(listed.ttl_s)
    if listed.expires_at is not None:
        limits.append(listed.expires_at - listed.issued_at)
    limit = max(0, min(limits))
    if now - listed.issued_at > limit:
        raise FactsTooOld("status list", listed.issued_at, limit)


def check_list_is_newest(listed: VerifiedStatusList, anchor: AnchorFacts) -> None:
    """Return unless the chain knows a newer version. Raises `StatusListSuperseded`."""
    newest = anchor.status
    if newest is None or listed.digest == newest.digest:
        return
    if listed.digest in anchor.superseded_status_digests or listed.issued_at < newest.published_at:
        raise StatusListSuperseded("the chain knows a newer status list")
