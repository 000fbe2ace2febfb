"""What the registers of evidence know about the children of synthetic families."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from issuer.register.model import Child, Family
from seoul_wallet.sample.draw import Draw
from seoul_wallet.sample.residents import Resident
from wallet.encoding.json import JsonObject

_GROUPS: Final = ("basic_livelihood", "near_poor", "north_korean_defector_child", "single_parent")
_MEDIAN_YEARS: Final = (2022, 2026)


def make_children(families: Iterable[Family], *, seed: int, on: date) -> Iterator[Resident]:
    """Yield the children whose registration is known as residents, as of `on`.

    The same arguments give the same children on every machine. The income of a family's
    household is the same for all of its children.
    """
    for family in families:
        income = _income(Draw(f"income {seed} {on.isoformat()} {family.family_id}"), on)
        for child in family.children:
            residence = _residence(child, on)
            if residence is None:
                continue
            draw = Draw(f"child {seed} {on.isoformat()} {child.person.register_id}")
            groups = [draw.pick(_GROUPS)] if draw.chance(30) else []
            rows: dict[str, tuple[JsonObject, ...]] = {
                "residence": (residence,),
                "income": (income,),
                "welfare": ({"groups": groups},),
            }
            yield Resident(child.person.register_id, rows)


def _residence(child: Child, on: date) -> JsonObject | None:
    person, registration = child.person, child.registration
    if registration is None or person.birth_date > on:
        return None
    home = registration.household.address
    return {
        "birth_date": person.birth_date,
        "registration_kind": person.registration_kind.value,
        "first_day": max(person.birth_date, on - timedelta(days=1000)),
        "last_day": None,
        "city_or_province": home.city_or_province,
        "district": home.district,
    }


def _income(draw: Draw, on: date) -> JsonObject:
    first, last = _MEDIAN_YEARS
    return {
        "median_year": min(max(on.year, first), last),
        "household_size": draw.integer(3, 6),
        "monthly_income_won": draw.integer(0, 900) * 10_000,
    }
