"""Families and CSV rows for these tests, each with one thing changed by the test."""

from collections.abc import Mapping
from datetime import date

from issuer.register.csv_families import FAMILY_COLUMNS
from issuer.register.model import (
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

SEOUL_ADDRESS = Address("서울특별시", "종로구", "자하문로 1, 101호 (청운동)", "03047")
OTHER_SEOUL_ADDRESS = Address("서울특별시", "강남구", "테헤란로 2, 202호 (역삼동)", "06130")
GYEONGGI_ADDRESS = Address("경기도", "하남시", "대청로 3, 303호 (신장동)", "12950")


def registration(address: Address | None) -> Registration | None:
    if address is None:
        return None
    return Registration(Household(f"H-{address.postal_code}", address), HouseholdRelation.HEAD)


def guardian(
    register_id: str,
    address: Address | None,
    relation: GuardianRelation = GuardianRelation.PARENT,
    kind: RegistrationKind = RegistrationKind.RESIDENT,
) -> Guardian:
    person = Person(register_id, "견본부모", date(1980, 1, 1), kind)
    return Guardian(person, relation, registration(address))


def child(
    register_id: str,
    birth_date: date,
    address: Address | None = SEOUL_ADDRESS,
    relation: ChildRelation = ChildRelation.BIRTH,
    kind: RegistrationKind = RegistrationKind.RESIDENT,
) -> Child:
    return Child(
        Person(register_id, "견본자녀", birth_date, kind), relation, registration(address)
    )


def family(guardians: list[Guardian], children: list[Child]) -> Family:
    return Family("F-1", tuple(guardians), tuple(children), synthetic=True)


def family_born(*birth_dates: date) -> Family:
    """A family in Seoul with children born on these days."""
    children = [child(f"C-{number}", day) for number, day in enumerate(birth_dates)]
    return family([guardian("G-1", SEOUL_ADDRESS)], children)


ROW: Mapping[str, str] = {
    "synthetic": "SYNTHETIC",
    "family_id": "SYN-F-1",
    "family_members": "1",
    "register_id": "SYN-P-1",
    "name": "홍길동",
    "birth_date": "1980-01-31",
    "registration_kind": "resident",
    "family_relation": "parent",
    "household_id": "SYN-H-1",
    "household_relation": "head",
    "city_or_province": "서울특별시",
    "district": "종로구",
    "street": "자하문로 1 (청운동)",
    "postal_code": "03047",
}


def families_csv(*rows: Mapping[str, str]) -> bytes:
    """A file of `ROW`s, each with its changes; values are quoted and not checked."""
    lines = [",".join(FAMILY_COLUMNS)]
    for changes in rows:
        fields = {**ROW, **changes}
        quoted = (fields[column].replace('"', '""') for column in FAMILY_COLUMNS)
        lines.append(",".join(f'"{value}"' for value in quoted))
    return "\n".join([*lines, ""]).encode()
