"""The electoral roll (선거인 명부) of one epoch: who may vote, where, and for whom they count.

Taken on one day and then fixed, so that a re-issued voting credential says what the first one
said. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

from issuer.calendar import end_of
from issuer.register.model import SEOUL_DISTRICTS, parse_register_id
from issuer.register.port import MAX_CHUNK
from wallet.crypto.transcript import digest
from wallet.eligibility.days import birthday
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject

VOTING_AGE: Final = 14
# The first five digits of the 법정동코드.
DISTRICT_CODES: Final[Mapping[str, str]] = {
    "종로구": "11110",
    "중구": "11140",
    "용산구": "11170",
    "성동구": "11200",
    "광진구": "11215",
    "동대문구": "11230",
    "중랑구": "11260",
    "성북구": "11290",
    "강북구": "11305",
    "도봉구": "11320",
    "노원구": "11350",
    "은평구": "11380",
    "서대문구": "11410",
    "마포구": "11440",
    "양천구": "11470",
    "강서구": "11500",
    "구로구": "11530",
    "금천구": "11545",
    "영등포구": "11560",
    "동작구": "11590",
    "관악구": "11620",
    "서초구": "11650",
    "강남구": "11680",
    "송파구": "11710",
    "강동구": "11740",
}
if DISTRICT_CODES.keys() != SEOUL_DISTRICTS:
    raise AssertionError("every district has a code")


class Stratum(StrEnum):
    """For whom a resident's ballot counts: everybody is a citizen unless appointed."""

    CITIZEN = "citizen"
    COMMITTEE = "committee"
    BUDGET_SCHOOL = "budget_school"


@dataclass(frozen=True, slots=True)
class Voter:
    """A resident on the roll. `district` is the code; `taken_on` the day of the roll."""

    register_id: str
    birth_date: date
    district: str
    stratum: Stratum
    taken_on: date
    synthetic: bool

    def __post_init__(self) -> None:
        parse_register_id(self.register_id)

    @property
    def is_over_14(self) -> bool:
        """Whether the resident was 14 on the day of the roll; it does not change afterwards."""
        return birthday(self.birth_date, VOTING_AGE) <= self.taken_on


class ElectoralRoll(Protocol):
    """The voters of an epoch by register id."""

    def voters(self, *, chunk_size: int = MAX_CHUNK) -> Iterator[tuple[Voter, ...]]:
        """Return all voters in chunks, as `FamilyRegister.families` does."""

    def voter(self, register_id: str) -> Voter:
        """Return one voter. Raises `SubjectUnknown`, `RegisterUnavailable`."""


@dataclass(frozen=True, slots=True)
class Census:
    """What the manifest says of the roll: `people` by stratum value, and a commitment to it.

    `taken_at` (unix seconds) is the end of the day of the roll in Seoul.
    """

    taken_at: int
    digest: bytes
    people: Mapping[str, int]

    def to_json(self) -> JsonObject:
        """Return the member `census` of a manifest."""
        return {
            "taken_at": self.taken_at,
            "digest": self.digest.hex(),
            "people": dict(self.people),
        }


def take_census(
    voters: Iterable[Voter],
    *,
    epoch: str,
    salt: bytes,
    is_counted: Callable[[Voter], bool],
) -> Census | None:
    """Return the census of a roll, None of one without voters.

    `people` has the strata of those counted and no others; the digest is of the whole roll, under
    a salt of 32 bytes without which nobody can try out rolls.
    """
    people: dict[str, int] = {}
    hashed = sha256()
    taken_on: date | None = None
    for voter in sorted(voters, key=lambda item: item.register_id):
        taken_on = voter.taken_on
        row = [voter.register_id, voter.birth_date.isoformat(), voter.district, voter.stratum]
        hashed.update(jcs.canonicalize(row) + b"\n")
        if is_counted(voter):
            people[voter.stratum.value] = people.get(voter.stratum.value, 0) + 1
    if taken_on is None:
        return None
    commitment = digest("census", salt, epoch.encode(), hashed.digest())
    return Census(end_of(taken_on), commitment, dict(sorted(people.items())))
