"""A register kept in CSV files: `families.csv`, `appointments.csv` and `voters.csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final, Generic, TypeVar

from issuer.register.csv_appointments import parse_appointments_csv
from issuer.register.csv_families import parse_families_csv
from issuer.register.csv_table import MAX_FILE_BYTES, LoadReport
from issuer.register.csv_voters import parse_voters_csv
from issuer.register.electoral_roll import Voter
from issuer.register.model import Appointment, Family
from issuer.register.port import MAX_CHUNK, RegisterUnavailable, SubjectUnknown

FAMILIES_FILE: Final = "families.csv"
APPOINTMENTS_FILE: Final = "appointments.csv"
VOTERS_FILE: Final = "voters.csv"

_Subject = TypeVar("_Subject")


class _CsvFile(Generic[_Subject]):
    """The subjects of one file, replaced as a whole on `load`.

    A reader sees the subjects of one load, never a mixture. `load` parses before it replaces:
    when it raises, the former subjects go on being served.
    """

    def __init__(
        self, path: Path, parse: Callable[[bytes], tuple[dict[str, _Subject], LoadReport]]
    ) -> None:
        self._path = path
        self._parse = parse
        self._loading = Lock()
        self._subjects: dict[str, _Subject] | None = None

    def load(self) -> LoadReport:
        # One load at a time, so that an older file never replaces a newer one.
        with self._loading:
            subjects, report = self._parse(_read(self._path))
            self._subjects = subjects
            return report

    def chunks(self, chunk_size: int) -> Iterator[tuple[_Subject, ...]]:
        if not 1 <= chunk_size <= MAX_CHUNK:
            raise ValueError(f"a chunk has 1 to {MAX_CHUNK} subjects")
        subjects = iter(self._loaded().values())
        return iter(lambda: tuple(islice(subjects, chunk_size)), ())

    def subject(self, subject_id: str) -> _Subject:
        subject = self._loaded().get(subject_id)
        if subject is None:
            raise SubjectUnknown("the register does not list this subject")
        return subject

    def _loaded(self) -> dict[str, _Subject]:
        if self._subjects is None:
            raise RegisterUnavailable("the register has not been loaded")
        return self._subjects


class CsvFamilyRegister:
    """A `FamilyRegister` over one file. Serves nothing before the first `load`."""

    def __init__(self, path: Path) -> None:
        self._file = _CsvFile(path, parse_families_csv)

    def load(self) -> LoadReport:
        """Read the file and serve what is valid in it from now on; safe while in use.

        Raises `RegisterUnavailable` (cannot be read), `RegisterFileMalformed`; the families of
        the former load are then still served.
        """
        return self._file.load()

    def families(self, *, chunk_size: int = MAX_CHUNK) -> Iterator[tuple[Family, ...]]:
        return self._file.chunks(chunk_size)

    def family(self, family_id: str) -> Family:
        return self._file.subject(family_id)


class CsvAppointmentRegister:
    """An `AppointmentRegister` over one file. Serves nothing before the first `load`."""

    def __init__(self, path: Path) -> None:
        self._file = _CsvFile(path, parse_appointments_csv)

    def load(self) -> LoadReport:
        """As `CsvFamilyRegister.load`."""
        return self._file.load()

    def appointments(self, *, chunk_size: int = MAX_CHUNK) -> Iterator[tuple[Appointment, ...]]:
        return self._file.chunks(chunk_size)

    def appointment(self, appointment_id: str) -> Appointment:
        return self._file.subject(appointment_id)


class CsvElectoralRoll:
    """An `ElectoralRoll` over one file. Serves nothing before the first `load`."""

    def __init__(self, path: Path) -> None:
        self._file = _CsvFile(path, parse_voters_csv)

    def load(self) -> LoadReport:
        """As `CsvFamilyRegister.load`."""
        return self._file.load()

    def voters(self, *, chunk_size: int = MAX_CHUNK) -> Iterator[tuple[Voter, ...]]:
        return self._file.chunks(chunk_size)

    def voter(self, register_id: str) -> Voter:
        return self._file.subject(register_id)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise RegisterUnavailable(f"the register file cannot be read: {reason}") from None
