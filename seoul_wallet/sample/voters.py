"""The synthetic electoral roll: which residents live in Seoul, and their strata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from issuer.register.csv_register import VOTERS_FILE
from issuer.register.csv_voters import voters_to_csv
from issuer.register.electoral_roll import DISTRICT_CODES, Stratum, Voter
from issuer.register.model import SEOUL
from seoul_wallet.sample.draw import Draw
from seoul_wallet.sample.register import replace_file
from seoul_wallet.sample.residents import Resident


def make_voters(residents: Iterable[Resident], *, seed: int, on: date) -> Iterator[Voter]:
    """Yield those registered in Seoul on that day; one in ten sits on the committee or finished
    the budget school. Same arguments, same roll."""
    draw = Draw(f"voters {seed} {on.isoformat()}")
    for resident in residents:
        stratum = draw.weighted(
            {Stratum.CITIZEN: 90, Stratum.COMMITTEE: 6, Stratum.BUDGET_SCHOOL: 4}
        )
        for home in resident.rows["residence"]:
            last = home["last_day"]
            if home["first_day"] <= on and (last is None or on <= last):
                if home["city_or_province"] == SEOUL:
                    yield Voter(
                        resident.register_id,
                        home["birth_date"],
                        DISTRICT_CODES[home["district"]],
                        stratum,
                        on,
                        synthetic=True,
                    )
                break


def write_roll(folder: Path, voters: Iterable[Voter]) -> None:
    """Write the file of the roll, at once: a service may be reading. Raises `OSError`."""
    replace_file(folder, VOTERS_FILE, voters_to_csv(voters))
