"""From the claims that a rule shall see to the rows that registers must hold for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from issuer.guardianship import GUARDIANSHIP
from issuer.register.model import (
    SEOUL,
    Address,
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
from tests.support.city import PERSON, Rows
from wallet.eligibility.benefit_key import BENEFIT_KEY
from wallet.eligibility.days import parse_day
from wallet.eligibility.evidence_types import FactType, evidence_types
from wallet.eligibility.median_income import median_incomes
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject

FAMILY = "SYN-F-1"
# Where a programme asks for a guardianship, the evidence is about a child of this guardian.
GUARDIAN = "SYN-G-1"
_FILLERS: Mapping[FactType, Any] = {
    FactType.DATE: "2020-01-01",
    FactType.INTEGER: 1,
    FactType.BOOLEAN: False,
}


def register_rows(programme: Programme, claims: JsonObject, on: date) -> Rows:
    """Return the rows of a person of whom the evidence says `claims`, by kind."""
    rows: dict[str, list[tuple[str, JsonObject]]] = {}
    for name, said in claims.items():
        kind = programme.evidence[name].type.name
        if kind in ("residence", BENEFIT_KEY):
            rows["residence"] = _residence(said, on)
        elif kind == "income":
            rows[kind] = [(PERSON, _income(said))]
        elif kind == "receipts":
            rows[kind] = _receipts(said)
        elif kind not in ("family-relation", GUARDIANSHIP):
            rows[kind] = [(PERSON, _plain(kind, said))]
    return rows


def _residence(said: JsonObject, on: date) -> list[tuple[str, JsonObject]]:
    in_seoul = said.get("seoul_resident", True)
    since = parse_day(said.get("seoul_since")) or on - timedelta(days=1000)
    head = {
        "birth_date": said.get("birth_date", "1990-01-01"),
        "registration_kind": said.get("registration_kind", "resident"),
    }
    before = {
        "first_day": since - timedelta(days=400),
        "last_day": since - timedelta(days=1),
        "city_or_province": "경기도",
        "district": "수원시",
    }
    now = {
        "first_day": since,
        "last_day": None,
        "city_or_province": SEOUL if in_seoul else "경기도",
        "district": said.get("district") or ("마포구" if in_seoul else "수원시"),
    }
    return [(PERSON, {**head, **before}), (PERSON, {**head, **now})]


def _income(said: JsonObject) -> JsonObject:
    median = median_incomes().median(said["median_year"], 3)
    return {
        "median_year": said["median_year"],
        "household_size": 3,
        "monthly_income_won": median * said["percent_up_to"] // 100,
    }


def _receipts(said: JsonObject) -> list[tuple[str, JsonObject]]:
    return [
        (PERSON, {"as_of": said["as_of"], "programme": name, "received_on": day})
        for name, days in said["received"].items()
        for day in (days or [None])
    ]


def _plain(kind: str, said: JsonObject) -> JsonObject:
    return {
        claim.name: said[claim.name]
        if claim.name in said
        else (claim.values[0] if claim.values else _FILLERS.get(claim.type, "중구"))
        for claim in evidence_types().by_name[kind].claims.values()
    }


def families_of(programme: Programme, claims: JsonObject) -> list[Family]:
    """Return the families of which the family register says what `claims` say of families."""
    kinds = {name: programme.evidence[name].type.name for name in claims}
    families = [
        family_of(said) for name, said in claims.items() if kinds[name] == "family-relation"
    ]
    if GUARDIANSHIP in kinds.values():
        (born,) = (said["birth_date"] for said in claims.values() if "birth_date" in said)
        families.append(_family_of_ward(date.fromisoformat(born)))
    return families


def _registration(in_seoul: bool, relation: HouseholdRelation) -> Registration:
    if in_seoul:
        home = Household("SYN-H-1", Address(SEOUL, "중구", "합성로 1", "04524"))
    else:
        home = Household("SYN-H-2", Address("경기도", "수원시", "합성로 2", "16200"))
    return Registration(home, relation)


def _family_of_ward(born: date) -> Family:
    child = Child(
        Person(PERSON, "김합성", born, RegistrationKind.RESIDENT),
        ChildRelation.BIRTH,
        _registration(True, HouseholdRelation.CHILD),
    )
    guardian = Guardian(
        Person(GUARDIAN, "김합성이", date(1970, 1, 1), RegistrationKind.RESIDENT),
        GuardianRelation.PARENT,
        _registration(True, HouseholdRelation.HEAD),
    )
    return Family(FAMILY, (guardian,), (child,), synthetic=True)


def family_of(said: JsonObject) -> Family:
    """Return a family of which the family register says `said` to its guardian `PERSON`."""
    youngest = date.fromisoformat(said["youngest_birth_date"])
    children = tuple(
        Child(
            Person(f"SYN-C-{number}", "김합성", born, RegistrationKind.RESIDENT),
            ChildRelation.BIRTH,
            _registration(said["children_in_seoul"], HouseholdRelation.CHILD),
        )
        for number in range(1, said["child_count"] + 1)
        for born in [youngest - timedelta(days=500 * (number - 1))]
    )
    guardian = Guardian(
        Person(PERSON, "김합성이", date(1970, 1, 1), RegistrationKind.RESIDENT),
        GuardianRelation(said["role"]),
        _registration(said["guardian_in_seoul"], HouseholdRelation.HEAD),
    )
    return Family(FAMILY, (guardian,), children, synthetic=True)
