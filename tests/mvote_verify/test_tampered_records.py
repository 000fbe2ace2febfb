"""Every tampered record is named by the check that is there for it, and by no other."""

import pytest

from mvote_verify.plan import Status
from mvote_verify.texts import CODES
from tests.mvote_verify.conftest import Verify
from tests.support.mvote import tampered_ballots, tampered_logs, tampered_results
from tests.support.mvote.elections import Election
from tests.support.mvote.records import Files
from tests.support.mvote.tampering import CASES, Case

TABLES = (tampered_logs, tampered_ballots, tampered_results)
"""Importing them fills `CASES`."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_names_what_was_tampered_with(
    case: Case, election: Election, honest: Files, verify: Verify
) -> None:
    results = verify(case.tamper(election, honest)).results
    failed = {n: r.code for n, r in results.items() if r.status is Status.FAILED}
    assert failed == case.caught
    assert set(failed.values()) <= CODES.keys()


def test_accepts_the_record_that_nobody_tampered_with(honest: Files, verify: Verify) -> None:
    verification = verify(honest)
    assert not verification.failed
    skipped = {n for n, r in verification.results.items() if r.status is Status.SKIPPED}
    assert skipped == {6, 16, 18, 20}
