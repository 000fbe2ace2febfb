"""What registers know about a person, as the claims of evidence. Pure.

A residence credential is drawn from a history of addresses, an income band from an amount: the
claims say what rules need, and the register keeps the rest.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, Protocol

from issuer.register.model import SEOUL, Child, Family, Guardian, RegistrationKind
from issuer.register.port import SubjectUnknown
from wallet.eligibility.median_income import median_incomes
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError

MIN_SECTOR_KEY_BYTES: Final = 32
_SECTOR_ID_BYTES: Final = 16


class EvidenceIncomplete(ConflictError):
    """The register lacks a fact that this evidence states: a document is needed first."""

    code = "evidence_incomplete"


class EvidenceRecord(Protocol):
    """What one register knows about one person."""

    def claims(self, on: date) -> JsonObject:
        """Return the claims of the evidence as of that day. May raise `EvidenceIncomplete`."""


class EvidenceRegister(Protocol):
    """Evidence about people, by kind. One answer comes from one state of the registers."""

    def claims(self, kind: str, subject_id: str, holder_id: str, on: date) -> JsonObject:
        """Return the claims of one piece of evidence, without `sector_id`.

        `kind` is a name of `wallet.eligibility.evidence_types`. The subject is a person, or a
        family for `family-relation`; the holder is the person that the evidence is about. Raises
        `SubjectUnknown`, `EvidenceIncomplete`, `RegisterUnavailable`.
        """

    def sector_id(self, sector: str, holder_id: str) -> str:
        """Return by what a person is known in a sector. Raises `RegisterUnavailable`."""


def sector_id(key: bytes, sector: str, register_id: str) -> str:
    """Return a person's identifier in one sector: without the key, those of two cannot be joined.

    The key is the city's; every department that issues evidence has the same one.
    """
    tag = hmac.new(key, f"{sector}\0{register_id}".encode(), sha256).digest()
    return base64url.encode(tag[:_SECTOR_ID_BYTES])


@dataclass(frozen=True, slots=True)
class PlainRecord:
    """A register row that says what the evidence says."""

    values: JsonObject

    def claims(self, on: date) -> JsonObject:
        return dict(self.values)


@dataclass(frozen=True, slots=True)
class ResidencePeriod:
    """An address in the history, both days inclusive; `last` is None for the present one."""

    first: date
    last: date | None
    city_or_province: str
    district: str

    def covers(self, on: date) -> bool:
        return self.first <= on and (self.last is None or on <= self.last)


@dataclass(frozen=True, slots=True)
class ResidenceRecord:
    """A person's registration and addresses, in order of time and without overlap."""

    birth_date: date
    registration_kind: RegistrationKind
    history: tuple[ResidencePeriod, ...]

    def claims(self, on: date) -> JsonObject:
        """Return the claims; "since" goes back over addresses that follow without a gap."""
        in_seoul = [item for item in self.history if item.city_or_province == SEOUL]
        current = next((item for item in in_seoul if item.covers(on)), None)
        district = None if current is None else current.district
        return {
            "birth_date": self.birth_date.isoformat(),
            "registration_kind": self.registration_kind.value,
            "seoul_resident": current is not None,
            "seoul_since": _since(in_seoul, on),
            "district": district,
            "district_since": _since([item for item in in_seoul if item.district == district], on),
        }


def _since(periods: Sequence[ResidencePeriod], on: date) -> str | None:
    first: date | None = None
    for period in reversed(periods):
        if first is None:
            first = period.first if period.covers(on) else None
        elif period.last is not None and period.last >= first - timedelta(days=1):
            first = min(first, period.first)
        else:
            break
    return None if first is None else first.isoformat()


@dataclass(frozen=True, slots=True)
class IncomeRecord:
    """A household's monthly income, judged against the median of a year."""

    median_year: int
    household_size: int
    monthly_income_won: int

    def claims(self, on: date) -> JsonObject:
        """Return the band, never the amount."""
        band = median_incomes().band(
            self.median_year, self.household_size, self.monthly_income_won
        )
        return {
            "median_year": band.median_year,
            "household_size": band.household_size,
            "percent_over": band.percent_over,
            "percent_up_to": band.percent_up_to,
        }


@dataclass(frozen=True, slots=True)
class ReceiptsRecord:
    """Which benefits a person received and when, by programme; an empty list says: none."""

    as_of: date
    received: Mapping[str, tuple[date, ...]]

    def claims(self, on: date) -> JsonObject:
        return {
            "as_of": self.as_of.isoformat(),
            "received": {
                name: [day.isoformat() for day in days] for name, days in self.received.items()
            },
        }


def family_claims(family: Family, holder_id: str, on: date) -> JsonObject:
    """Return what a guardian may show of the family. Children of any age count, unborn do not.

    Raises `SubjectUnknown` for who is no guardian of it, `EvidenceIncomplete` when a registration
    or every child is missing: the register does not know, and evidence must not guess.
    """
    holder = next(
        (item for item in family.guardians if item.person.register_id == holder_id), None
    )
    if holder is None:
        raise SubjectUnknown("the person is no parent or guardian of this family")
    children = [child for child in family.children if child.person.birth_date <= on]
    if not children:
        raise EvidenceIncomplete("the register lists no child of this family")
    members: tuple[Guardian | Child, ...] = (holder, *children)
    homes = {_household(member) for member in members}
    return {
        "role": holder.relation.value,
        "guardian_in_seoul": _in_seoul(holder),
        "children_in_seoul": all([_in_seoul(child) for child in children]),
        "child_count": len(children),
        "youngest_birth_date": max(child.person.birth_date for child in children).isoformat(),
        "same_household": len(homes) == 1,
    }


def _household(member: Guardian | Child) -> str:
    if member.registration is None:
        raise EvidenceIncomplete("the register lacks a registration of this family")
    return member.registration.household.household_id


def _in_seoul(member: Guardian | Child) -> bool:
    if member.registration is None:
        raise EvidenceIncomplete("the register lacks a registration of this family")
    return member.registration.household.address.is_in_seoul
