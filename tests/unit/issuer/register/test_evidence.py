"""What registers know, as the claims of evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from issuer.register.csv_evidence import (
    SECTOR_KEY_FILE,
    CsvEvidenceRegister,
    columns_of,
    evidence_kinds,
    evidence_to_csv,
    parse_evidence_csv,
)
from issuer.register.csv_register import CsvFamilyRegister
from issuer.register.csv_table import RegisterFileMalformed
from issuer.register.evidence import (
    EvidenceIncomplete,
    ResidencePeriod,
    ResidenceRecord,
    family_claims,
    sector_id,
)
from issuer.register.model import RegistrationKind
from issuer.register.port import RegisterUnavailable, SubjectUnknown
from seoul_wallet.sample.residents import (
    evidence_files,
    make_residents,
    never_received,
    write_evidence,
)
from tests.support.registers import FAMILY, family_of
from wallet.credentials.sd_jwt import NEVER_DISCLOSABLE
from wallet.eligibility.evidence_types import evidence_types

ON = date(2024, 3, 1)
SEOUL, GYEONGGI = "서울특별시", "경기도"


def residence(*periods: tuple[str, str | None, str, str]) -> dict[str, Any]:
    history = tuple(
        ResidencePeriod(
            date.fromisoformat(first),
            None if last is None else date.fromisoformat(last),
            city,
            district,
        )
        for first, last, city, district in periods
    )
    record = ResidenceRecord(date(1990, 1, 1), RegistrationKind.RESIDENT, history)
    return record.claims(ON)


def test_residence_goes_back_over_moves_within_seoul() -> None:
    found = residence(
        ("2020-01-01", "2022-05-31", SEOUL, "중구"),
        ("2022-06-01", "2023-01-31", SEOUL, "마포구"),
        ("2023-02-01", None, SEOUL, "중구"),
    )
    assert found["seoul_resident"] is True
    assert found["seoul_since"] == "2020-01-01"
    assert (found["district"], found["district_since"]) == ("중구", "2023-02-01")


@pytest.mark.parametrize(
    ("ended", "since"), [("2022-05-31", "2020-01-01"), ("2022-05-30", "2022-06-01")]
)
def test_a_gap_of_a_day_breaks_the_residence(ended: str, since: str) -> None:
    found = residence(("2020-01-01", ended, SEOUL, "중구"), ("2022-06-01", None, SEOUL, "중구"))
    assert found["seoul_since"] == since


def test_who_lived_elsewhere_in_between_starts_anew() -> None:
    found = residence(
        ("2020-01-01", "2021-12-31", SEOUL, "중구"),
        ("2022-01-01", "2022-01-31", GYEONGGI, "수원시"),
        ("2022-02-01", None, SEOUL, "중구"),
    )
    assert found["seoul_since"] == "2022-02-01"


def test_who_left_seoul_is_no_resident() -> None:
    found = residence(
        ("2020-01-01", "2024-02-29", SEOUL, "중구"), ("2024-03-01", None, GYEONGGI, "수원시")
    )
    assert (found["seoul_resident"], found["seoul_since"], found["district"]) == (
        False,
        None,
        None,
    )


CARD = {
    "role": "parent",
    "guardian_in_seoul": True,
    "children_in_seoul": False,
    "child_count": 2,
    "youngest_birth_date": "2020-01-01",
}


def test_a_split_family_is_told_as_one() -> None:
    found = family_claims(family_of(CARD), "SYN-P-1", ON)
    assert found == {**CARD, "same_household": False}
    with pytest.raises(SubjectUnknown):
        family_claims(family_of(CARD), "SYN-C-1", ON)


def test_children_not_yet_born_do_not_count_and_none_is_no_statement() -> None:
    found = family_claims(family_of(CARD), "SYN-P-1", date(2019, 12, 31))
    assert found["child_count"] == 1
    with pytest.raises(EvidenceIncomplete):
        family_claims(family_of(CARD), "SYN-P-1", date(2000, 1, 1))


def test_an_unknown_registration_is_no_statement() -> None:
    family = family_of(CARD)
    lost = replace(family, guardians=(replace(family.guardians[0], registration=None),))
    with pytest.raises(EvidenceIncomplete):
        family_claims(lost, "SYN-P-1", ON)


def test_sector_ids_differ_by_person_sector_and_key() -> None:
    key, other = b"k" * 32, b"o" * 32
    ids = {
        sector_id(key, "youth", "SYN-P-1"),
        sector_id(key, "youth", "SYN-P-2"),
        sector_id(key, "family", "SYN-P-1"),
        sector_id(other, "youth", "SYN-P-1"),
    }
    assert len(ids) == 4
    assert sector_id(key, "youth", "SYN-P-1") in ids
    assert all(len(item) == 22 for item in ids)


def test_claims_of_evidence_never_take_the_name_of_a_registered_claim() -> None:
    for kind in evidence_types().by_name.values():
        assert not set(kind.claims) & (NEVER_DISCLOSABLE | {"iat", "sub", "jti", "sector_id"})


def test_the_files_of_synthetic_residents_are_read_whole() -> None:
    files = evidence_files(list(make_residents(seed=1, count=200, on=ON)), seed=1)
    for kind in evidence_kinds():
        records, report = parse_evidence_csv(kind, files[f"{kind}.csv"])
        assert (report.bad_rows, report.withheld) == ((), 0), kind
        assert records
        for record in records.values():
            said = record.claims(ON)
            assert set(said) == set(evidence_types().by_name[kind].claims)


def test_the_same_seed_gives_the_same_people() -> None:
    first, second, other = (
        evidence_files(list(make_residents(seed=seed, count=20, on=ON)), seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_a_programme_of_ones_own_was_never_received_by_who_has_a_record() -> None:
    people = list(make_residents(seed=1, count=40, on=ON))
    told = never_received(people, {"instrument-loan", "youth-rent"})
    for before, after in zip(people, told, strict=True):
        added = after.rows.get("receipts", ())[len(before.rows.get("receipts", ())) :]
        if "receipts" not in before.rows:
            assert after == before
            continue
        assert [(row["programme"], row["received_on"]) for row in added] == [
            ("instrument-loan", None)
        ]
        assert added[0]["as_of"] == before.rows["receipts"][0]["as_of"]
    assert any("receipts" in item.rows for item in people)


GOOD = {
    "residence": {
        "birth_date": "1990-01-01",
        "registration_kind": "resident",
        "first_day": "2020-01-01",
        "last_day": None,
        "city_or_province": SEOUL,
        "district": "중구",
    },
    "income": {"median_year": 2024, "household_size": 2, "monthly_income_won": 1_000_000},
    "receipts": {"as_of": "2024-02-01", "programme": "youth-rent", "received_on": None},
    "welfare": {"groups": ["disabled", "senior"]},
    "military-service": {"service_months": 18},
}


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("residence", "birth_date", "1990-02-30"),
        ("residence", "registration_kind", "tourist"),
        ("residence", "city_or_province", "서울"),
        ("residence", "district", "수원시"),
        ("residence", "last_day", "2019-01-01"),
        ("income", "monthly_income_won", "-1"),
        ("income", "monthly_income_won", "1.5"),
        ("receipts", "as_of", ""),
        ("welfare", "groups", "disabled|rich"),
        ("military-service", "service_months", "eighteen"),
    ],
)
def test_a_person_with_a_bad_row_is_not_served(kind: str, column: str, value: str) -> None:
    good, bad = GOOD[kind], {**GOOD[kind], column: value}
    records, report = parse_evidence_csv(
        kind, evidence_to_csv(kind, [("SYN-P-1", good), ("SYN-P-2", bad)])
    )
    assert list(records) == ["SYN-P-1"]
    assert report.withheld == 1
    assert [(row.line, row.column) for row in report.bad_rows] == [(3, column)]


@pytest.mark.parametrize("kind", ["income", "welfare", "military-service"])
def test_a_person_listed_twice_is_not_served(kind: str) -> None:
    row = ("SYN-P-1", GOOD[kind])
    records, report = parse_evidence_csv(kind, evidence_to_csv(kind, [row, row]))
    assert records == {}
    assert [bad.reason for bad in report.bad_rows] == ["duplicate_id"]


def test_two_addresses_at_once_are_not_served() -> None:
    first = GOOD["residence"]
    second = {**first, "first_day": "2021-01-01"}
    rows = [("SYN-P-1", first), ("SYN-P-1", second)]
    records, report = parse_evidence_csv("residence", evidence_to_csv("residence", rows))
    assert (records, report.withheld) == ({}, 1)


def test_a_year_without_a_median_is_not_served() -> None:
    bad = {**GOOD["income"], "median_year": 1999}
    records, _ = parse_evidence_csv("income", evidence_to_csv("income", [("SYN-P-1", bad)]))
    assert records == {}


def test_receipts_say_what_was_not_received() -> None:
    rows = [
        ("SYN-P-1", GOOD["receipts"]),
        ("SYN-P-1", {**GOOD["receipts"], "programme": "youth-fare", "received_on": "2023-05-01"}),
        ("SYN-P-1", {**GOOD["receipts"], "programme": "youth-fare", "received_on": "2022-05-01"}),
    ]
    records, _ = parse_evidence_csv("receipts", evidence_to_csv("receipts", rows))
    assert records["SYN-P-1"].claims(ON)["received"] == {
        "youth-rent": [],
        "youth-fare": ["2022-05-01", "2023-05-01"],
    }


def _register(folder: Path) -> CsvEvidenceRegister:
    return CsvEvidenceRegister(folder, CsvFamilyRegister(folder / "families.csv"))


def test_a_register_serves_what_it_loaded_and_keeps_it_when_a_file_turns_bad(
    tmp_path: Path,
) -> None:
    write_evidence(tmp_path, list(make_residents(seed=1, count=20, on=ON)), seed=1)
    register = _register(tmp_path)
    with pytest.raises(RegisterUnavailable):
        register.claims("residence", "SYN-R-0000001", "SYN-R-0000001", ON)
    register.load()
    person = "SYN-R-0000001"
    before = register.claims("residence", person, person, ON)
    (tmp_path / "residence.csv").write_bytes(b"not,the,header\n")
    with pytest.raises(RegisterFileMalformed):
        register.load()
    assert register.claims("residence", person, person, ON) == before
    with pytest.raises(SubjectUnknown):
        register.claims("residence", person, "SYN-R-0000002", ON)
    with pytest.raises(SubjectUnknown):
        register.claims("residence", "SYN-X", "SYN-X", ON)


@pytest.mark.parametrize("key", ["", "c2hvcnQ", "not base64 !", "é"])
def test_a_register_without_a_proper_sector_key_is_unavailable(tmp_path: Path, key: str) -> None:
    (tmp_path / SECTOR_KEY_FILE).write_text(key, "utf-8")
    with pytest.raises(RegisterUnavailable):
        _register(tmp_path).load()


def test_columns_are_those_of_the_evidence() -> None:
    assert columns_of("lease")[2:] == tuple(evidence_types().by_name["lease"].claims)
    assert FAMILY.startswith("SYN-")
