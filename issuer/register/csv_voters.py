"""`voters.csv`: one row per resident on the electoral roll, all as of one day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from issuer.register.csv_table import (
    SYNTHETIC,
    LoadReport,
    Row,
    RowRefused,
    read_subjects,
    write_rows,
)
from issuer.register.electoral_roll import DISTRICT_CODES, Stratum, Voter

VOTER_COLUMNS: Final = (
    "synthetic",
    "register_id",
    "birth_date",
    "district",
    "stratum",
    "taken_on",
)
_STRATA: Final = {stratum.value: stratum for stratum in Stratum}
_DISTRICTS: Final = {code: name for name, code in DISTRICT_CODES.items()}


def parse_voters_csv(data: bytes) -> tuple[dict[str, Voter], LoadReport]:
    """Return the voters by id, ordered, and what became of the other rows.

    Of rows with the same id none is served, and none of another day than the first row's. Raises
    `RegisterFileMalformed`.
    """
    taken_on: date | None = None

    def read(row: Row, register_id: str) -> Voter:
        nonlocal taken_on
        voter = _voter(row, register_id)
        taken_on = voter.taken_on if taken_on is None else taken_on
        if voter.taken_on != taken_on:
            raise RowRefused("taken_on", "another_day")
        return voter

    return read_subjects(data, VOTER_COLUMNS, "register_id", read)


def voters_to_csv(voters: Iterable[Voter]) -> bytes:
    """Return the file that `parse_voters_csv` reads as these voters."""
    return write_rows(VOTER_COLUMNS, map(_fields, voters))


def _voter(row: Row, register_id: str) -> Voter:
    return Voter(
        register_id,
        row.date("birth_date"),
        row.choice("district", DISTRICT_CODES),
        row.choice("stratum", _STRATA),
        row.date("taken_on"),
        row.synthetic(),
    )


def _fields(voter: Voter) -> dict[str, str]:
    return {
        "synthetic": SYNTHETIC if voter.synthetic else "",
        "register_id": voter.register_id,
        "birth_date": voter.birth_date.isoformat(),
        "district": _DISTRICTS[voter.district],
        "stratum": voter.stratum.value,
        "taken_on": voter.taken_on.isoformat(),
    }
