"""A whole synthetic register, and its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from issuer.register.csv_appointments import appointments_to_csv
from issuer.register.csv_families import families_to_csv
from issuer.register.csv_register import APPOINTMENTS_FILE, FAMILIES_FILE
from issuer.register.model import Appointment, Family
from seoul_wallet.sample.appointments import make_appointments
from seoul_wallet.sample.borders import border_cases
from seoul_wallet.sample.draw import Draw
from seoul_wallet.sample.families import FamilyMaker, draw_plan

APPOINTMENTS: Final = 20
MAX_HOUSEHOLDS: Final = 100_000
MAX_APPOINTMENTS: Final = 50_000
FIRST_DAY: Final = date(2010, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)


@dataclass(frozen=True, slots=True)
class SampleRegister:
    """Families (the border cases first) and appointments, all synthetic."""

    families: tuple[Family, ...]
    appointments: tuple[Appointment, ...]

    def files(self) -> dict[str, bytes]:
        """Return the register's CSV files by name."""
        return {
            FAMILIES_FILE: families_to_csv(self.families),
            APPOINTMENTS_FILE: appointments_to_csv(self.appointments),
        }

    def write(self, directory: Path) -> None:
        """Write the files, each replaced at once: a service may be reading. Raises `OSError`."""
        for name, content in self.files().items():
            replace_file(directory, name, content)


def replace_file(directory: Path, name: str, content: bytes) -> None:
    """Write a file that appears whole, in place of the one before. Raises `OSError`."""
    directory.mkdir(parents=True, exist_ok=True)
    new = directory / f".{name}.new"
    new.write_bytes(content)
    os.replace(new, directory / name)


def make_sample_register(
    *, seed: int, households: int, on: date, appointments: int = APPOINTMENTS
) -> SampleRegister:
    """Return the register of `households` families, the border cases among them, as of `on`.

    The same arguments give the same register on every machine. Raises `ValueError` when there
    is no room for the border cases, and for a count or a day out of range.
    """
    if not FIRST_DAY <= on <= LAST_DAY:
        raise ValueError(f"the day is from {FIRST_DAY} to {LAST_DAY}")
    borders = border_cases(on)
    if not len(borders) <= households <= MAX_HOUSEHOLDS:
        raise ValueError(f"from {len(borders)} to {MAX_HOUSEHOLDS} households")
    if not 0 <= appointments <= MAX_APPOINTMENTS:
        raise ValueError(f"from 0 to {MAX_APPOINTMENTS} appointments")
    draw = Draw(f"families {seed} {on.isoformat()}")
    maker = FamilyMaker(draw)
    families = [maker.make(case.family_id, case.plan) for case in borders]
    families += [
        maker.make(f"SYN-F-{number:06}", draw_plan(draw, on))
        for number in range(len(families) + 1, households + 1)
    ]
    letters = make_appointments(Draw(f"appointments {seed} {on.isoformat()}"), on, appointments)
    return SampleRegister(tuple(families), letters)
