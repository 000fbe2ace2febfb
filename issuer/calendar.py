"""Days of the calendar in Seoul (UTC+9, no summer time), from and to unix seconds."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Final

SEOUL: Final = timezone(timedelta(hours=9), "Asia/Seoul")


def seoul_day(now: int) -> date:
    """Return the day that it is in Seoul at `now`."""
    return datetime.fromtimestamp(now, SEOUL).date()


def start_of(day: date) -> int:
    """Return the unix second at which `day` begins in Seoul."""
    return int(datetime.combine(day, time(), SEOUL).timestamp())


def end_of(day: date) -> int:
    """Return the first unix second after `day` in Seoul: an `exp` that lets the day count."""
    return start_of(day + timedelta(days=1))
