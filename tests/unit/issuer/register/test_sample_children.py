"""The children of the synthetic families are in the registers of evidence, as the family says."""

from __future__ import annotations

from datetime import date

from issuer.register.csv_evidence import evidence_kinds, evidence_to_csv, parse_evidence_csv
from issuer.register.model import Family
from seoul_wallet.sample.children import make_children
from seoul_wallet.sample.register import make_sample_register

ON = date(2026, 6, 1)


def families() -> list[Family]:
    return list(make_sample_register(seed=3, households=60, on=ON, appointments=1).families)


def test_every_child_with_a_known_registration_is_a_resident_where_its_family_says() -> None:
    made = {item.register_id: item.rows for item in make_children(families(), seed=3, on=ON)}
    known = {
        child.person.register_id: child
        for family in families()
        for child in family.children
        if child.registration is not None and child.person.birth_date <= ON
    }
    assert made.keys() == known.keys()
    assert len(made) > 60
    for register_id, child in known.items():
        (row,) = made[register_id]["residence"]
        assert child.registration is not None
        address = child.registration.household.address
        assert row["birth_date"] == child.person.birth_date
        assert (row["city_or_province"], row["district"]) == (
            address.city_or_province,
            address.district,
        )


def test_brothers_and_sisters_have_one_income() -> None:
    made = {item.register_id: item.rows for item in make_children(families(), seed=3, on=ON)}
    for family in families():
        incomes = [
            made[child.person.register_id]["income"]
            for child in family.children
            if child.person.register_id in made
        ]
        assert incomes[1:] == incomes[:-1]


def test_the_files_are_read_whole_and_come_out_the_same() -> None:
    first, second = (list(make_children(families(), seed=3, on=ON)) for _ in range(2))
    assert first == second
    assert first != list(make_children(families(), seed=4, on=ON))
    for kind in {kind for item in first for kind in item.rows}:
        assert kind in evidence_kinds()
        rows = [(item.register_id, row) for item in first for row in item.rows.get(kind, ())]
        records, report = parse_evidence_csv(kind, evidence_to_csv(kind, rows))
        assert (report.bad_rows, report.withheld) == ((), 0)
        assert records.keys() == {item.register_id for item in first}
