"""Calendar arithmetic of rules: birthdays, months, and the day that it is in Seoul."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta, timezone
from typing import Final

SEOUL: Final = timezone(timedelta(hours=9), "Asia/Seoul")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2199


def seoul_day(now: int) -> date:
    """Return the day that it is in Seoul at `now` (unix seconds)."""
    return datetime.fromtimestamp(now, SEOUL).date()


def seoul_midnight(day: date) -> int:
    """Return the moment at which a day begins in Seoul, unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SEOUL).timestamp())


def parse_day(value: object) -> date | None:
    """Return the day of an ISO 8601 calendar date (YYYY-MM-DD, 1900 to 2199), else None."""
    if type(value) is not str or not _DAY.match(value):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def birthday(birth_date: date, age: int) -> date:
    """Return the day on which someone reaches `age` full years.

    Who was born on 29 February reaches it on 1 March of a common year: the period ends with the
    last day of February (민법 §160③), and the age is reached on the day after.
    """
    try:
        return birth_date.replace(year=birth_date.year + age)
    except ValueError:
        return date(birth_date.year + age, 3, 1)


def last_day_at_age(birth_date: date, age: int) -> date:
    """Return the last day on which someone is `age` years old: the eve of the next birthday."""
    return birthday(birth_date, age + 1) - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or the last of a month that is too short."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
