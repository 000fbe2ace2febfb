"""The tests that a rule is made of. Each answers true, false, or which facts it lacks.

A test is a value made at load; `check` gets the facts by key and the day, and returns a boolean,
or the keys of the facts that would settle it. Nothing here loops over more than a fact's own list
or the few steps of a table, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Protocol

from wallet.eligibility.days import add_months, birthday, last_day_at_age

FactValues = Mapping[str, Any]
# What a test lacks; never empty.
Lacking = tuple[str, ...]


class Test(Protocol):
    """One test on facts."""

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """Return whether it holds on that day, or the keys of the facts that would tell."""


class Unit(StrEnum):
    """What a period is counted in."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"

    def after(self, day: date, count: int) -> date:
        """Return the day that is `count` units later."""
        if self is Unit.DAYS:
            return day + timedelta(days=count)
        if self is Unit.WEEKS:
            return day + timedelta(weeks=count)
        if self is Unit.MONTHS:
            return add_months(day, count)
        return birthday(day, count)


@dataclass(frozen=True, slots=True)
class Extension:
    """A table that raises an age limit: from `steps[i][0]` of the fact on, by `steps[i][1]` years.

    Steps ascend in both; below the first there is none.
    """

    by: str
    steps: tuple[tuple[int, int], ...]

    def years(self, value: int) -> int:
        """Return the years that `value` adds."""
        return max((years for least, years in self.steps if value >= least), default=0)


@dataclass(frozen=True, slots=True)
class AgeTest:
    """Age in full years on the day, both ends inclusive: `youngest` from its birthday on,
    `oldest` until the eve of the next. The extension's fact is asked for only where it matters.
    """

    of: str
    youngest: int | None
    oldest: int | None
    extension: Extension | None = None

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        born = facts.get(self.of)
        if born is None:
            return (self.of,)
        if born > on or (self.youngest is not None and on < birthday(born, self.youngest)):
            return False
        if self.oldest is None or on <= last_day_at_age(born, self.oldest):
            return True
        if self.extension is None:
            return False
        if on > last_day_at_age(born, self.oldest + self.extension.steps[-1][1]):
            return False
        value = facts.get(self.extension.by)
        if value is None:
            return (self.extension.by,)
        return on <= last_day_at_age(born, self.oldest + self.extension.years(value))


@dataclass(frozen=True, slots=True)
class ElapsedTest:
    """Time since a day that is not in the future; the day on which a limit is reached counts."""

    since: str
    unit: Unit
    at_least: int | None
    at_most: int | None

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        since = facts.get(self.since)
        if since is None:
            return (self.since,)
        if since > on:
            return False
        if self.at_least is not None and on < self.unit.after(since, self.at_least):
            return False
        return self.at_most is None or on <= self.unit.after(since, self.at_most)


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A whole number between limits, both inclusive."""

    of: str
    at_least: int | None
    at_most: int | None

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        value = facts.get(self.of)
        if value is None:
            return (self.of,)
        if self.at_least is not None and value < self.at_least:
            return False
        return self.at_most is None or value <= self.at_most


@dataclass(frozen=True, slots=True)
class DayTest:
    """A day between limits, both inclusive."""

    of: str
    first: date | None
    last: date | None

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        value = facts.get(self.of)
        if value is None:
            return (self.of,)
        if self.first is not None and value < self.first:
            return False
        return self.last is None or value <= self.last


@dataclass(frozen=True, slots=True)
class MemberTest:
    """A text that is one of some, or a list of texts that has one of them."""

    of: str
    values: frozenset[str]

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        value = facts.get(self.of)
        if value is None:
            return (self.of,)
        if type(value) is str:
            return value in self.values
        return not self.values.isdisjoint(value)


@dataclass(frozen=True, slots=True)
class IsTest:
    """A boolean that is as it should be."""

    of: str
    value: bool

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        value = facts.get(self.of)
        return (self.of,) if value is None else value is self.value


@dataclass(frozen=True, slots=True)
class IncomeTest:
    """A household's income of at most `percent` of the median of a year, judged by its band.

    The band says over which percentage the income is and up to which. A band on both sides of
    the limit, or of another year, settles nothing: a more precise document does.
    """

    year: str
    over: str
    up_to: str
    percent: int
    median_year: int

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        lacking = tuple(key for key in (self.year, self.over, self.up_to) if key not in facts)
        if lacking:
            return lacking
        if facts[self.year] != self.median_year:
            return (self.year,)
        if facts[self.up_to] <= self.percent:
            return True
        if facts[self.over] >= self.percent:
            return False
        return (self.up_to,)


@dataclass(frozen=True, slots=True)
class Window:
    """When an earlier receipt counts. All None: once in a life.

    `calendar_year`: in the year of the day. `months`: for so long after it. `first`, `last`: from
    one day to another, both inclusive.
    """

    calendar_year: bool = False
    months: int | None = None
    first: date | None = None
    last: date | None = None

    def counts(self, received: date, on: date) -> bool:
        """Return whether what was received on that day stands in the way on day `on`."""
        if self.calendar_year:
            return received.year >= on.year
        if self.months is not None:
            return on < add_months(received, self.months)
        if self.first is not None and self.last is not None:
            return self.first <= received <= self.last
        return True


@dataclass(frozen=True, slots=True)
class NoneReceivedTest:
    """Nothing was received in the window. An empty list says so; a missing one says nothing."""

    of: tuple[str, ...]
    window: Window

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        for key in self.of:
            for received in facts.get(key, ()):
                if self.window.counts(received, on):
                    return False
        lacking = tuple(key for key in self.of if key not in facts)
        return lacking or True


@dataclass(frozen=True, slots=True)
class ShownTest:
    """Something was shown, whatever it says."""

    of: str

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        """See `Test.check`."""
        return True if self.of in facts else (self.of,)
