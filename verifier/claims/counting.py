"""From an eligible decision to a claim: drawn for the first time, before, or not told just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from verifier.claims.records import (
    BenefitClaim,
    BenefitClaimPending,
    BenefitClaims,
    BenefitDrawn,
    Change,
    GroupClaim,
)
from wallet.crypto.bbs.linked_nym import LinkAnswer
from wallet.crypto.hashing import sha256
from wallet.eligibility.days import seoul_day, seoul_midnight
from wallet.eligibility.decision import Evaluation
from wallet.eligibility.nullifier import (
    GROUP_CLAUSE,
    ONCE_CLAUSE,
    ExclusionGroup,
    Once,
    period_of,
    programme_context,
)
from wallet.eligibility.programme import Programme
from wallet.eligibility.reasons import Cause
from wallet.errors import UnavailableError
from wallet.ports.clock import Clock

# How long an application may take from its decision to its conclusion: one transaction.
HOLD_S: Final = 120
MAX_SETTLED_AT_ONCE: Final = 200


class RegisterUnavailable(UnavailableError):
    """The register of a group gave no answer, or none that can be used."""

    code = "exclusion_register_unavailable"


class ExclusionRegister(Protocol):
    """Answers whether a person has drawn nothing of a group yet, and keeps that they do now."""

    def claim(self, claim_id: str, group: str, link: GroupLink) -> bool:
        """Claim; the same claim again gets the same answer. Raises `RegisterUnavailable`."""

    def release(self, claim_id: str, group: str) -> None:
        """Take a claim back, or what may come of one on its way. Again is no change.

        Raises `RegisterUnavailable`.
        """


@dataclass(frozen=True, slots=True)
class GroupLink:
    """What an agency passes to a register: of the proof, and what only the register can open."""

    digest: bytes
    answer: LinkAnswer = field(repr=False)
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nullifier:
    """A verified pseudonym in a programme's context. `link` is there if the programme's group
    needs it."""

    pseudonym: bytes = field(repr=False)
    link: GroupLink | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of an eligible evaluation, and the change that grants it, if it is one still."""

    evaluation: Evaluation
    grant: Change | None


def claim_id_of(session_id: str) -> str:
    """Return the claim's id for an application: its session's, which is a secret, as a digest."""
    return sha256(session_id.encode()).hex()


class Counting:
    """Counts people, by the nullifiers of the agency with this DID.

    `register` is None where no programme of a group is decided on.
    """

    def __init__(
        self,
        claims: BenefitClaims,
        clock: Clock,
        *,
        agency: str,
        register: ExclusionRegister | None,
    ) -> None:
        self._claims = claims
        self._clock = clock
        self._agency = agency
        self._register = register

    def context(self, programme: Programme, once: Once, now: int) -> bytes:
        """Return the context in which a person's pseudonym counts on the day of `now`."""
        period = period_of(once.window, seoul_day(now))
        return programme_context(self._agency, programme.id, period)

    def count(
        self, evaluation: Evaluation, once: Once, nullifier: Nullifier, claim_id: str
    ) -> Counted:
        """Hold the benefit of an eligible evaluation for this application.

        What was drawn before is not eligible, what cannot be told just now is unknown. The same
        application again gets the same answer. Raises `StorageUnavailable`.
        """
        now = self._clock.now()
        programme = evaluation.programme
        period = period_of(once.window, evaluation.on)
        claim = BenefitClaim(
            claim_id=claim_id,
            programme=programme.id,
            context=programme_context(self._agency, programme.id, period),
            pseudonym=nullifier.pseudonym,
            group=None if once.group is None else once.group.id,
            held_until=now + HOLD_S,
            free_at=None if period.free_on is None else seoul_midnight(period.free_on),
        )
        try:
            self._claims.hold(claim, now=now)
        except BenefitDrawn:
            return Counted(evaluation.refused(ONCE_CLAUSE, once.reason), None)
        except BenefitClaimPending:
            return Counted(evaluation.left_open(ONCE_CLAUSE, Cause.COULD_NOT_CHECK), None)
        if once.group is not None:
            refused = self._ask_register(evaluation, once.group, nullifier, claim_id)
            if refused is not None:
                return Counted(refused, None)
        return Counted(evaluation, self._claims.granting(claim_id, now=now))

    def _ask_register(
        self, evaluation: Evaluation, group: ExclusionGroup, nullifier: Nullifier, claim_id: str
    ) -> Evaluation | None:
        """Return what the register's answer makes of an eligible evaluation, None: nothing."""
        try:
            if self._register is None or nullifier.link is None:
                raise RegisterUnavailable("no register counts this group here")
            if self._register.claim(claim_id, group.id, nullifier.link):
                return None
        except UnavailableError:
            # It may have heard: what it knows is taken back before anybody else is let in.
            self._claims.release(claim_id)
            return evaluation.left_open(GROUP_CLAUSE, Cause.COULD_NOT_CHECK)
        self._claims.release(claim_id)
        self._claims.forget(claim_id)
        return evaluation.refused(GROUP_CLAUSE, group.reason)

    def release(self, claim_id: str) -> None:
        """Take a claim back for good, as the agency that made it. Raises `BenefitClaimUnknown`."""
        self._claims.release(claim_id)
        self.settle()

    def settle(self) -> None:
        """Take back what came to nothing, and forget what no longer counts.

        A register that does not answer is asked again by the next call. Raises
        `StorageUnavailable`.
        """
        now = self._clock.now()
        unsettled: Sequence[GroupClaim] = self._claims.unsettled(
            now=now, limit=MAX_SETTLED_AT_ONCE
        )
        for claim in unsettled:
            if claim.group is not None and not self._tell_register(claim.claim_id, claim.group):
                continue
            self._claims.forget(claim.claim_id)
        self._claims.purge(now=now)

    def _tell_register(self, claim_id: str, group: str) -> bool:
        if self._register is None:
            return True
        try:
            self._register.release(claim_id, group)
        except UnavailableError:
            return False
        return True
