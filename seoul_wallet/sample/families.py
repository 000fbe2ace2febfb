"""Families from plans: a plan says who lives in which home, the maker draws the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, auto
from typing import Final

from issuer.register.model import (
    Child,
    ChildRelation,
    Family,
    Guardian,
    GuardianRelation,
    Household,
    HouseholdRelation,
    Person,
    Registration,
    RegistrationKind,
)
from seoul_wallet.sample import names, places
from seoul_wallet.sample.draw import Draw

DAYS_PER_YEAR: Final = 365.2425
# Then a name may occur twice in a family: registers hold that too.
_NAME_DRAWS: Final = 20


class Home(Enum):
    """The homes a family may have. Who shares a value shares an address."""

    SEOUL = auto()
    SECOND_IN_SEOUL = auto()
    OUTSIDE = auto()
    UNKNOWN = auto()


class Origin(Enum):
    """Who of the family is registered as a foreigner: nobody, the second guardian, everybody."""

    KOREAN = auto()
    MIXED = auto()
    FOREIGN = auto()


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """What matters to the rule. Birth dates and homes of children go together, oldest first.

    The last `adopted` children are adopted.
    """

    guardian_homes: tuple[Home, ...]
    child_birth_dates: tuple[date, ...]
    child_homes: tuple[Home, ...]
    guardian_relation: GuardianRelation = GuardianRelation.PARENT
    adopted: int = 0
    origin: Origin = Origin.KOREAN


@dataclass(frozen=True, slots=True)
class _SharedNames:
    """The surnames of one family, and the full names that are taken in it."""

    korean: str
    foreign: names.ForeignNames
    taken: set[str]


class FamilyMaker:
    """Turns plans into families; numbers people and households as it goes."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._people = 0
        self._households = 0
        self._seoul_turn = 0

    def make(self, family_id: str, plan: FamilyPlan) -> Family:
        surname, foreign = names.korean_surname(self._draw), names.foreign_names(self._draw)
        shared = _SharedNames(surname, foreign, set())
        homes = _Homes(self, plan)
        guardians = tuple(
            Guardian(
                self._guardian(plan, position, shared),
                plan.guardian_relation,
                homes.register_guardian(home),
            )
            for position, home in enumerate(plan.guardian_homes)
        )
        born = len(plan.child_birth_dates) - plan.adopted
        children = tuple(
            Child(
                self._person(birth_date, shared, foreign=plan.origin is Origin.FOREIGN),
                ChildRelation.BIRTH if position < born else ChildRelation.ADOPTED,
                homes.register_child(home),
            )
            for position, (birth_date, home) in enumerate(
                zip(plan.child_birth_dates, plan.child_homes, strict=True)
            )
        )
        return Family(family_id, guardians, children, synthetic=True)

    def household(self, home: Home) -> Household:
        self._households += 1
        if home is Home.OUTSIDE:
            address = places.address_outside(self._draw)
        else:
            address = places.seoul_address(self._draw, self._seoul_turn)
            self._seoul_turn += 1
        return Household(f"SYN-H-{self._households:06}", address)

    def _guardian(self, plan: FamilyPlan, position: int, shared: _SharedNames) -> Person:
        grandparent = plan.guardian_relation is GuardianRelation.GRANDPARENT_GUARDIAN
        age_at_birth = self._draw.integer(45, 62) if grandparent else self._draw.integer(21, 39)
        days = int(age_at_birth * DAYS_PER_YEAR) + self._draw.integer(0, 364)
        foreign = plan.origin is Origin.FOREIGN or (
            plan.origin is Origin.MIXED and position == len(plan.guardian_homes) - 1
        )
        if position > 0:  # who marries keeps the own surname
            shared = replace(shared, korean=names.korean_surname(self._draw))
        return self._person(min(plan.child_birth_dates) - timedelta(days), shared, foreign=foreign)

    def _person(self, birth_date: date, shared: _SharedNames, *, foreign: bool) -> Person:
        self._people += 1
        for _ in range(_NAME_DRAWS):
            if foreign:
                name = names.foreign_name(self._draw, shared.foreign)
            else:
                name = names.korean_name(self._draw, shared.korean)
            if name not in shared.taken:
                break
        shared.taken.add(name)
        kind = RegistrationKind.FOREIGNER if foreign else RegistrationKind.RESIDENT
        return Person(f"SYN-P-{self._people:06}", name, birth_date, kind)


