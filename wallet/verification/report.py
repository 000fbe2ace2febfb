"""The verification report: every numbered step with its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError, UnavailableError
from wallet.trust.facts import Assurance


class Outcome(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    NOT_REACHED = "not_reached"
    NOT_REQUIRED = "not_required"


class SignatureOn(StrEnum):
    """What the issuer's key signed that stands behind a decision."""

    CREDENTIAL = "credential"
    BATCH_MANIFEST = "batch_manifest"


class Step(NamedTuple):
    """One step. `as_of` is the time (unix seconds) of the outside facts that it used, if any.

    `signature_on` says what the issuer signed, where that is what the step checked.
    """

    number: int
    name: str
    outcome: Outcome
    error: SeoulWalletError | None = None
    as_of: int | None = None
    signature_on: SignatureOn | None = None

    def to_json(self, now: int) -> JsonObject:
        """Return the public form of the step; `facts_age_s` is the age of its facts at `now`."""
        result: JsonObject = {
            "step": self.number,
            "name": self.name,
            "outcome": self.outcome.value,
        }
        if self.error is not None:
            result["code"] = self.error.code
            result["detail"] = str(self.error)
        if self.as_of is not None:
            result["facts_age_s"] = now - self.as_of
        if self.signature_on is not None:
            result["signature_on"] = self.signature_on.value
        return result


STEP_NAMES: Final = (
    "format",
    "issuer_key",
    "issuer_signature",
    "disclosures",
    "type",
    "validity",
    "key_binding",
    "anchor_receipt",
    "accreditation",
    "status",
)
# Steps of which there is nothing to say but how they ended.
_PLAIN: Final = {
    outcome: tuple(Step(number, name, outcome) for number, name in enumerate(STEP_NAMES, start=1))
    for outcome in (Outcome.PASSED, Outcome.NOT_REQUIRED, Outcome.NOT_REACHED)
}
# What a step that was reached came to: the time of the outside facts it used, None if it used
# none, what the signature was on, `Outcome.NOT_REQUIRED`, or its error.
StepResult = int | Outcome | SignatureOn | SeoulWalletError | None


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What every step that was reached came to, in order. `checked_at` is the check's `now`.

    `assurance` says how the chain's facts were checked, when they were asked for and it is known.
    """

    results: Sequence[StepResult]
    checked_at: int
    assurance: Assurance | None = None

    def __reduce__(self) -> tuple[object, ...]:
        # The way of frozen dataclasses looks at each field in turn; batches pay for that.
        return VerificationReport, (self.results, self.checked_at, self.assurance)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All ten steps, those that were not reached included."""
        reached = tuple(
            _step(number, result) for number, result in enumerate(self.results, start=1)
        )
        return reached + _PLAIN[Outcome.NOT_REACHED][len(reached) :]

    @property
    def failure(self) -> SeoulWalletError | None:
        """The error that decides: the first that is a verdict, else the first unavailability."""
        unavailable = None
        for result in self.results:
            if isinstance(result, SeoulWalletError):
                if not isinstance(result, UnavailableError):
                    return result
                unavailable = unavailable or result
        return unavailable

    @property
    def outcome(self) -> Outcome:
        """`passed`, `rejected` or `unavailable` as a whole."""
        failure = self.failure
        if failure is None:
            return Outcome.PASSED
        is_open = isinstance(failure, UnavailableError)
        return Outcome.UNAVAILABLE if is_open else Outcome.REJECTED

    @property
    def facts_as_of(self) -> int | None:
        """The time of the oldest outside fact that any step used, unix seconds."""
        times = (_as_of(result) for result in self.results)
        return min((time for time in times if time is not None), default=None)

    def raise_for_failure(self) -> None:
        """Raise the error that decides, if there is one."""
        failure = self.failure
        if failure is not None:
            raise failure

    def to_json(self) -> JsonObject:
        """Return the public form: outcome, age of the oldest fact, how facts were checked, steps.

        `assurance` is null when that is not known. With `development` in it the chain's facts
        rest on one node's word, or are not proven: good for a chain on this machine, no more.
        """
        as_of = self.facts_as_of
        failure = self.failure
        return {
            "outcome": self.outcome.value,
            "code": None if failure is None else failure.code,
            "checked_at": self.checked_at,
            "facts_as_of": as_of,
            "facts_age_s": None if as_of is None else self.checked_at - as_of,
            "assurance": None if self.assurance is None else self.assurance.to_json(),
            "steps": [step.to_json(self.checked_at) for step in self.steps],
        }


def _as_of(result: StepResult) -> int | None:
    if isinstance(result, UnavailableError):
        return getattr(result, "as_of", None)
    return result if type(result) is int else None


def _step(number: int, result: StepResult) -> Step:
    if result is None:
        return _PLAIN[Outcome.PASSED][number - 1]
    name = STEP_NAMES[number - 1]
    if isinstance(result, UnavailableError):
        return Step(number, name, Outcome.UNAVAILABLE, result, _as_of(result))
    if isinstance(result, SeoulWalletError):
        return Step(number, name, Outcome.REJECTED, result)
    if isinstance(result, SignatureOn):
        return Step(number, name, Outcome.PASSED, None, None, result)
    if isinstance(result, Outcome):
        return Step(number, name, result)
    return Step(number, name, Outcome.PASSED, None, result)
