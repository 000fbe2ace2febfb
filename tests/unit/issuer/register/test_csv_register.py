import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from issuer.register.appointment_letter import (
    APPOINTMENT_LETTER_CLAIMS,
    DISCLOSABLE_APPOINTMENT_LETTER_CLAIMS,
    appointment_letter_claims,
)
from issuer.register.csv_appointments import (
    APPOINTMENT_COLUMNS,
    appointments_to_csv,
    parse_appointments_csv,
)
from issuer.register.csv_register import CsvAppointmentRegister, CsvFamilyRegister
from issuer.register.csv_table import RegisterFileMalformed
from issuer.register.model import Appointment, AppointmentTermMalformed
from issuer.register.port import (
    MAX_CHUNK,
    AppointmentRegister,
    FamilyRegister,
    RegisterUnavailable,
    SubjectUnknown,
)
from tests.unit.issuer.register.builders import families_csv
from wallet.credentials.disclosure import make_disclosable
from wallet.errors import RejectedError, UnavailableError


def appointment(number: int, **changes) -> Appointment:
    fields = {
        "appointment_id": f"SYN-A-{number}",
        "name": "홍길동",
        "post": "위원",
        "organisation": "견본위원회",
        "term_from": date(2026, 1, 1),
        "term_until": date(2027, 12, 31),
        "serial": f"제2026-{number}호",
        "seal_text": "서울특별시장인(견본)",
        "signer_title": "서울특별시장",
        "synthetic": True,
    }
    return Appointment(**{**fields, **changes})


def rows(*numbers: int) -> bytes:
    return families_csv(
        *(
            {
                "family_id": f"SYN-F-{number}",
                "register_id": f"SYN-P-{number}",
                "household_id": f"SYN-H-{number}",
            }
            for number in numbers
        )
    )


class TestFamilyRegister:
    """What every register of families does; a new adapter joins the fixture."""

    @pytest.fixture(params=["csv"])
    def register_of(self, request, tmp_path: Path) -> Callable[..., FamilyRegister]:
        def make(*numbers: int) -> FamilyRegister:
            (tmp_path / "families.csv").write_bytes(rows(*numbers))
            register = CsvFamilyRegister(tmp_path / "families.csv")
            register.load()
            return register

        return make

    def test_gives_a_family_by_id(self, register_of):
        assert register_of(1, 2).family("SYN-F-2").family_id == "SYN-F-2"

    @pytest.mark.parametrize("family_id", ["SYN-F-3", "", "\0", "../families.csv"])
    def test_refuses_an_unknown_family(self, register_of, family_id):
        with pytest.raises(SubjectUnknown) as caught:
            register_of(1, 2).family(family_id)
        assert isinstance(caught.value, RejectedError)

    def test_gives_all_families_in_chunks_ordered_by_id(self, register_of):
        chunks = list(register_of(3, 1, 2).families(chunk_size=2))
        assert [[item.family_id for item in chunk] for chunk in chunks] == [
            ["SYN-F-1", "SYN-F-2"],
            ["SYN-F-3"],
        ]

    def test_an_empty_register_has_no_chunks(self, register_of):
        assert list(register_of().families()) == []

    @pytest.mark.parametrize("size", [0, -1, MAX_CHUNK + 1])
    def test_refuses_a_chunk_size_out_of_range(self, register_of, size):
        with pytest.raises(ValueError, match="chunk"):
            register_of(1).families(chunk_size=size)


class TestAppointmentRegister:
    """What every register of appointments does; a new adapter joins the fixture."""

    @pytest.fixture(params=["csv"])
    def register_of(self, request, tmp_path: Path) -> Callable[..., AppointmentRegister]:
        def make(*numbers: int) -> AppointmentRegister:
            path = tmp_path / "appointments.csv"
            path.write_bytes(appointments_to_csv(map(appointment, numbers)))
            register = CsvAppointmentRegister(path)
            register.load()
            return register

        return make

    def test_gives_an_appointment_by_id(self, register_of):
        assert register_of(1, 2).appointment("SYN-A-2") == appointment(2)

    def test_refuses_an_unknown_appointment(self, register_of):
        with pytest.raises(SubjectUnknown):
            register_of(1).appointment("SYN-A-2")

    def test_gives_all_in_chunks_ordered_by_id(self, register_of):
        chunks = list(register_of(2, 1, 3).appointments(chunk_size=2))
        assert chunks == [(appointment(1), appointment(2)), (appointment(3),)]