class _Homes:
    """The households of one family, made when the first member moves in."""

    def __init__(self, maker: FamilyMaker, plan: FamilyPlan) -> None:
        self._maker = maker
        self._households: dict[Home, Household] = {}
        self._with_guardian = frozenset(plan.guardian_homes)
        self._as_child = (
            HouseholdRelation.GRANDCHILD
            if plan.guardian_relation is GuardianRelation.GRANDPARENT_GUARDIAN
            else HouseholdRelation.CHILD
        )

    def register_guardian(self, home: Home) -> Registration | None:
        first = home not in self._households
        return self._register(home, HouseholdRelation.HEAD if first else HouseholdRelation.SPOUSE)

    def register_child(self, home: Home) -> Registration | None:
        # Away from its guardians a child lives with a relative who is not of the family.
        with_guardian = home in self._with_guardian
        return self._register(
            home, self._as_child if with_guardian else HouseholdRelation.COHABITANT
        )

    def _register(self, home: Home, relation: HouseholdRelation) -> Registration | None:
        if home is Home.UNKNOWN:
            return None
        if home not in self._households:
            self._households[home] = self._maker.household(home)
        return Registration(self._households[home], relation)


_PLANS_OF_HOMES: Final = {
    # (first guardian, second guardian, children): weight
    (Home.SEOUL, Home.SEOUL, Home.SEOUL): 700,
    (Home.SEOUL, Home.SECOND_IN_SEOUL, Home.SEOUL): 40,
    (Home.SECOND_IN_SEOUL, Home.SECOND_IN_SEOUL, Home.SEOUL): 10,
    (Home.SEOUL, Home.OUTSIDE, Home.SEOUL): 50,
    (Home.SEOUL, Home.OUTSIDE, Home.OUTSIDE): 35,
    (Home.OUTSIDE, Home.OUTSIDE, Home.SEOUL): 10,
    (Home.OUTSIDE, Home.OUTSIDE, Home.OUTSIDE): 130,
    (Home.SEOUL, Home.SEOUL, Home.UNKNOWN): 15,
}


def draw_plan(draw: Draw, on: date) -> FamilyPlan:
    """Draw an ordinary family as of `on`; about two in three are eligible for the card."""
    children = draw.weighted({1: 12, 2: 63, 3: 20, 4: 5})
    first, second, of_children = draw.weighted(_PLANS_OF_HOMES)
    relation = draw.weighted(
        {
            GuardianRelation.PARENT: 93,
            GuardianRelation.ADOPTIVE_PARENT: 2,
            GuardianRelation.GRANDPARENT_GUARDIAN: 5,
        }
    )
    homes = [of_children] * children
    if draw.chance(2):
        homes[0] = Home.OUTSIDE
    adopted = children if relation is GuardianRelation.ADOPTIVE_PARENT else 0
    return FamilyPlan(
        (first,) if draw.chance(12) else (first, second),
        _draw_birth_dates(draw, on, children),
        tuple(homes),
        relation,
        1 if adopted == 0 and draw.chance(2) else adopted,
        draw.weighted({Origin.KOREAN: 91, Origin.MIXED: 5, Origin.FOREIGN: 4}),
    )


def _draw_birth_dates(draw: Draw, on: date, children: int) -> tuple[date, ...]:
    ages = (0, 18) if draw.chance(94) else (19, 24)
    birth = on - timedelta(int(draw.integer(*ages) * DAYS_PER_YEAR) + draw.integer(0, 364))
    births = [birth]
    while len(births) < children:
        if not draw.chance(3):  # else a twin
            birth -= timedelta(draw.integer(300, 1600))
        births.append(birth)
    return tuple(reversed(births))
