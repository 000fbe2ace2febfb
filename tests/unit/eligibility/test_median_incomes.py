"""The table of median incomes says where each figure was read, and which were not."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

from wallet.eligibility.days import parse_day
from wallet.eligibility.marked_yaml import parse_marked_yaml
from wallet.eligibility.median_income import median_incomes

TABLE: dict[str, Any] = parse_marked_yaml(
    (files("wallet.eligibility") / "median_income.yaml").read_bytes()
).value
YEARS = sorted(TABLE["years"])


@pytest.mark.parametrize("year", YEARS)
def test_every_year_names_pages_with_their_day(year: str) -> None:
    item = TABLE["years"][year]
    assert item["read_at"]
    for page in item["read_at"]:
        assert set(page) == {"page", "day", "note"}
        day = parse_day(page["day"])
        assert day is not None
        assert day.year in (int(year) - 1, int(year))


@pytest.mark.parametrize("year", YEARS)
def test_every_size_is_marked_as_checked_or_not(year: str) -> None:
    item = TABLE["years"][year]
    assert sorted(item["checked"] + item["unchecked"]) == list(range(1, len(item["sizes"]) + 1))
    assert median_incomes().unchecked[int(year)] == tuple(item["unchecked"])


@pytest.mark.parametrize("year", YEARS)
def test_sizes_ascend_and_every_further_member_adds_the_last_step(year: str) -> None:
    item = TABLE["years"][year]
    assert item["sizes"] == sorted(set(item["sizes"]))
    assert item["each_further"] == item["sizes"][-1] - item["sizes"][-2]


def test_medians_grow_from_year_to_year() -> None:
    for size in range(7):
        medians = [TABLE["years"][year]["sizes"][size] for year in YEARS]
        assert medians == sorted(set(medians))


def test_households_of_seven_of_the_last_years_are_known_second_hand_alone() -> None:
    assert not any(median_incomes().unchecked.values())
    second_hand = {
        year
        for year in YEARS
        if any(page["page"].startswith("second hand") for page in TABLE["years"][year]["read_at"])
    }
    assert second_hand == {"2025", "2026"}