class TestLoading:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "families.csv"

    def test_is_unavailable_before_the_first_load(self, path):
        register = CsvFamilyRegister(path)
        with pytest.raises(RegisterUnavailable):
            register.family("SYN-F-1")
        with pytest.raises(RegisterUnavailable):
            register.families()

    def test_a_missing_file_is_unavailable_and_not_an_empty_register(self, path):
        with pytest.raises(RegisterUnavailable) as caught:
            CsvFamilyRegister(path).load()
        assert isinstance(caught.value, UnavailableError)
        assert str(path) not in str(caught.value)

    def test_a_folder_is_unavailable(self, tmp_path):
        with pytest.raises(RegisterUnavailable):
            CsvFamilyRegister(tmp_path).load()

    def test_serves_valid_rows_and_reports_the_others(self, path):
        path.write_bytes(rows(1) + b"x\n")
        register = CsvFamilyRegister(path)
        report = register.load()
        assert (report.served, report.bad_row_count) == (1, 1)
        assert register.family("SYN-F-1").family_id == "SYN-F-1"

    def test_a_new_load_replaces_the_families(self, path):
        path.write_bytes(rows(1))
        register = CsvFamilyRegister(path)
        register.load()
        path.write_bytes(rows(2))
        register.load()
        assert register.family("SYN-F-2").family_id == "SYN-F-2"
        with pytest.raises(SubjectUnknown):
            register.family("SYN-F-1")

    def test_a_failed_load_leaves_the_former_families(self, path):
        path.write_bytes(rows(1))
        register = CsvFamilyRegister(path)
        register.load()
        path.write_bytes(b"not a register\n")
        with pytest.raises(RegisterFileMalformed):
            register.load()
        path.unlink()
        with pytest.raises(RegisterUnavailable):
            register.load()
        assert register.family("SYN-F-1").family_id == "SYN-F-1"

    def test_chunks_come_from_the_state_at_the_call(self, path):
        path.write_bytes(rows(1, 2))
        register = CsvFamilyRegister(path)
        register.load()
        chunks = register.families(chunk_size=1)
        path.write_bytes(rows(3, 4))
        register.load()
        assert [item.family_id for (item,) in chunks] == ["SYN-F-1", "SYN-F-2"]

    def test_a_reader_never_sees_two_loads_at_once(self, path):
        states = [tuple(range(100, 140)), tuple(range(200, 240))]
        wanted = [{f"SYN-F-{number}" for number in state} for state in states]
        path.write_bytes(rows(*states[0]))
        register = CsvFamilyRegister(path)
        register.load()
        failures: list[set[str]] = []
        seen: list[set[str]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                ids = {item.family_id for (item,) in register.families(chunk_size=1)}
                seen.append(ids)
                if ids not in wanted:
                    failures.append(ids)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for turn in range(1, 31):
                path.write_bytes(rows(*states[turn % 2]))
                register.load()
        finally:
            done.set()
            reader.join()
        assert seen
        assert failures == []


class TestAppointments:
    def load(self, *items: Appointment, replace: tuple[str, str] = ("", "")):
        return parse_appointments_csv(
            appointments_to_csv(items).decode().replace(*replace).encode()
        )

    def test_what_is_written_reads_back_the_same(self):
        served, report = self.load(appointment(1), appointment(2))
        assert list(served.values()) == [appointment(1), appointment(2)]
        assert report.served == 2

    @pytest.mark.parametrize(
        ("old", "new", "column", "reason"),
        [
            ("2027-12-31", "2025-12-31", "term_until", "term_ends_before_it_begins"),
            ("2026-01-01", "2026-13-01", "term_from", "not_a_date"),
            ("SYNTHETIC,SYN-A-1", ",SYN-A-1", "appointment_id", "synthetic_mark_differs"),
            ("홍길동", "홍\u3164", "name", "invisible_character"),
            ("위원,", ",", "post", "empty"),
            ("서울특별시장인", "서울\u202e", "seal_text", "invisible_character"),
        ],
    )
    def test_reports_a_bad_row(self, old, new, column, reason):
        served, report = self.load(appointment(1), replace=(old, new))
        assert served == {}
        assert [(row.line, row.column, row.reason) for row in report.bad_rows] == [
            (2, column, reason)
        ]

    def test_a_term_of_one_day_is_a_term(self):
        day = date(2026, 5, 5)
        assert self.load(appointment(1, term_from=day, term_until=day))[1].served == 1
        with pytest.raises(AppointmentTermMalformed):
            appointment(1, term_from=day, term_until=date(2026, 5, 4))

    def test_an_id_that_occurs_twice_is_not_served_at_all(self):
        served, report = self.load(appointment(1), appointment(1, serial="제9호"), appointment(2))
        assert list(served) == ["SYN-A-2"]
        assert (report.withheld, report.bad_row_count) == (1, 1)

    def test_a_serial_that_occurs_twice_is_not_served_at_all(self):
        served, report = self.load(appointment(1), appointment(2, serial="제2026-1호"))
        assert served == {}
        assert [(row.line, row.column) for row in report.bad_rows] == [(3, "serial")]

    def test_refuses_the_header_of_another_file(self):
        with pytest.raises(RegisterFileMalformed):
            parse_appointments_csv(rows(1))
        assert parse_appointments_csv(",".join(APPOINTMENT_COLUMNS).encode())[0] == {}

    def test_the_claims_of_a_letter_can_be_issued(self):
        claims = appointment_letter_claims(appointment(1))
        assert tuple(claims) == APPOINTMENT_LETTER_CLAIMS
        assert (claims["term_from"], claims["valid_until"]) == ("2026-01-01", "2027-12-31")
        made = make_disclosable(claims, DISCLOSABLE_APPOINTMENT_LETTER_CLAIMS)
        assert {"name", "serial"} & set(made.signed_claims) == set()
        assert made.signed_claims["post"] == "위원"
