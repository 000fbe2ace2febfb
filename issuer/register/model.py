"""The facts a register holds, as frozen values. Pure; checks only the shape of identifiers.

A family says who belongs to whom (가족관계등록부), a registration who lives where (주민등록,
외국인등록). The two are kept apart because the rules ask them separately: a family may live at
several addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from wallet.errors import MalformedError

SEOUL: Final = "서울특별시"
SEOUL_DISTRICTS: Final = frozenset(
    (
        "강남구",
        "강동구",
        "강북구",
        "강서구",
        "관악구",
        "광진구",
        "구로구",
        "금천구",
        "노원구",
        "도봉구",
        "동대문구",
        "동작구",
        "마포구",
        "서대문구",
        "서초구",
        "성동구",
        "성북구",
        "송파구",
        "양천구",
        "영등포구",
        "용산구",
        "은평구",
        "종로구",
        "중구",
        "중랑구",
    )
)
SEJONG: Final = "세종특별자치시"
CITIES_AND_PROVINCES: Final = frozenset(
    (
        SEOUL,
        SEJONG,
        "부산광역시",
        "대구광역시",
        "인천광역시",
        "광주광역시",
        "대전광역시",
        "울산광역시",
        "경기도",
        "강원특별자치도",
        "충청북도",
        "충청남도",
        "전북특별자치도",
        "전라남도",
        "경상북도",
        "경상남도",
        "제주특별자치도",
    )
)
MAX_ID_CHARACTERS: Final = 64

# A letter first, so that no run of digits such as a 주민등록번호 can serve as an identifier.
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_RESIDENT_NUMBER = re.compile(r"(?<![0-9])[0-9]{6} ?-? ?[0-9]{7}(?![0-9])")


class RegisterIdMalformed(MalformedError):
    """An identifier of a person, family, household or appointment has the wrong shape."""

    code = "register_id_malformed"


class AppointmentTermMalformed(MalformedError):
    """The term of an appointment ends before it begins."""

    code = "appointment_term_malformed"


def parse_register_id(text: str) -> str:
    """Return `text` if it can be an identifier of the register.

    Capital letters and digits in groups joined by `-`, a letter first, at most
    `MAX_ID_CHARACTERS`, and no group of digits that could be a 주민등록번호 or 외국인등록번호.
    Raises `RegisterIdMalformed`, which does not repeat the text.
    """
    if len(text) > MAX_ID_CHARACTERS or not _ID.fullmatch(text) or holds_resident_number(text):
        raise RegisterIdMalformed("an identifier is capital letters, digits and hyphens")
    return text


def holds_resident_number(text: str) -> bool:
    """Say whether `text` contains the shape of a 주민등록번호 or 외국인등록번호 (6 + 7 digits)."""
    return _RESIDENT_NUMBER.search(text) is not None


class RegistrationKind(StrEnum):
    """Under which act a person is registered at an address."""

    RESIDENT = "resident"
    FOREIGNER = "foreigner_registration"


class HouseholdRelation(StrEnum):
    """What a member is to the head of the household (세대주와의 관계)."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    COHABITANT = "cohabitant"


class GuardianRelation(StrEnum):
    """What an adult of the family is to its children."""

    PARENT = "parent"
    ADOPTIVE_PARENT = "adoptive_parent"
    GRANDPARENT_GUARDIAN = "grandparent_guardian"


class ChildRelation(StrEnum):
    """How a child came into the family. The card treats both alike."""

    BIRTH = "birth_child"
    ADOPTED = "adopted_child"


@dataclass(frozen=True, slots=True)
class Person:
    """One registered person. `register_id` is opaque and never a 주민등록번호."""

    register_id: str
    name: str
    birth_date: date
    registration_kind: RegistrationKind

    def __post_init__(self) -> None:
        parse_register_id(self.register_id)


@dataclass(frozen=True, slots=True)
class Address:
    """A 도로명주소: 시도, 시군구 (empty in 세종 only), the rest, the five-digit postal code."""

    city_or_province: str
    district: str
    street: str
    postal_code: str

    @property
    def is_in_seoul(self) -> bool:
        return self.city_or_province == SEOUL


@dataclass(frozen=True, slots=True)
class Household:
    """A 세대: people registered together at one address."""

    household_id: str
    address: Address


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a person is registered, and as what in that household."""

    household: Household
    relation: HouseholdRelation


@dataclass(frozen=True, slots=True)
class Guardian:
    """A parent or guardian. `registration` is None when the register does not know it."""

    person: Person
    relation: GuardianRelation
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class Child:
    """A child of the family, of any age. `registration` is None when it is not known."""

    person: Person
    relation: ChildRelation
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class Family:
    """Parents or guardians and all their children, in the order of the register.

    `synthetic` says that nobody in it exists.
    """

    family_id: str
    guardians: tuple[Guardian, ...]
    children: tuple[Child, ...]
    synthetic: bool

    def __post_init__(self) -> None:
        parse_register_id(self.family_id)


@dataclass(frozen=True, slots=True)
class Appointment:
    """What an appointment letter (위촉장) states. `term_until` is the last day, inclusive."""

    appointment_id: str
    name: str
    post: str
    organisation: str
    term_from: date
    term_until: date
    serial: str
    seal_text: str
    signer_title: str
    synthetic: bool

    def __post_init__(self) -> None:
        parse_register_id(self.appointment_id)
        if self.term_until < self.term_from:
            raise AppointmentTermMalformed("the term ends before it begins")
