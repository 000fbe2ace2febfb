import hashlib
import os
import re
import subprocess
import sys
import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from issuer.register.card_rule import check_family_card, family_card_rule
from issuer.register.csv_appointments import parse_appointments_csv
from issuer.register.csv_families import parse_families_csv
from issuer.register.csv_register import CsvAppointmentRegister, CsvFamilyRegister
from issuer.register.model import (
    SEOUL_DISTRICTS,
    ChildRelation,
    Family,
    GuardianRelation,
    RegistrationKind,
)
from seoul_wallet.sample.borders import border_cases, latest_leap_day
from seoul_wallet.sample.names import SURNAMES
from seoul_wallet.sample.places import SEOUL_PLACES
from seoul_wallet.sample.register import SampleRegister, make_sample_register
from seoul_wallet.sample_register import main
from wallet.eligibility.days import birthday

ON = date(2026, 11, 22)
ROOT = Path(__file__).parents[4]
# Days around the ends of months, years and February, in leap years and others.
DAYS = [
    ON,
    date(2026, 1, 1),
    date(2026, 12, 31),
    date(2027, 2, 28),
    date(2027, 3, 1),
    date(2028, 2, 27),
    date(2028, 2, 28),
    date(2028, 2, 29),
    date(2028, 3, 1),
    date(2023, 7, 1),
    date(2099, 12, 31),
]


@pytest.fixture(scope="module")
def register() -> SampleRegister:
    return make_sample_register(seed=1, households=1_000, on=ON)


def people(families: tuple[Family, ...]):
    return [m for family in families for m in (*family.guardians, *family.children)]


def addresses(families: tuple[Family, ...]):
    return [m.registration.household.address for m in people(families) if m.registration]


def eligible(register: SampleRegister, on: date = ON) -> int:
    rule = family_card_rule(on)
    return sum(check_family_card(family, on, rule).granted for family in register.families)


class TestBorders:
    @pytest.mark.parametrize("on", DAYS, ids=str)
    def test_each_border_case_is_decided_as_it_says(self, on):
        cases = border_cases(on)
        families = make_sample_register(seed=7, households=len(cases), on=on).families
        rule = family_card_rule(on)
        decided = {
            family.family_id: check_family_card(family, on, rule).reasons for family in families
        }
        assert decided == {case.family_id: case.reasons for case in cases}

    def test_the_ids_are_the_same_on_every_day(self):
        ids = {tuple(case.family_id for case in border_cases(on)) for on in DAYS}
        assert len(ids) == 1
        assert len(set(*ids)) == len(*ids)

    @pytest.mark.parametrize(
        ("family_id", "days"),
        [
            ("SYN-F-YOUNGEST-19-TOMORROW", 1),
            ("SYN-F-YOUNGEST-19-TODAY", 0),
            ("SYN-F-YOUNGEST-19-YESTERDAY", -1),
        ],
    )
    def test_the_youngest_turns_19_on_the_day_that_the_id_says(self, register, family_id, days):
        (family,) = (item for item in register.families if item.family_id == family_id)
        youngest = max(child.person.birth_date for child in family.children)
        assert birthday(youngest, 19) == ON + timedelta(days=days)

    def test_the_leap_day_is_the_last_one_not_after_the_day(self):
        assert latest_leap_day(date(2028, 2, 28)) == date(2024, 2, 29)
        assert latest_leap_day(date(2028, 2, 29)) == date(2028, 2, 29)
        assert latest_leap_day(date(2026, 11, 22)) == date(2024, 2, 29)


class TestDeterminism:
    def test_the_same_arguments_give_the_same_bytes(self, register):
        again = make_sample_register(seed=1, households=1_000, on=ON)
        assert again.files() == register.files()

    def test_another_seed_or_day_gives_other_bytes(self, register):
        files = register.files()
        for other in (
            make_sample_register(seed=2, households=1_000, on=ON),
            make_sample_register(seed=1, households=1_000, on=ON + timedelta(days=1)),
        ):
            assert all(other.files()[name] != content for name, content in files.items())

    def test_another_process_gives_the_same_digests(self, register, tmp_path):
        command = [sys.executable, "-m", "seoul_wallet.sample_register"]
        arguments = ["--seed", "1", "--households", "1000", "--on", "2026-11-22"]
        for hash_seed in ("1", "2"):
            out = tmp_path / hash_seed
            environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                [*command, *arguments, "--out", str(out)],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            for name, content in register.files().items():
                assert (out / name).read_bytes() == content
                assert hashlib.sha256(content).hexdigest() in done.stdout


