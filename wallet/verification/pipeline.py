"""The verification of one SD-JWT VC presentation, step by step.

To accept a presentation:
  1. format            parse the credential, its disclosures and its key binding
  2. issuer_key        the issuer's keys are known, fresh enough, and one may sign assertions
  3. issuer_signature  that key signed the credential, or, where the policy says so, the manifest
                       of the finalized batch that the credential is in
  4. disclosures       every disclosure has its digest, none hides a claim that decides validity
  5. type              the credential type is one that this verifier accepts
  6. validity          it is valid now, by its own dates
  7. key_binding       the holder's key signed this audience, this nonce and exactly this text
  8. anchor_receipt    its leaf is in a finalized, unrevoked batch of this issuer and type
  9. accreditation     issuer and accreditor were in force when it was anchored, or are now
 10. status            the issuer's current list does not revoke or suspend it
The caller MUST see to it that a nonce is used once, and that the answer fits what it asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.keys import PublicKey
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError, UnavailableError
from wallet.trust.facts import Assurance
from wallet.verification import proof_steps, stand_in, trust_steps
from wallet.verification.acting import ActedFor
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.policy import VerificationPolicy
from wallet.verification.progress import Progress
from wallet.verification.report import Outcome, SignatureOn, StepResult, VerificationReport


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """A credential whose signatures and dates are good; nobody has asked who the issuer is.

    `disclosed` are the places of the claims that the holder chose to show; what else is in
    `claims` the issuer left visible. `binding` are the claims that the holder's key signed, empty
    without key binding; `authority_keys` the authority key identifiers of the issuer's
    certificates, if it was judged by them. `acted_for` says who showed it for whom, None when its
    holder did; `holder_key` is then the key of the one who acted.
    """

    issuer: str
    vct: str
    claims: JsonObject
    disclosed: tuple[ClaimPath, ...]
    holder_key: PublicKey | None
    report: VerificationReport
    binding: JsonObject = field(default_factory=dict, kw_only=True)
    authority_keys: frozenset[bytes] = field(default=frozenset(), kw_only=True)
    acted_for: ActedFor | None = field(default=None, kw_only=True)

    @property
    def format(self) -> str:
        """The credential format by its name in OpenID4VP."""
        return "dc+sd-jwt"

    @property
    def types(self) -> frozenset[str]:
        """The one type of an SD-JWT VC."""
        return frozenset((self.vct,))


@dataclass(frozen=True, slots=True)
class VerifiedPresentation(VerifiedProof):
    """A presentation that passed every step, accreditation and status included.

    `anchored_at` is the block time of its batch, None without a finalized receipt. Only
    `verify_presentation` makes one.
    """

    anchored_at: int | None


# A step raises when it does not pass.
StepFunction = Callable[[Progress], int | Outcome | SignatureOn | None]
_PROOF_STEPS: Final[tuple[StepFunction, ...]] = (
    proof_steps.choose_issuer_key,
    stand_in.verify_issuer_signature,
    proof_steps.place_disclosures,
    proof_steps.check_type,
    proof_steps.check_validity,
    proof_steps.verify_key_binding,
)
_TRUST_STEPS: Final[tuple[StepFunction, ...]] = (
    trust_steps.verify_anchor_receipt,
    trust_steps.check_accreditation,
    trust_steps.check_status,
)


def check_presentation(
    presentation: str | bytes, evidence: Evidence, policy: VerificationPolicy, *, now: int
) -> VerificationReport:
    """Run every step on an SD-JWT VC (compact or JSON) and report; never raises for bad input.

    `now` is unix seconds. A rejected step ends the run. A step that could not be checked leaves
    the outcome open, and the trust steps behind it still run: one of them may reject.
    """
    return _run(presentation, evidence, policy, now)[0]


def verify_presentation(
    presentation: str | bytes, evidence: Evidence, policy: VerificationPolicy, *, now: int
) -> VerifiedPresentation:
    """Return the presentation if all steps pass, trust and status included.

    Raises the error of the step that decides, any leaf of the five families. `policy.trust` must
    be set: a `ValueError` otherwise.
    """
    if policy.trust is None:
        raise ValueError("a presentation is verified with a trust policy; see verify_proof")
    progress, report = _verified(presentation, evidence, policy, now)
    return VerifiedPresentation(
        progress.issuer,
        progress.vct,
        progress.claims,
        progress.disclosed,
        progress.holder_key,
        report,
        progress.anchored_at,
        binding=progress.binding,
        authority_keys=progress.authority_keys,
        acted_for=progress.acted_for,
    )


def verify_proof(
    presentation: str | bytes, evidence: Evidence, policy: VerificationPolicy, *, now: int
) -> VerifiedProof:
    """Return the credential if its proofs and dates are good (steps 1 to 7).

    Accreditation, anchor and status are *not* checked, so the result can never stand for a
    `VerifiedPresentation`. Raises the error of the step that decides.
    """
    if policy.trust is not None:
        raise ValueError("verify_proof takes a policy without trust; see verify_presentation")
    progress, report = _verified(presentation, evidence, policy, now)
    return VerifiedProof(
        progress.issuer,
        progress.vct,
        progress.claims,
        progress.disclosed,
        progress.holder_key,
        report,
        binding=progress.binding,
        authority_keys=progress.authority_keys,
        acted_for=progress.acted_for,
    )


def _verified(
    presentation: str | bytes, evidence: Evidence, policy: VerificationPolicy, now: int
) -> tuple[Progress, VerificationReport]:
    report, progress = _run(presentation, evidence, policy, now)
    if progress is None or progress.failed:
        report.raise_for_failure()
        raise AssertionError("a failed run has an error")
    return progress, report


def _run(
    presentation: str | bytes, evidence: Evidence, policy: VerificationPolicy, now: int
) -> tuple[VerificationReport, Progress | None]:
    try:
        sd_jwt = parse_presented_sd_jwt(presentation)
    except SeoulWalletError as error:
        return VerificationReport((error,), now), None
    progress = Progress(policy, evidence, now, sd_jwt)
    results: list[StepResult] = [None]
    try:
        for function in _PROOF_STEPS:
            results.append(function(progress))
    except SeoulWalletError as error:
        results.append(error)
        progress.failed = True
        return VerificationReport(results, now), progress
    if policy.trust is None:
        results += [Outcome.NOT_REQUIRED] * len(_TRUST_STEPS)
        return VerificationReport(results, now), progress
    for function in _TRUST_STEPS:
        try:
            results.append(function(progress))
        except SeoulWalletError as error:
            results.append(error)
            progress.failed = True
            if not isinstance(error, UnavailableError):
                break
    return VerificationReport(results, now, _assurance(evidence)), progress


def _assurance(evidence: Evidence) -> Assurance | None:
    return evidence.anchor.value.assurance if isinstance(evidence.anchor, Fact) else None
