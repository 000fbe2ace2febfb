"""Synthetic residents: what every register of evidence knows about each, and its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from issuer.register.csv_evidence import SECTOR_KEY_FILE, evidence_kinds, evidence_to_csv
from issuer.register.model import SEOUL, SEOUL_DISTRICTS
from seoul_wallet.sample.draw import Draw
from seoul_wallet.sample.register import replace_file
from wallet.crypto.hashing import sha256
from wallet.eligibility.days import add_months, birthday
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject

MAX_RESIDENTS: Final = 1_000_000
PROGRAMMES: Final = (
    "youth-allowance",
    "youth-fare",
    "maternity-fare",
    "national-employment-support",
    "youth-rent",
    "youth-moving",
    "culture-pass",
)
_DISTRICTS: Final = tuple(sorted(SEOUL_DISTRICTS))
_ELSEWHERE: Final = (("경기도", "수원시"), ("인천광역시", "연수구"), ("부산광역시", "해운대구"))
_WORKING_AGE: Final = 15
_EMPLOYERS: Final = ("합성 공공일자리", "합성 도서관", "합성 카페", "합성 물류", "합성 어린이집")
_JOBS: Final = ("한강공원 안내", "자료 정리", "음료 제조", "상품 분류", "보육 보조")
_GROUPS: Final = (
    "basic_livelihood",
    "near_poor",
    "national_merit",
    "north_korean_defector_child",
    "single_parent",
    "disabled",
    "multi_child",
    "senior",
)


@dataclass(frozen=True, slots=True)
class Resident:
    """One invented person: rows of values by kind of evidence, as the registers' files hold them.

    A kind that is not there has not been registered.
    """

    register_id: str
    rows: dict[str, tuple[JsonObject, ...]]


def make_residents(*, seed: int, count: int, on: date) -> Iterator[Resident]:
    """Yield residents as of `on`; the same arguments give the same people on every machine.

    Many are drawn onto limits: birthdays today and tomorrow, six months of residence to the day.
    """
    if not 0 <= count <= MAX_RESIDENTS:
        raise ValueError(f"from 0 to {MAX_RESIDENTS} residents")
    draw = Draw(f"residents {seed} {on.isoformat()}")
    for number in range(1, count + 1):
        rows = _rows(draw, on)
        # Draws of its own: what is added here changes nobody else.
        career = _career(Draw(f"career {seed} {on.isoformat()} {number}"), rows, on)
        yield Resident(f"SYN-R-{number:07}", {**rows, **career})


def _rows(draw: Draw, on: date) -> dict[str, tuple[JsonObject, ...]]:
    rows: dict[str, tuple[JsonObject, ...]] = {"residence": _residence(draw, on)}
    for kind, percent, make in (
        ("income", 85, _income),
        ("employment", 80, _employment),
        ("schooling", 80, _schooling),
        ("military-service", 50, _military),
        ("pregnancy", 15, _pregnancy),
        ("lease", 70, _lease),
        ("welfare", 70, _welfare),
        ("receipts", 85, _receipts),
        ("move-in", 30, _move),
    ):
        if draw.chance(percent):
            rows[kind] = make(draw, on)
    return rows


def _career(
    draw: Draw, rows: Mapping[str, tuple[JsonObject, ...]], on: date
) -> dict[str, tuple[JsonObject, ...]]:
    """Return the row of every employment, newest last: one that lasts if somebody is in work."""
    of_age = birthday(rows["residence"][0]["birth_date"], _WORKING_AGE)
    (work,) = rows.get("employment", (None,))
    ends: date | None = on - timedelta(days=draw.integer(1, 400))
    if work is not None and work["work_status"] == "employed":
        ends = None
    employments: list[JsonObject] = []
    for _ in range(draw.integer(0, 4)):
        starts = (ends or on) - timedelta(days=draw.integer(20, 1500))
        if starts < of_age:
            break
        employments.append(
            {
                "employer": draw.pick(_EMPLOYERS),
                "job": draw.pick(_JOBS),
                "starts_on": starts,
                "ends_on": ends,
                "weekly_hours": draw.integer(10, 40),
            }
        )
        ends = starts - timedelta(days=draw.integer(1, 200))
    return {"career": tuple(reversed(employments))} if employments else {}


def _birth_date(draw: Draw, on: date) -> date:
    age = draw.integer(1, 80) if draw.chance(40) else draw.integer(13, 43)
    born = birthday(on, -age)
    # A third have their birthday today, tomorrow or yesterday.
    shift = draw.integer(-1, 1) if draw.chance(33) else draw.integer(-180, 180)
    return born + timedelta(days=shift)


def _residence(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    born = _birth_date(draw, on)
    kind = "foreigner_registration" if draw.chance(8) else "resident"
    months = 6 if draw.chance(20) else draw.integer(0, 60)
    moved = add_months(on, -months) + timedelta(days=draw.integer(-1, 1))
    homes = [_home(draw), _home(draw)]
    gap = timedelta(days=draw.integer(1, 3) if draw.chance(70) else draw.integer(30, 90))
    before = moved - gap
    first = before - timedelta(days=draw.integer(100, 2000))
    return tuple(
        {
            "birth_date": born,
            "registration_kind": kind,
            "first_day": start,
            "last_day": end,
            "city_or_province": city,
            "district": district,
        }
        for (city, district), start, end in zip(homes, (first, moved), (before, None), strict=True)
    )


def _home(draw: Draw) -> tuple[str, str]:
    if draw.chance(75):
        return SEOUL, draw.pick(_DISTRICTS)
    return draw.pick(_ELSEWHERE)


def _income(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    year = on.year if draw.chance(90) else on.year - 1
    return (
        {
            "median_year": min(max(year, 2022), 2026),
            "household_size": draw.integer(1, 6),
            "monthly_income_won": draw.integer(0, 1200) * 10_000,
        },
    )


def _employment(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    at_work = draw.chance(60)
    return (
        {
            "as_of": _recent(draw, on),
            "work_status": "employed" if at_work else "unemployed",
            "weekly_hours": draw.integer(5, 45) if at_work else 0,
            "contract_months": draw.integer(1, 36) if at_work else 0,
            "workplace_in_seoul": at_work and draw.chance(70),
        },
    )


def _recent(draw: Draw, on: date) -> date:
    days = draw.integer(29, 31) if draw.chance(20) else draw.integer(0, 40)
    return on - timedelta(days=days)


def _schooling(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    return (
        {
            "enrolment": draw.pick(("enrolled", "on_leave", "graduated", "left")),
            "level": draw.pick(("elementary", "middle", "high", "university", "graduate")),
            "since": on - timedelta(days=draw.integer(10, 3000)),
            "school_in_seoul": draw.chance(60),
        },
    )


def _military(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    return ({"service_months": draw.pick((0, 1, 11, 12, 18, 21, 23, 24, 36))},)


def _pregnancy(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    delivered = draw.chance(40)
    weeks = 12 if draw.chance(30) else draw.integer(5, 40)
    counted = on - timedelta(weeks=weeks, days=draw.integer(-1, 1))
    born = add_months(on, -draw.integer(0, 6)) + timedelta(days=draw.integer(-1, 0))
    if delivered:
        counted = born - timedelta(weeks=draw.integer(36, 41))
    return (
        {
            "stage": "delivered" if delivered else "pregnant",
            "counted_from": counted,
            "delivered_on": born if delivered else None,
        },
    )


def _lease(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    deposit, rent = draw.integer(1, 80) * 1_000_000, draw.integer(20, 90) * 10_000
    return (
        {
            "owns_home": draw.chance(25),
            "deposit_won": deposit,
            "monthly_rent_won": rent,
            "deal_won": deposit + 100 * rent * draw.integer(1, 3),
            "moved_in_on": on - timedelta(days=draw.integer(0, 700)),
        },
    )


def _welfare(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    chosen = [group for group in _GROUPS if draw.chance(8)]
    return ({"groups": chosen},)


def _receipts(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    as_of = _recent(draw, on)
    rows = []
    for programme in PROGRAMMES:
        if draw.chance(4):
            continue  # the register does not cover this programme for this person
        received = None
        if draw.chance(12):
            received = on - timedelta(days=draw.integer(0, 900))
        rows.append({"as_of": as_of, "programme": programme, "received_on": received})
    return tuple(rows) or ({"as_of": as_of, "programme": PROGRAMMES[0], "received_on": None},)


def _move(draw: Draw, on: date) -> tuple[JsonObject, ...]:
    days = draw.integer(13, 15) if draw.chance(30) else draw.integer(0, 500)
    moved = on - timedelta(days=days)
    to_seoul = draw.chance(80)
    return (
        {
            "moved_on": moved,
            "reported_on": moved + timedelta(days=draw.integer(0, 14)),
            "from_district": draw.pick(_DISTRICTS) if draw.chance(60) else "수원시",
            "to_district": draw.pick(_DISTRICTS) if to_seoul else "수원시",
            "to_seoul": to_seoul,
        },
    )


def evidence_files(residents: Sequence[Resident], *, seed: int) -> dict[str, bytes]:
    """Return the registers' files of these residents, a key for their sector ids included."""
    files = {
        f"{kind}.csv": evidence_to_csv(
            kind,
            (
                (resident.register_id, row)
                for resident in residents
                for row in resident.rows.get(kind, ())
            ),
        )
        for kind in evidence_kinds()
    }
    files[SECTOR_KEY_FILE] = base64url.encode(sha256(f"synthetic {seed}".encode())).encode()
    return files


def write_evidence(directory: Path, residents: Sequence[Resident], *, seed: int) -> None:
    """Write the files, each replaced at once: a service may be reading. Raises `OSError`."""
    for name, content in evidence_files(residents, seed=seed).items():
        replace_file(directory, name, content)
