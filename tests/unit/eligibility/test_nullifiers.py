"""Periods, contexts and the benefit key: what makes a person count once, and where."""

from __future__ import annotations

from datetime import date

import pytest

from wallet.eligibility.benefit_key import (
    BENEFIT_EPOCH,
    benefit_key_type,
    sector_claim,
    valid_until,
)
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import seoul_day, seoul_midnight
from wallet.eligibility.evidence_types import evidence_types
from wallet.eligibility.nullifier import Period, group_context, period_of, programme_context

YEAR, LIFE = Window(calendar_year=True), Window()
SPAN = Window(first=date(2026, 3, 1), last=date(2026, 8, 31))
A, B = "did:web:a.example", "did:web:b.example"


@pytest.mark.parametrize(
    ("window", "on", "period"),
    [
        (YEAR, date(2026, 1, 1), Period("2026", date(2027, 1, 1))),
        (YEAR, date(2026, 12, 31), Period("2026", date(2027, 1, 1))),
        (YEAR, date(2027, 1, 1), Period("2027", date(2028, 1, 1))),
        (LIFE, date(2026, 6, 1), Period("lifetime", None)),
        (SPAN, date(2026, 6, 1), Period("2026-03-01/2026-08-31", date(2026, 9, 1))),
        (Window(months=12), date(2026, 2, 28), Period("12 months", date(2027, 2, 28))),
        (Window(months=1), date(2026, 1, 31), Period("1 months", date(2026, 2, 28))),
    ],
)
def test_the_period_of_a_claim_is_one_that_everybody_shares(
    window: Window, on: date, period: Period
) -> None:
    assert period_of(window, on) == period


def test_every_agency_programme_period_and_kind_has_a_context_of_its_own() -> None:
    this, next_ = Period("2026", None), Period("2027", None)
    contexts = [
        programme_context(A, "fare", this),
        programme_context(B, "fare", this),
        programme_context(A, "rent", this),
        programme_context(A, "fare", next_),
        group_context(A, "fare", this),
    ]
    assert len(set(contexts)) == len(contexts)


def test_no_name_runs_into_the_next_one() -> None:
    period = Period("2026", None)
    assert programme_context('a","b', "c", period) != programme_context("a", 'b","c', period)


@pytest.mark.parametrize(
    ("on", "last"),
    [
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 3, 1), date(2026, 3, 31)),
        (date(2026, 3, 2), date(2026, 6, 30)),
        (date(2026, 6, 15), date(2026, 9, 30)),
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 12, 2), date(2027, 3, 31)),
        (date(2027, 12, 31), date(2028, 3, 31)),
    ],
)
def test_a_benefit_key_ends_with_a_quarter_that_is_a_month_away_at_least(
    on: date, last: date
) -> None:
    assert valid_until(on) == last


def test_the_benefit_key_has_one_identifier_for_every_sector_and_an_epoch_that_is_no_year() -> (
    None
):
    claims = benefit_key_type().claims
    assert {sector_claim(sector) for sector in evidence_types().sectors} <= set(claims)
    assert not BENEFIT_EPOCH.isdigit()


def test_midnight_in_seoul_begins_the_day() -> None:
    begins = seoul_midnight(date(2027, 1, 1))
    assert seoul_day(begins) == date(2027, 1, 1)
    assert seoul_day(begins - 1) == date(2026, 12, 31)
