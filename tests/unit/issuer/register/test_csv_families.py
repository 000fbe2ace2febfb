import hashlib
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from issuer.register import csv_table
from issuer.register.csv_appointments import parse_appointments_csv
from issuer.register.csv_families import (
    FAMILY_COLUMNS,
    REGISTRATION_COLUMNS,
    families_to_csv,
    parse_families_csv,
)
from issuer.register.csv_table import MAX_FIELD_CHARACTERS, LoadReport, RegisterFileMalformed
from issuer.register.model import (
    Family,
    RegisterIdMalformed,
    parse_register_id,
)
from tests.unit.issuer.register.builders import families_csv
from wallet.errors import MalformedError

HEADER = ",".join(FAMILY_COLUMNS).encode() + b"\n"
TWO = {"family_members": "2"}
OTHER = {"family_id": "SYN-F-2", "register_id": "SYN-P-2", "household_id": "SYN-H-2"}
NOT_SYNTHETIC = {"synthetic": "", "family_id": "F-1", "register_id": "P-1", "household_id": "H-1"}
SEJONG = {"city_or_province": "세종특별자치시", "district": "", "postal_code": "30100"}


def load(*rows) -> tuple[dict[str, Family], LoadReport]:
    return parse_families_csv(families_csv(*rows))


def bad(report: LoadReport) -> list[tuple[int, str, str]]:
    return [(row.line, row.column, row.reason) for row in report.bad_rows]


class TestRows:
    def test_serves_a_valid_row(self):
        families, report = load({})
        (guardian,) = families["SYN-F-1"].guardians
        assert guardian.person.name == "홍길동"
        assert guardian.registration.household.address.is_in_seoul
        assert (report.rows, report.served, report.withheld, bad(report)) == (1, 1, 0, [])
        assert report.sha256 == hashlib.sha256(families_csv({})).hexdigest()

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("synthetic", "yes", "unknown_value"),
            ("family_id", "F-1", "synthetic_mark_differs"),
            ("family_id", "syn-f-1", "id_malformed"),
            ("family_id", "SYN-" + "1" * 61, "id_malformed"),
            ("family_members", "0", "unknown_value"),
            ("family_members", "31", "unknown_value"),
            ("family_members", "2", "family_size_differs"),
            ("family_members", "١", "unknown_value"),
            ("register_id", "", "id_malformed"),
            ("register_id", "SYN-800101-1234567", "resident_number"),
            ("name", "홍800101-1234567", "resident_number"),
            ("street", "자하문로 8001011234567", "resident_number"),
            ("name", "", "empty"),
            ("name", "홍\u3164길동", "invisible_character"),
            ("name", "ㅎ길동", "compatibility_form"),
            ("street", "자하문로\u200b 1", "invisible_character"),
            ("street", "자하문로\n1", "control_character"),
            ("birth_date", "1980-02-30", "not_a_date"),
            ("birth_date", "19800131", "not_a_date"),
            ("birth_date", "1980-W05-4", "not_a_date"),
            ("birth_date", "1980.01.31", "not_a_date"),
            ("birth_date", "1980-1-31", "not_a_date"),
            ("birth_date", "1899-12-31", "not_a_date"),
            ("birth_date", "2200-01-01", "not_a_date"),
            ("birth_date", "１９８０-01-31", "not_a_date"),
            ("birth_date", "", "not_a_date"),
            ("registration_kind", "citizen", "unknown_value"),
            ("family_relation", "uncle", "unknown_value"),
            ("household_relation", "boss", "unknown_value"),
            ("household_id", "", "id_malformed"),
            ("city_or_province", "서울시", "unknown_value"),
            ("city_or_province", "서울", "unknown_value"),
            ("city_or_province", "", "empty"),
            ("district", "없는구", "unknown_value"),
            ("district", "", "empty"),
            ("postal_code", "3047", "postal_code_malformed"),
            ("postal_code", "０３０４７", "postal_code_malformed"),
            ("street", "가" * 201, "too_long"),
            ("street", "가" * (MAX_FIELD_CHARACTERS + 1), "field_too_long"),
        ],
    )
    def test_reports_a_bad_field_by_line_and_column_and_serves_the_rest(
        self, column, value, reason
    ):
        families, report = load(OTHER, {column: value})
        assert list(families) == ["SYN-F-2"]
        assert bad(report) == [(3, column, reason)]

    def test_a_date_at_each_end_is_served(self):
        assert load({"birth_date": "1900-01-01"})[1].served == 1
        assert load({"birth_date": "2199-12-31"})[1].served == 1

    def test_synthetic_ids_without_the_mark_are_refused(self):
        families, report = load({"synthetic": ""})
        assert families == {}
        assert bad(report) == [(2, "family_id", "synthetic_mark_differs")]

    def test_a_row_without_the_mark_is_served_when_no_id_has_the_prefix(self):
        families, _ = load(NOT_SYNTHETIC)
        assert not families["F-1"].synthetic

    def test_a_person_may_have_no_registration_but_not_half_of_one(self):
        nothing = dict.fromkeys(REGISTRATION_COLUMNS, "")
        families, _ = load(nothing)
        assert families["SYN-F-1"].guardians[0].registration is None
        assert bad(load({**nothing, "district": "종로구"})[1]) == [
            (2, "household_id", "id_malformed")
        ]

    def test_sejong_has_no_district(self):
        families, _ = load(SEJONG)
        assert not families["SYN-F-1"].guardians[0].registration.household.address.is_in_seoul

    def test_a_decomposed_file_gives_the_same_family(self):
        decomposed = unicodedata.normalize("NFD", families_csv({}).decode()).encode()
        assert decomposed != families_csv({})
        assert parse_families_csv(decomposed)[0] == load({})[0]

    def test_a_compatibility_ideograph_is_served_with_a_notice(self):
        families, report = load({"name": "\uf9e1順臣"})
        assert families["SYN-F-1"].guardians[0].person.name == "李順臣"
        (notice,) = report.notices
        assert (notice.line, notice.column, notice.reason) == (2, "name", "folded_ideograph")
        assert (notice.original, notice.nfc) == ("\uf9e1", "\u674e")

    def test_mixed_scripts_are_served_with_a_notice(self):
        _, report = load({"name": "K\u0410RIMOV"})
        assert [notice.reason for notice in report.notices] == ["mixed_scripts"]
        assert report.served == 1

    def test_a_row_of_another_length_is_reported_with_its_line(self):
        _, report = parse_families_csv(families_csv({}) + b"\n\nSYNTHETIC,SYN-F-9\n")
        assert bad(report) == [(5, "", "wrong_field_count")]
        assert report.served == 1

    def test_the_report_repeats_no_value(self):
        _, report = load({"name": "홍길동\u200b", "street": "비밀로 1"})
        assert "홍길동" not in repr(report)
        assert "비밀로" not in repr(report)

    def test_the_list_of_bad_rows_ends_but_the_count_does_not(self, monkeypatch):
        monkeypatch.setattr(csv_table, "MAX_REPORTED", 3)
        _, report = load(*[{"name": ""}] * 5)
        assert len(report.bad_rows) == 3
        assert report.bad_row_count == 5


