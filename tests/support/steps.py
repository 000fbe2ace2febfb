"""Which step of a verification decides, and what the steps around it say."""

import pytest

from tests.support.credentials import (
    NOW,
)
from wallet.errors import SeoulWalletError, UnavailableError
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import (
    check_presentation,
    verify_presentation,
)
from wallet.verification.policy import VerificationPolicy
from wallet.verification.report import STEP_NAMES, Outcome, VerificationReport


def failed_step(report: VerificationReport) -> tuple[str, type[SeoulWalletError]]:
    """Return the name and error class of the step that decides."""
    failure = report.failure
    assert failure is not None
    step = next(step for step in report.steps if step.error is failure)
    return step.name, type(failure)


def assert_only_step_fails(
    presentation: str,
    evidence: Evidence,
    rules: VerificationPolicy,
    name: str,
    error: type[SeoulWalletError],
    now: int = NOW,
) -> None:
    report = check_presentation(presentation, evidence, rules, now=now)
    assert failed_step(report) == (name, error)
    position = STEP_NAMES.index(name)
    assert all(
        step.outcome in (Outcome.PASSED, Outcome.NOT_REQUIRED) for step in report.steps[:position]
    )
    if not issubclass(error, UnavailableError):
        assert all(step.outcome is Outcome.NOT_REACHED for step in report.steps[position + 1 :])
    with pytest.raises(error):
        verify_presentation(presentation, evidence, rules, now=now)
