"""The borders of the card rule as families with fixed ids, on whatever day is asked.

What is expected of each holds under the version of the rule with the youngest at most 18.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from issuer.register.card_rule import RefusalReason
from issuer.register.model import GuardianRelation
from seoul_wallet.sample.families import FamilyPlan, Home, Origin

_SEOUL: Final = Home.SEOUL
_OUTSIDE: Final = Home.OUTSIDE
_TOGETHER: Final = (_SEOUL, _SEOUL)


@dataclass(frozen=True, slots=True)
class BorderCase:
    """A family at a border: granted when `reasons` is empty, else refused for exactly these."""

    family_id: str
    plan: FamilyPlan
    reasons: tuple[RefusalReason, ...]


def border_cases(on: date) -> tuple[BorderCase, ...]:
    """Return the cases as of `on`, in a fixed order with the same ids on every day."""
    return (*_cases_of_age(on), *_cases_of_place(on), *_cases_of_kinship(on))


def years_before(day: date, years: int) -> date:
    """Return the date `years` earlier; 29 February goes back to the 28th of a common year."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def latest_leap_day(on: date) -> date:
    """Return the last 29 February that is not after `on`."""
    year = on.year
    while True:
        try:
            leap_day = date(year, 2, 29)
        except ValueError:
            year -= 1
            continue
        if leap_day <= on:
            return leap_day
        year -= 1


def _cases_of_age(on: date) -> tuple[BorderCase, ...]:
    too_old = (RefusalReason.YOUNGEST_TOO_OLD,)
    tomorrow, yesterday = on + timedelta(days=1), on - timedelta(days=1)
    # Nobody turns 19 on a 29 February: who was born on the next day comes closest.
    turns_tomorrow = years_before(tomorrow, 19)
    if (tomorrow.month, tomorrow.day) == (2, 29):
        turns_tomorrow += timedelta(days=1)
    return (
        _aged("SYN-F-YOUNGEST-19-TOMORROW", (years_before(on, 22), turns_tomorrow)),
        _aged("SYN-F-YOUNGEST-19-TODAY", (years_before(on, 22), years_before(on, 19)), too_old),
        _aged(
            "SYN-F-YOUNGEST-19-YESTERDAY",
            (years_before(on, 22), years_before(yesterday, 19)),
            too_old,
        ),
        _aged("SYN-F-LEAP-DAY", (years_before(latest_leap_day(on), 3), latest_leap_day(on))),
        _aged("SYN-F-BORN-TODAY", (years_before(on, 3), on)),
        _aged("SYN-F-AGED-20-AND-15", (years_before(on, 20), years_before(on, 15))),
        _aged(
            "SYN-F-THREE-GROWN-UP",
            (years_before(on, 25), years_before(on, 22), years_before(on, 20)),
            too_old,
        ),
        _aged("SYN-F-TWO-CHILDREN", (years_before(on, 9), years_before(on, 6))),
        _aged("SYN-F-ONE-CHILD", (years_before(on, 9),), (RefusalReason.TOO_FEW_CHILDREN,)),
        _aged("SYN-F-TWINS", (years_before(on, 7), years_before(on, 7))),
    )


def _cases_of_place(on: date) -> tuple[BorderCase, ...]:
    parent_away = (RefusalReason.PARENT_NOT_IN_SEOUL,)
    child_away = (RefusalReason.CHILD_NOT_IN_SEOUL,)
    away, home = (_OUTSIDE, _OUTSIDE), _TOGETHER
    apart = (Home.SECOND_IN_SEOUL, Home.SECOND_IN_SEOUL)
    unknown = (Home.UNKNOWN, Home.UNKNOWN)
    incomplete = (RefusalReason.REGISTER_INCOMPLETE,)
    return (
        _placed("SYN-F-APART-WITHIN-SEOUL", apart, home, on),
        _placed("SYN-F-ONE-PARENT-OUTSIDE", (_SEOUL, _OUTSIDE), home, on),
        _placed("SYN-F-PARENTS-OUTSIDE", away, home, on, parent_away),
        _placed("SYN-F-SINGLE-PARENT-OUTSIDE", (_OUTSIDE,), home, on, parent_away),
        _placed("SYN-F-CHILDREN-OUTSIDE", (_SEOUL, _OUTSIDE), away, on, child_away),
        _placed("SYN-F-ONE-CHILD-OUTSIDE", home, (_OUTSIDE, _SEOUL), on, child_away),
        _placed("SYN-F-ALL-OUTSIDE", away, away, on, parent_away + child_away),
        _placed("SYN-F-CHILDREN-UNKNOWN", home, unknown, on, incomplete),
        _placed("SYN-F-PARENTS-UNKNOWN", unknown, home, on, incomplete),
    )


def _cases_of_kinship(on: date) -> tuple[BorderCase, ...]:
    births = (years_before(on, 11), years_before(on, 8))
    grandparent = GuardianRelation.GRANDPARENT_GUARDIAN
    adoptive = GuardianRelation.ADOPTIVE_PARENT
    foreign, mixed = Origin.FOREIGN, Origin.MIXED
    plans = {
        "SYN-F-ADOPTED-CHILD": FamilyPlan(_TOGETHER, births, _TOGETHER, adopted=1),
        "SYN-F-ADOPTIVE-PARENTS": FamilyPlan(_TOGETHER, births, _TOGETHER, adoptive, adopted=2),
        "SYN-F-GRANDPARENT": FamilyPlan((_SEOUL,), births, _TOGETHER, grandparent),
        "SYN-F-FOREIGNERS": FamilyPlan(_TOGETHER, births, _TOGETHER, origin=foreign),
        "SYN-F-FOREIGN-PARENT": FamilyPlan(_TOGETHER, births, _TOGETHER, origin=mixed),
    }
    return tuple(BorderCase(family_id, plan, ()) for family_id, plan in plans.items())


def _aged(
    family_id: str, births: tuple[date, ...], reasons: tuple[RefusalReason, ...] = ()
) -> BorderCase:
    return BorderCase(family_id, FamilyPlan(_TOGETHER, births, (_SEOUL,) * len(births)), reasons)


def _placed(
    family_id: str,
    guardian_homes: tuple[Home, ...],
    child_homes: tuple[Home, ...],
    on: date,
    reasons: tuple[RefusalReason, ...] = (),
) -> BorderCase:
    births = (years_before(on, 12), years_before(on, 10))
    return BorderCase(family_id, FamilyPlan(guardian_homes, births, child_homes), reasons)
