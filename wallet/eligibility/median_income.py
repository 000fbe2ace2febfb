"""The table of median incomes by year and household size, and the bands that evidence states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from wallet.eligibility.marked_yaml import parse_marked_yaml
from wallet.errors import MalformedError

MAX_HOUSEHOLD: Final = 30
# The end of the open band.
NO_UPPER_PERCENT: Final = 10_000


class MedianIncomeUnknown(MalformedError):
    """The table has no median income for this year or household size."""

    code = "median_income_unknown"


@dataclass(frozen=True, slots=True)
class IncomeBand:
    """An income of over `percent_over` and up to `percent_up_to` percent of a year's median."""

    median_year: int
    household_size: int
    percent_over: int
    percent_up_to: int


@dataclass(frozen=True, slots=True)
class MedianIncomes:
    """Monthly medians in won. `years` holds those of sizes 1, 2, … and what each further adds.

    `unchecked` has, for every year, the sizes whose figure was found on no page that the file
    names: they are as they were handed down.
    """

    years: Mapping[int, tuple[tuple[int, ...], int]]
    bands: tuple[int, ...]
    unchecked: Mapping[int, tuple[int, ...]]

    def median(self, year: int, household_size: int) -> int:
        """Return the monthly median in won. Raises `MedianIncomeUnknown`."""
        if year not in self.years or not 1 <= household_size <= MAX_HOUSEHOLD:
            raise MedianIncomeUnknown("no median income of that year and household size")
        sizes, each_further = self.years[year]
        if household_size <= len(sizes):
            return sizes[household_size - 1]
        return sizes[-1] + each_further * (household_size - len(sizes))

    def band(self, year: int, household_size: int, monthly_income_won: int) -> IncomeBand:
        """Return the band that a household's monthly income is in.

        An income of exactly a limit is in the band below it. Raises `MedianIncomeUnknown`.
        """
        median = self.median(year, household_size)
        over = 0
        for percent in self.bands:
            if monthly_income_won * 100 <= percent * median:
                return IncomeBand(year, household_size, over, percent)
            over = percent
        return IncomeBand(year, household_size, over, NO_UPPER_PERCENT)


@cache
def median_incomes() -> MedianIncomes:
    """Return the table that comes with this library."""
    data = (files("wallet.eligibility") / "median_income.yaml").read_bytes()
    value = parse_marked_yaml(data).value
    return MedianIncomes(
        {
            int(year): (tuple(item["sizes"]), item["each_further"])
            for year, item in value["years"].items()
        },
        tuple(value["bands"]),
        {int(year): tuple(item["unchecked"]) for year, item in value["years"].items()},
    )