class TestWholeFamilies:
    def test_a_family_with_a_bad_row_is_withheld_whole(self):
        second = {**TWO, "register_id": "SYN-P-2", "birth_date": "tomorrow"}
        families, report = load(TWO, second)
        assert families == {}
        assert report.withheld == 1
        assert bad(report) == [(3, "birth_date", "not_a_date")]

    def test_a_truncated_file_does_not_make_smaller_families(self):
        whole = families_csv(TWO, {**TWO, "register_id": "SYN-P-2"})
        assert parse_families_csv(whole)[1].served == 1
        cut = whole[: whole.rindex(b"\n", 0, -1) + 1]
        assert bad(parse_families_csv(cut)[1]) == [(2, "family_members", "family_size_differs")]

    def test_one_row_more_than_stated_withholds_the_family(self):
        families, report = load({}, {"register_id": "SYN-P-2"})
        assert families == {}
        assert bad(report) == [(2, "family_members", "family_size_differs")]

    def test_rows_that_state_different_sizes_withhold_the_family(self):
        families, report = load(TWO, {"register_id": "SYN-P-2"})
        assert families == {}
        assert bad(report) == [(3, "family_members", "family_size_differs")]

    def test_a_further_row_with_an_unreadable_size_withholds_the_family(self):
        families, _ = load({}, {"register_id": "SYN-P-2", "family_members": "many"})
        assert families == {}

    def test_a_person_twice_in_a_family_is_refused(self):
        families, report = load(TWO, TWO)
        assert families == {}
        assert bad(report) == [(3, "register_id", "duplicate_id")]

    def test_a_person_in_two_families_withholds_both(self):
        families, report = load({}, {**OTHER, "register_id": "SYN-P-1"})
        assert families == {}
        assert report.withheld == 2
        assert bad(report) == [(3, "register_id", "duplicate_id")]

    def test_a_household_at_two_addresses_withholds_both_families(self):
        moved = {**OTHER, "household_id": "SYN-H-1", "street": "다른로 1"}
        families, report = load({}, moved)
        assert families == {}
        assert bad(report) == [(3, "household_id", "household_address_differs")]

    def test_two_families_may_share_a_household(self):
        families, _ = load({}, {**OTHER, "household_id": "SYN-H-1"})
        assert len(families) == 2

    def test_rows_of_a_family_need_not_be_neighbours(self):
        families, _ = load(TWO, OTHER, {**TWO, "register_id": "SYN-P-3"})
        assert len(families["SYN-F-1"].guardians) == 2