class TestContents:
    def test_has_a_thousand_families_of_which_about_two_thirds_are_eligible(self, register):
        assert len(register.families) == 1_000
        assert 600 <= eligible(register) <= 700

    @pytest.mark.parametrize("seed", [2, 3, 4])
    def test_other_seeds_are_as_eligible(self, seed):
        other = make_sample_register(seed=seed, households=1_000, on=ON)
        assert 600 <= eligible(other) <= 700

    def test_all_25_districts_occur_and_families_outside(self, register):
        places = {(item.city_or_province, item.district) for item in addresses(register.families)}
        assert {district for city, district in places if city == "서울특별시"} == SEOUL_DISTRICTS
        assert len(SEOUL_DISTRICTS) == len(SEOUL_PLACES) == 25
        assert {"경기도", "인천광역시"} <= {city for city, _ in places}

    def test_postal_codes_are_of_the_district(self, register):
        ranges = {district.name: district.postal_codes for district in SEOUL_PLACES}
        for address in addresses(register.families):
            if address.is_in_seoul:
                first, last = ranges[address.district]
                assert first <= int(address.postal_code) <= last

    def test_everything_is_in_nfc(self, register):
        for content in register.files().values():
            assert unicodedata.is_normalized("NFC", content.decode())

    def test_nothing_looks_like_a_resident_number(self, register):
        for content in register.files().values():
            assert not re.search(r"\d{6}-?\d{7}", content.decode())

    def test_every_row_and_id_says_synthetic(self, register):
        for content in register.files().values():
            rows = content.decode().splitlines()[1:]
            assert rows
            assert all(row.startswith("SYNTHETIC,SYN-") for row in rows)
        for member in people(register.families):
            assert member.person.register_id.startswith("SYN-")

    def test_names_have_the_shapes_of_registers(self, register):
        korean = [
            m.person.name
            for m in people(register.families)
            if m.person.registration_kind is RegistrationKind.RESIDENT
        ]
        compound = tuple(surname for surname in SURNAMES if len(surname) == 2)
        single = [name for name in korean if not name.startswith(compound)]
        assert {len(name) for name in single} == {2, 3, 4}
        assert any(name.startswith(compound) for name in korean)
        assert {name[0] for name in single} == {s for s in SURNAMES if len(s) == 1}
        foreign = [
            m.person.name
            for m in people(register.families)
            if m.person.registration_kind is RegistrationKind.FOREIGNER
        ]
        assert any(name.isascii() for name in foreign)
        assert any("가" <= name[0] <= "힣" for name in foreign)

    def test_every_kind_of_family_occurs(self, register):
        guardians = {g.relation for family in register.families for g in family.guardians}
        children = {c.relation for family in register.families for c in family.children}
        assert guardians == set(GuardianRelation)
        assert children == set(ChildRelation)

    def test_nobody_is_born_after_the_day_nor_before_a_parent(self, register):
        for family in register.families:
            births = [child.person.birth_date for child in family.children]
            assert max(births) <= ON
            assert all(birthday(g.person.birth_date, 20) < min(births) for g in family.guardians)

    def test_the_files_are_accepted_whole_by_the_register(self, register):
        files = register.files()
        families, report = parse_families_csv(files["families.csv"])
        assert (report.served, report.bad_rows, report.notices) == (1_000, (), ())
        assert families == {family.family_id: family for family in register.families}
        appointments, report = parse_appointments_csv(files["appointments.csv"])
        assert (report.served, report.bad_rows) == (20, ())
        assert appointments == {item.appointment_id: item for item in register.appointments}

    def test_appointments_sit_at_the_borders_of_their_terms(self, register):
        by_id = {item.appointment_id: item for item in register.appointments}
        assert by_id["SYN-A-TERM-ENDS-TODAY"].term_until == ON
        assert by_id["SYN-A-TERM-ENDED-YESTERDAY"].term_until == ON - timedelta(days=1)
        assert by_id["SYN-A-TERM-BEGINS-TOMORROW"].term_from == ON + timedelta(days=1)


class TestLimits:
    def test_needs_room_for_the_border_cases(self):
        borders = len(border_cases(ON))
        assert len(make_sample_register(seed=1, households=borders, on=ON).families) == borders
        with pytest.raises(ValueError, match="households"):
            make_sample_register(seed=1, households=borders - 1, on=ON)

    @pytest.mark.parametrize("on", [date(2009, 12, 31), date(2100, 1, 1)])
    def test_refuses_a_day_out_of_range(self, on):
        with pytest.raises(ValueError, match="day"):
            make_sample_register(seed=1, households=100, on=on)

    @pytest.mark.parametrize("on", [date(2010, 1, 1), date(2099, 12, 31)])
    def test_the_first_and_the_last_day_give_registers_that_load(self, on):
        files = make_sample_register(seed=1, households=1_000, on=on).files()
        assert parse_families_csv(files["families.csv"])[1].bad_rows == ()
        assert parse_appointments_csv(files["appointments.csv"])[1].bad_rows == ()

    def test_refuses_appointments_out_of_range(self):
        assert (
            make_sample_register(seed=1, households=99, on=ON, appointments=0).appointments == ()
        )
        with pytest.raises(ValueError, match="appointments"):
            make_sample_register(seed=1, households=99, on=ON, appointments=-1)


class TestCommand:
    def test_writes_files_that_a_service_loads(self, tmp_path):
        out = tmp_path / "new" / "folder"
        arguments = ["--households", "40", "--on", "2026-11-22", "--out", str(out)]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        assert sorted(path.name for path in out.iterdir()) == ["appointments.csv", "families.csv"]
        families = CsvFamilyRegister(out / "families.csv")
        assert families.load().served == 40
        assert families.family("SYN-F-TWO-CHILDREN").synthetic
        assert CsvAppointmentRegister(out / "appointments.csv").load().served == 20

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--households", "40"],
            ["--households", "3", "--on", "2026-11-22"],
            ["--households", "40", "--on", "2026-02-30"],
            ["--households", "40", "--on", "1999-01-01"],
        ],
    )
    def test_refuses_what_it_cannot_make(self, tmp_path, arguments):
        done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
        assert done.exit_code == 2
        assert not (tmp_path / "out").exists()

    def test_says_when_it_cannot_write(self, tmp_path):
        (tmp_path / "file").write_text("")
        out = str(tmp_path / "file" / "below")
        done = CliRunner().invoke(main, ["--households", "40", "--on", "2026-11-22", "--out", out])
        assert done.exit_code == 1
        assert "cannot write" in done.output
