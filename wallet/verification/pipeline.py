"""The verification of one presentation, step by step, in whichever format it comes.

To accept a presentation:
  1. format            parse the credential, what of it is shown and its key binding
  2. issuer_key        the issuer's keys are known, fresh enough, and one may sign assertions
  3. issuer_signature  that key signed the credential, or, where the policy says so, the manifest
                       of the finalized batch that the credential is in
  4. disclosures       what is shown was signed, and nothing hides a claim that decides validity
  5. type              the credential type is one that this verifier accepts
  6. validity          it is valid now, by its own dates
  7. key_binding       the holder's key signed this audience, this nonce and exactly this text
  8. anchor_receipt    its leaf is in a finalized, unrevoked batch of this issuer and type
  9. accreditation     issuer and accreditor were in force when it was anchored, or are now
 10. status            the issuer's current list does not revoke or suspend it
Steps 1 to 7 are those of the format that the policy names (`proof_steps`, `w3c_steps`,
`nym_steps`); whom to trust, and whether it still holds, is asked of all in the same way.
The caller MUST see to it that a nonce is used once, and that the answer fits what it asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.bbs_nym import NymPresentation
from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.formats import BBS_NYM_FORMAT, SD_JWT_VC_FORMAT
from wallet.credentials.sd_jwt import SdJwt
from wallet.crypto.keys import PublicKey, thumbprint
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError, UnavailableError
from wallet.trust.facts import Assurance
from wallet.verification import bitstring_steps, nym_steps, proof_steps, stand_in, trust_steps
from wallet.verification import w3c_steps as w3c
from wallet.verification.acting import ActedFor
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.nym_steps import NymProgress
from wallet.verification.policy import VerificationPolicy
from wallet.verification.presented import (
    ParsedPresentation,
    Presentable,
    Presented,
    PresentedJwtVc,
    parse_presented,
)
from wallet.verification.progress import Progress, SdJwtProgress
from wallet.verification.report import Outcome, SignatureOn, StepResult, VerificationReport


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """A credential whose signatures and dates are good; nobody has asked who the issuer is.

    `vct` is the type by which the issuer is accredited, in every format; `types` are those that
    `type_values` may name. `claims` are those of an SD-JWT VC, or the whole W3C credential.
    `disclosed` are the places of the claims that the holder chose to show; what else is in
    `claims` the issuer left visible. `pseudonym` is that of a BBS presentation: of this
    request alone, unless the policy asked for the one at this verifier. `binding` are the claims
    that the holder's key signed, empty without key binding; `authority_keys` the authority key
    identifiers of the issuer's certificates, if it was judged by them. `acted_for` says who showed
    it for whom, None when its holder did; `holder_key` is then the key of the one who acted.
    """

    issuer: str
    vct: str
    claims: JsonObject
    disclosed: tuple[ClaimPath, ...]
    holder_key: PublicKey | None
    report: VerificationReport
    binding: JsonObject = field(default_factory=dict, kw_only=True)
    authority_keys: frozenset[bytes] = field(default=frozenset(), kw_only=True)
    format: str = field(default=SD_JWT_VC_FORMAT, kw_only=True)
    types: frozenset[str] = field(default=frozenset(), kw_only=True)
    pseudonym: bytes | None = field(default=None, kw_only=True)
    acted_for: ActedFor | None = field(default=None, kw_only=True)

    def __reduce__(self) -> tuple[object, ...]:
        # The way of frozen dataclasses looks at each field in turn. In a batch, where verdicts
        # come from other processes, that would cost the caller more than all else.
        return _restore, (VerifiedProof, (*_established(self), self.report), _further(self))

    @property
    def is_bound(self) -> bool:
        """Whether somebody proved possession: of a key, or of the secret behind a pseudonym."""
        return self.holder_key is not None or self.pseudonym is not None

    @property
    def holder_mark(self) -> str | None:
        """What tells holders apart within one answer: of the key, or the pseudonym in it."""
        if self.pseudonym is not None:
            return f"{BBS_NYM_FORMAT}:{self.pseudonym.hex()}"
        return None if self.holder_key is None else thumbprint(self.holder_key)


@dataclass(frozen=True, slots=True)
class VerifiedPresentation(VerifiedProof):
    """A presentation that passed every step, accreditation and status included.

    `anchored_at` is the block time of its batch, None without a finalized receipt. Only
    `verify_presentation` makes one.
    """

    anchored_at: int | None

    def __reduce__(self) -> tuple[object, ...]:
        positional = (*_established(self), self.report, self.anchored_at)
        return _restore, (VerifiedPresentation, positional, _further(self))


# A step raises when it does not pass.
StepFunction = Callable[[Any], int | Outcome | SignatureOn | None]
_SD_JWT_STEPS: Final[tuple[StepFunction, ...]] = (
    proof_steps.choose_issuer_key,
    stand_in.verify_issuer_signature,
    proof_steps.place_disclosures,
    proof_steps.check_type,
    proof_steps.check_validity,
    proof_steps.verify_key_binding,
)
_JWT_VC_STEPS: Final[tuple[StepFunction, ...]] = (
    proof_steps.choose_issuer_key,
    w3c.verify_jwt_signature,
    w3c.read_jwt_credential,
    w3c.check_w3c_type,
    w3c.check_w3c_validity,
    w3c.verify_jwt_presentation,
)
_LDP_VC_STEPS: Final[tuple[StepFunction, ...]] = (
    w3c.choose_issuer_document,
    w3c.verify_ldp_signature,
    w3c.read_credential,
    w3c.check_w3c_type,
    w3c.check_w3c_validity,
    w3c.verify_ldp_presentation,
)
_NYM_STEPS: Final[tuple[StepFunction, ...]] = (
    nym_steps.choose_bbs_key,
    nym_steps.verify_nym_proof,
    nym_steps.read_nym_claims,
    nym_steps.check_nym_type,
    nym_steps.check_epoch,
    nym_steps.confirm_binding,
)
_TRUST_STEPS: Final[tuple[StepFunction, ...]] = (
    trust_steps.verify_anchor_receipt,
    trust_steps.check_accreditation,
    bitstring_steps.check_any_status,
)


def _begin(
    presented: Presented, policy: VerificationPolicy, evidence: Evidence, now: int
) -> tuple[Progress, tuple[StepFunction, ...]]:
    common: dict[str, Any] = {"policy": policy, "evidence": evidence, "now": now}
    if isinstance(presented, SdJwt):
        jws = presented.jws
        progress: Progress = SdJwtProgress(
            jws=jws, sd_jwt=presented, signed_input=jws.signing_input, **common
        )
        return progress, _SD_JWT_STEPS
    if isinstance(presented, NymPresentation):
        return NymProgress(presented=presented, **common), _NYM_STEPS
    if isinstance(presented, PresentedJwtVc):
        jws = presented.credential.jws
        progress = w3c.JwtVcProgress(
            jws=jws, presented=presented, signed_input=jws.signing_input, **common
        )
        return progress, _JWT_VC_STEPS
    return w3c.LdpVcProgress(presented=presented, **common), _LDP_VC_STEPS


def check_presentation(
    presentation: Presentable | ParsedPresentation,
    evidence: Evidence,
    policy: VerificationPolicy,
    *,
    now: int,
) -> VerificationReport:
    """Run every step on a presentation and report; never raises for bad input.

    It is of `policy.format`: an SD-JWT VC (compact or JSON), a JWT, or the object of an `ldp_vc`,
    as it came or by `parse_received`.

    `now` is unix seconds. A rejected step ends the run. A step that could not be checked leaves
    the outcome open, and the trust steps behind it still run: one of them may reject.
    """
    return _run(presentation, evidence, policy, now)[0]


def verify_presentation(
    presentation: Presentable | ParsedPresentation,
    evidence: Evidence,
    policy: VerificationPolicy,
    *,
    now: int,
) -> VerifiedPresentation:
    """Return the presentation if all steps pass, trust and status included.

    Raises the error of the step that decides, any leaf of the five families. `policy.trust` must
    be set: a `ValueError` otherwise.
    """
    if policy.trust is None:
        raise ValueError("a presentation is verified with a trust policy; see verify_proof")
    progress, report = _verified(presentation, evidence, policy, now)
    return VerifiedPresentation(
        *_established(progress), report, progress.anchored_at, **_further(progress)
    )


def verify_proof(
    presentation: Presentable | ParsedPresentation,
    evidence: Evidence,
    policy: VerificationPolicy,
    *,
    now: int,
) -> VerifiedProof:
    """Return the credential if its proofs and dates are good (steps 1 to 7).

    Accreditation, anchor and status are *not* checked, so the result can never stand for a
    `VerifiedPresentation`. Raises the error of the step that decides.
    """
    if policy.trust is not None:
        raise ValueError("verify_proof takes a policy without trust; see verify_presentation")
    progress, report = _verified(presentation, evidence, policy, now)
    return VerifiedProof(*_established(progress), report, **_further(progress))


def _established(
    source: Progress | VerifiedProof,
) -> tuple[str, str, JsonObject, tuple[ClaimPath, ...], PublicKey | None]:
    return source.issuer, source.vct, source.claims, source.disclosed, source.holder_key


def _further(source: Progress | VerifiedProof) -> dict[str, Any]:
    return {
        "binding": source.binding,
        "authority_keys": source.authority_keys,
        "format": source.format,
        "types": source.types,
        "pseudonym": source.pseudonym,
        "acted_for": source.acted_for,
    }


def _restore(
    kind: type[VerifiedProof], positional: tuple[Any, ...], further: dict[str, Any]
) -> VerifiedProof:
    return kind(*positional, **further)


def _verified(
    presentation: Presentable | ParsedPresentation,
    evidence: Evidence,
    policy: VerificationPolicy,
    now: int,
) -> tuple[Progress, VerificationReport]:
    report, progress = _run(presentation, evidence, policy, now)
    if progress is None or progress.failed:
        report.raise_for_failure()
        raise AssertionError("a failed run has an error")
    return progress, report


def _run(
    presentation: Presentable | ParsedPresentation,
    evidence: Evidence,
    policy: VerificationPolicy,
    now: int,
) -> tuple[VerificationReport, Progress | None]:
    try:
        presented = parse_presented(presentation, policy.format)
    except SeoulWalletError as error:
        return VerificationReport((error,), now), None
    progress, proof_functions = _begin(presented, policy, evidence, now)
    results: list[StepResult] = [None]
    try:
        for function in proof_functions:
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