class TestFiles:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\n\n",
            b"a,b,c\n",
            HEADER.replace(b"name,", b"", 1),
            HEADER.replace(b"name", b"name,name", 1),
            HEADER.replace(b"name", b"Name", 1),
            families_csv({})[len(HEADER) :],
            HEADER + b"\0",
            HEADER + '"홍길동"\n'.encode("cp949"),
            HEADER.decode().encode("utf-16"),
            HEADER + b'"never closed\n',
            HEADER + b'"quoted"then more\n',
            HEADER + b'"' + b"x" * 200_000 + b'"\n',
        ],
    )
    def test_refuses_a_file_that_cannot_be_read_as_a_whole(self, data):
        with pytest.raises(RegisterFileMalformed) as caught:
            parse_families_csv(data)
        assert caught.value.code == "register_file_malformed"
        assert issubclass(RegisterFileMalformed, MalformedError)

    def test_a_header_that_is_data_is_not_repeated(self):
        with pytest.raises(RegisterFileMalformed) as caught:
            parse_families_csv(families_csv({})[len(HEADER) :])
        assert "홍길동" not in str(caught.value)

    def test_a_header_alone_is_an_empty_register(self):
        families, report = parse_families_csv(HEADER)
        assert (families, report.rows) == ({}, 0)

    def test_accepts_a_byte_order_mark_crlf_and_columns_in_another_order(self):
        plain = load({})[0]
        data = families_csv({})
        assert parse_families_csv(b"\xef\xbb\xbf" + data)[0] == plain
        assert parse_families_csv(data.replace(b"\n", b"\r\n"))[0] == plain
        turned = "\n".join(
            ",".join(reversed(line.split(","))) for line in data.decode().strip().split("\n")
        )
        assert parse_families_csv(turned.encode())[0] == plain

    def test_refuses_more_rows_or_bytes_than_the_limits(self, monkeypatch):
        data = families_csv({}, OTHER)
        monkeypatch.setattr(csv_table, "MAX_ROWS", 2)
        monkeypatch.setattr(csv_table, "MAX_FILE_BYTES", len(data))
        assert parse_families_csv(data)[1].served == 2
        with pytest.raises(RegisterFileMalformed):
            parse_families_csv(data + b"\n")
        monkeypatch.setattr(csv_table, "MAX_FILE_BYTES", len(data) + 1)
        monkeypatch.setattr(csv_table, "MAX_ROWS", 1)
        with pytest.raises(RegisterFileMalformed):
            parse_families_csv(data)

    def test_what_is_written_reads_back_the_same(self):
        nothing = dict.fromkeys(REGISTRATION_COLUMNS, "")
        families, _ = load({"name": "홍, 길동"}, {**OTHER, **nothing})
        assert parse_families_csv(families_to_csv(families.values()))[0] == families


@given(st.binary(max_size=300))
@example(HEADER + b'SYNTHETIC,SYN-F-1,1,"')
def test_any_bytes_give_a_typed_error_or_a_report(data):
    for content in (data, HEADER + data, b"\xef\xbb\xbf" + HEADER + data):
        for parse in (parse_families_csv, parse_appointments_csv):
            try:
                _, report = parse(content)
            except RegisterFileMalformed:
                continue
            assert report.served <= report.rows


@given(st.sampled_from(FAMILY_COLUMNS), st.text(max_size=30))
def test_any_field_gives_a_bad_row_or_a_family(column, value):
    data = families_csv({column: value.replace("\0", "").replace("\ud800", "")})
    families, report = parse_families_csv(data)
    assert len(families) + report.bad_row_count == 1


@pytest.mark.parametrize("text", ["F-1", "SYN-P-000001", "A" * 64, "F-1234567890123456789"])
def test_accepts_an_opaque_identifier(text):
    assert parse_register_id(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "1-F", "F--1", "F-", "f-1", "F_1", "A" * 65, "P-800101-1234567", "800101", "F-1\n"],
)
def test_refuses_another_identifier(text):
    with pytest.raises(RegisterIdMalformed):
        parse_register_id(text)
