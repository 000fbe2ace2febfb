"""A career as of a day: time in work counts once, and what each employment was."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from issuer.register.career import CareerRecord, Employment
from issuer.register.csv_evidence import MAX_EMPLOYMENTS, evidence_to_csv, parse_evidence_csv

ON = date(2026, 6, 1)


def employment(starts: str, ends: str | None, **changes: Any) -> Employment:
    given: dict[str, Any] = {"employer": "합성 도서관", "job": "자료 정리", "weekly_hours": 20}
    last = None if ends is None else date.fromisoformat(ends)
    return Employment(
        **{**given, "starts_on": date.fromisoformat(starts), "ends_on": last, **changes}
    )


def months(*times: tuple[str, str | None], on: date = ON) -> int:
    found: int = CareerRecord(tuple(employment(*item) for item in times)).claims(on)[
        "total_months"
    ]
    return found


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((("2025-01-01", "2025-12-31"),), 12),
        # odd days count thirty to the month
        ((("2025-01-01", "2025-12-30"),), 12),
        ((("2025-01-01", "2025-12-29"),), 11),
        ((("2025-01-15", "2025-02-14"),), 1),
        ((("2025-01-15", "2025-02-12"),), 0),
        # a month that is too short for the day ends with its last one
        ((("2025-01-31", "2025-02-27"),), 1),
        ((("2025-01-31", "2025-02-26"),), 0),
        # fifteen days and fifteen days are a month, and fourteen beside them are not
        ((("2025-01-01", "2025-01-15"), ("2025-03-01", "2025-03-15")), 1),
        ((("2025-01-01", "2025-01-15"), ("2025-03-01", "2025-03-14")), 0),
        # two at a time count once, and one inside another not at all
        ((("2025-01-01", "2025-06-30"), ("2025-04-01", "2025-09-30")), 9),
        ((("2025-01-01", "2025-12-31"), ("2025-03-01", "2025-05-31")), 12),
        # what follows on the next day is one time, what follows a day later is two
        ((("2025-01-31", "2025-02-28"), ("2025-03-01", "2025-03-30")), 2),
        ((("2025-01-01", "2025-01-31"), ("2025-02-02", "2025-02-28")), 1),
        # what lasts counts up to the day
        ((("2025-06-02", None),), 12),
        ((("2025-06-03", None),), 12),
        ((("2025-06-04", None),), 11),
        ((("2026-06-02", None),), 0),
        ((), 0),
    ],
)
def test_months_in_work(times: tuple[tuple[str, str | None], ...], expected: int) -> None:
    assert months(*times) == expected


def test_a_career_names_the_newest_first_and_says_who_is_in_work() -> None:
    record = CareerRecord(
        (
            employment("2020-01-01", "2020-12-31", employer="합성 카페"),
            employment("2024-01-01", None),
            employment("2027-01-01", None, employer="합성 물류"),
        )
    )
    said = record.claims(ON)
    assert (said["as_of"], said["at_work"], said["last_ended_on"]) == ("2026-06-01", True, None)
    assert said["first_started_on"] == "2020-01-01"
    assert [item["employer"] for item in said["employments"]] == ["합성 도서관", "합성 카페"]
    assert said["employments"][0]["ends_on"] is None


@pytest.mark.parametrize(("ends_on", "at_work"), [(ON, True), (ON - timedelta(days=1), False)])
def test_the_last_day_of_work_is_one_of_work(ends_on: date, at_work: bool) -> None:
    said = CareerRecord((employment("2024-01-01", ends_on.isoformat()),)).claims(ON)
    assert said["at_work"] is at_work
    assert said["last_ended_on"] == (None if at_work else ends_on.isoformat())
    assert (said["employments"][0]["ends_on"] is None) is at_work


def test_an_end_that_is_still_to_come_is_not_told() -> None:
    said = CareerRecord((employment("2026-01-01", "2027-01-01"),)).claims(ON)
    assert (said["at_work"], said["total_months"]) == (True, 5)
    assert said["employments"][0]["ends_on"] is None


def test_who_has_not_worked_has_a_career_without_employments() -> None:
    said = CareerRecord(()).claims(ON)
    assert said["employments"] == []
    assert (said["total_months"], said["at_work"], said["first_started_on"]) == (0, False, None)


ROW = {
    "employer": "합성 도서관",
    "job": "자료 정리",
    "starts_on": date(2024, 1, 1),
    "ends_on": None,
    "weekly_hours": 20,
}


def parsed(*rows: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    records, report = parse_evidence_csv(
        "career", evidence_to_csv("career", [("SYN-P-1", {**ROW, **row}) for row in rows])
    )
    return dict(records), report


def test_a_file_has_a_row_for_every_employment() -> None:
    records, report = parsed({}, {"ends_on": date(2024, 6, 30), "employer": "합성 카페"})
    assert report.bad_rows == ()
    said = records["SYN-P-1"].claims(ON)
    assert {item["employer"] for item in said["employments"]} == {"합성 도서관", "합성 카페"}


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ({"ends_on": date(2023, 12, 31)}, "ends_on", "ends_before_it_begins"),
        ({"weekly_hours": "x"}, "weekly_hours", "not_a_number"),
    ],
)
def test_of_a_person_with_a_bad_row_no_career_is_served(
    row: dict[str, Any], column: str, reason: str
) -> None:
    records, report = parsed({}, row)
    assert records == {}
    assert [(item.column, item.reason) for item in report.bad_rows] == [(column, reason)]


def test_a_career_that_a_certificate_has_no_room_for_is_not_served_in_part() -> None:
    records, _ = parsed(*({} for _ in range(MAX_EMPLOYMENTS)))
    assert len(records["SYN-P-1"].claims(ON)["employments"]) == MAX_EMPLOYMENTS
    records, report = parsed(*({} for _ in range(MAX_EMPLOYMENTS + 1)))
    assert (records, report.withheld) == ({}, 1)
