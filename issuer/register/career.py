"""What a register knows of a person's work, as the claims of a career certificate. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from wallet.eligibility.days import add_months
from wallet.encoding.json import JsonObject

DAYS_OF_A_MONTH: Final = 30


@dataclass(frozen=True, slots=True)
class Employment:
    """One employment, both days inclusive; `ends_on` is None while it lasts."""

    employer: str
    job: str
    starts_on: date
    ends_on: date | None
    weekly_hours: int

    def to_json(self, on: date) -> JsonObject:
        """Return the record of a certificate of that day: an end in the future is none yet."""
        ended = None if self.ends_on is None or self.ends_on >= on else self.ends_on
        return {
            "employer": self.employer,
            "job": self.job,
            "starts_on": self.starts_on.isoformat(),
            "ends_on": None if ended is None else ended.isoformat(),
            "weekly_hours": self.weekly_hours,
        }


@dataclass(frozen=True, slots=True)
class CareerRecord:
    """A person's employments, in no particular order; several at a time are possible."""

    employments: tuple[Employment, ...]

    def claims(self, on: date) -> JsonObject:
        """Return the claims as of that day, the latest employment first.

        `total_months` counts time in work once, however many employments there were at a time;
        the odd days of separate times are added up, thirty of them a month.
        """
        begun = sorted(
            (item for item in self.employments if item.starts_on <= on),
            key=lambda item: (item.starts_on, item.employer, item.job),
            reverse=True,
        )
        at_work = any(item.ends_on is None or item.ends_on >= on for item in begun)
        ends = [item.ends_on for item in begun if item.ends_on is not None]
        return {
            "as_of": on.isoformat(),
            "total_months": _months(begun, on),
            "first_started_on": begun[-1].starts_on.isoformat() if begun else None,
            "last_ended_on": max(ends).isoformat() if ends and not at_work else None,
            "at_work": at_work,
            "employments": [item.to_json(on) for item in begun],
        }


def _months(begun: Sequence[Employment], on: date) -> int:
    months = days = 0
    for first, last in _times_in_work(begun, on):
        whole = _whole_months(first, last)
        months += whole
        days += (last + timedelta(days=1) - add_months(first, whole)).days
    return months + days // DAYS_OF_A_MONTH


def _times_in_work(begun: Sequence[Employment], on: date) -> list[tuple[date, date]]:
    """Return the times in which there was some employment, joined where they touch."""
    joined: list[tuple[date, date]] = []
    for item in sorted(begun, key=lambda item: item.starts_on):
        last = min(item.ends_on or on, on)
        if joined and item.starts_on <= joined[-1][1] + timedelta(days=1):
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((item.starts_on, last))
    return joined


def _whole_months(first: date, last: date) -> int:
    end = last + timedelta(days=1)
    months = (end.year - first.year) * 12 + end.month - first.month
    return months if add_months(first, months) <= end else months - 1
