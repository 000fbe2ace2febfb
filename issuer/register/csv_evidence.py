"""The registers behind evidence, as one CSV file for each kind in a folder.

`residence.csv` has a row for every address a person had, `career.csv` for every employment,
`receipts.csv` one for every benefit received (or, with an empty day, for one that was not), every
other file one row for a person.
Family relations come from the families' register. `sector-key` holds the city's key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, Final

from issuer.register.career import CareerRecord, Employment
from issuer.register.csv_table import (
    MAX_FILE_BYTES,
    SYNTHETIC,
    LoadReport,
    ReportBuilder,
    Row,
    RowRefused,
    read_rows,
    write_rows,
)
from issuer.register.evidence import (
    MIN_SECTOR_KEY_BYTES,
    EvidenceRecord,
    IncomeRecord,
    PlainRecord,
    ReceiptsRecord,
    ResidencePeriod,
    ResidenceRecord,
    family_claims,
    sector_id,
)
from issuer.register.model import CITIES_AND_PROVINCES, SEOUL, SEOUL_DISTRICTS, RegistrationKind
from issuer.register.port import FamilyRegister, RegisterUnavailable, SubjectUnknown
from wallet.eligibility.evidence_types import ClaimType, FactType, evidence_types
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.encoding.names import parse_text
from wallet.errors import MalformedError

FAMILY_KIND: Final = "family-relation"
SECTOR_KEY_FILE: Final = "sector-key"
MAX_ROWS_OF_ONE: Final = 200
# Each has six disclosures in a certificate.
MAX_EMPLOYMENTS: Final = 40
MAX_NUMBER: Final = 10**13
_HEAD: Final = ("synthetic", "register_id")
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "residence": (
        "birth_date",
        "registration_kind",
        "first_day",
        "last_day",
        "city_or_province",
        "district",
    ),
    "career": ("employer", "job", "starts_on", "ends_on", "weekly_hours"),
    "income": ("median_year", "household_size", "monthly_income_won"),
    "receipts": ("as_of", "programme", "received_on"),
}
_BOOLEANS: Final = {"true": True, "false": False}
_KINDS: Final = {kind.value: kind for kind in RegistrationKind}


def evidence_kinds() -> tuple[str, ...]:
    """Return the kinds of evidence that have a file of their own."""
    return tuple(name for name in evidence_types().by_name if name != FAMILY_KIND)


def columns_of(kind: str) -> tuple[str, ...]:
    """Return the columns of a kind's file."""
    own = _COLUMNS.get(kind) or tuple(evidence_types().by_name[kind].claims)
    return (*_HEAD, *own)


@dataclass(slots=True)
class _Draft:
    """What the rows of one person said so far. `bad` turns true once and for all."""

    rows: list[JsonObject] = field(default_factory=list)
    bad: bool = False


def parse_evidence_csv(kind: str, data: bytes) -> tuple[dict[str, EvidenceRecord], LoadReport]:
    """Return the records of one file by register id, and what became of the others.

    Of a person with one bad row none is served. Raises `RegisterFileMalformed`.
    """
    report = ReportBuilder()
    drafts: dict[str, _Draft] = {}
    read = _READERS.get(kind) or _plain_row(kind)
    for row in read_rows(data, columns_of(kind), report):
        draft: _Draft | None = None
        try:
            draft = drafts.setdefault(row.register_id("register_id"), _Draft())
            if len(draft.rows) >= (MAX_ROWS_OF_ONE if kind in _JOINED else 1):
                raise RowRefused("register_id", "duplicate_id")
            draft.rows.append(read(row))
        except RowRefused as refused:
            report.add_bad_row(row.line, refused.column, refused.reason)
            if draft is not None:
                draft.bad = True
    join = _JOINED.get(kind) or _SINGLE.get(kind) or _plain
    records = {}
    for register_id, draft in sorted(drafts.items()):
        record = None if draft.bad else join(draft.rows)
        if record is not None:
            records[register_id] = record
    withheld = len(drafts) - len(records)
    return records, report.build(data, served=len(records), withheld=withheld)


def evidence_to_csv(kind: str, rows: Iterable[tuple[str, JsonObject]]) -> bytes:
    """Return a kind's file of rows (register id, values); all of them synthetic people."""
    return write_rows(
        columns_of(kind),
        (
            {"synthetic": SYNTHETIC, "register_id": register_id}
            | {name: _written(values.get(name)) for name in columns_of(kind)[2:]}
            for register_id, values in rows
        ),
    )


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "|".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain_row(kind: str) -> Callable[[Row], JsonObject]:
    claims = evidence_types().by_name[kind].claims.values()
    return lambda row: {claim.name: _claim(row, claim) for claim in claims}


def _claim(row: Row, claim: ClaimType) -> Any:
    # An empty field says that the register knows and there is none: no day of birth yet.
    if claim.type is FactType.DATE:
        return row.date(claim.name).isoformat() if row.raw(claim.name) else None
    if claim.type is FactType.INTEGER:
        return _number(row, claim.name)
    if claim.type is FactType.BOOLEAN:
        return row.choice(claim.name, _BOOLEANS)
    if claim.type is FactType.TEXTS:
        return [_choice(row, claim, text) for text in row.raw(claim.name).split("|") if text]
    if claim.values:
        return _choice(row, claim, row.raw(claim.name))
    return row.text(claim.name, parse_text) if row.raw(claim.name) else None


def _choice(row: Row, claim: ClaimType, text: str) -> str:
    if text not in claim.values:
        raise RowRefused(claim.name, "unknown_value")
    return text


def _number(row: Row, column: str) -> int:
    text = row.raw(column)
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_NUMBER)):
        raise RowRefused(column, "not_a_number")
    return int(text)


def _residence_row(row: Row) -> JsonObject:
    city, district = row.text("city_or_province", parse_text), row.raw("district")
    if city not in CITIES_AND_PROVINCES:
        raise RowRefused("city_or_province", "unknown_value")
    if city == SEOUL and district not in SEOUL_DISTRICTS:
        raise RowRefused("district", "unknown_value")
    first = row.date("first_day")
    last = row.date("last_day") if row.raw("last_day") else None
    if last is not None and last < first:
        raise RowRefused("last_day", "ends_before_it_begins")
    return {
        "birth_date": row.date("birth_date"),
        "registration_kind": row.choice("registration_kind", _KINDS),
        "period": ResidencePeriod(first, last, city, district),
    }


def _residence(rows: list[JsonObject]) -> EvidenceRecord | None:
    history = sorted((row["period"] for row in rows), key=lambda period: period.first)
    for earlier, later in pairwise(history):
        if earlier.last is None or earlier.last >= later.first:
            return None  # two addresses at once: the file does not say which is right
    if len({(row["birth_date"], row["registration_kind"]) for row in rows}) != 1:
        return None
    return ResidenceRecord(rows[0]["birth_date"], rows[0]["registration_kind"], tuple(history))


def _career_row(row: Row) -> JsonObject:
    first = row.date("starts_on")
    last = row.date("ends_on") if row.raw("ends_on") else None
    if last is not None and last < first:
        raise RowRefused("ends_on", "ends_before_it_begins")
    return {
        "employer": row.text("employer", parse_text),
        "job": row.text("job", parse_text),
        "starts_on": first,
        "ends_on": last,
        "weekly_hours": _number(row, "weekly_hours"),
    }


def _career(rows: list[JsonObject]) -> EvidenceRecord | None:
    # More than a certificate has room for is not served in part.
    if len(rows) > MAX_EMPLOYMENTS:
        return None
    return CareerRecord(tuple(Employment(**row) for row in rows))


def _income_row(row: Row) -> JsonObject:
    return {name: _number(row, name) for name in _COLUMNS["income"]}


def _income(rows: list[JsonObject]) -> EvidenceRecord | None:
    record = IncomeRecord(**rows[0])
    try:
        record.claims(date.min)
    except MalformedError:
        return None  # a year or a household that the table of medians does not have
    return record


def _receipts_row(row: Row) -> JsonObject:
    return {
        "as_of": row.date("as_of"),
        "programme": row.text("programme", parse_text),
        "received_on": row.date("received_on") if row.raw("received_on") else None,
    }


def _receipts(rows: list[JsonObject]) -> EvidenceRecord | None:
    received: dict[str, tuple[date, ...]] = {}
    for row in rows:
        days = () if row["received_on"] is None else (row["received_on"],)
        received[row["programme"]] = tuple(sorted({*received.get(row["programme"], ()), *days}))
    return ReceiptsRecord(min(row["as_of"] for row in rows), received)


def _plain(rows: list[JsonObject]) -> EvidenceRecord | None:
    return PlainRecord(rows[0])


_READERS: Final = {
    "residence": _residence_row,
    "career": _career_row,
    "income": _income_row,
    "receipts": _receipts_row,
}
# Kinds of which a person has several rows.
_JOINED: Final = {"residence": _residence, "career": _career, "receipts": _receipts}
_SINGLE: Final = {"income": _income}


class CsvEvidenceRegister:
    """An `EvidenceRegister` over a folder. Serves nothing before the first `load`.

    A kind without a file has no subjects. `load` parses before it replaces: when it raises, what
    was served before goes on being served.
    """

    def __init__(self, folder: Path, families: FamilyRegister) -> None:
        self._folder = folder
        self._families = families
        self._loading = Lock()
        self._loaded: tuple[bytes, dict[str, dict[str, EvidenceRecord]]] | None = None

    def load(self) -> dict[str, LoadReport]:
        """Read the files; return what became of each. Raises `RegisterUnavailable`,
        `RegisterFileMalformed`."""
        with self._loading:
            key = self._sector_key()
            records, reports = {}, {}
            for kind in evidence_kinds():
                path = self._folder / f"{kind}.csv"
                if path.exists():
                    records[kind], reports[kind] = parse_evidence_csv(kind, _read(path))
            self._loaded = key, records
            return reports

    def claims(self, kind: str, subject_id: str, holder_id: str, on: date) -> JsonObject:
        """See `EvidenceRegister.claims`."""
        _, records = self._served()
        if kind == FAMILY_KIND:
            return family_claims(self._families.family(subject_id), holder_id, on)
        record = records.get(kind, {}).get(subject_id)
        if record is None or subject_id != holder_id:
            raise SubjectUnknown("the register does not list this subject")
        return record.claims(on)

    def sector_id(self, sector: str, holder_id: str) -> str:
        """See `EvidenceRegister.sector_id`."""
        return sector_id(self._served()[0], sector, holder_id)

    def _served(self) -> tuple[bytes, dict[str, dict[str, EvidenceRecord]]]:
        if self._loaded is None:
            raise RegisterUnavailable("the register has not been loaded")
        return self._loaded

    def _sector_key(self) -> bytes:
        try:
            key = base64url.decode(_read(self._folder / SECTOR_KEY_FILE).decode("ascii").strip())
        except (UnicodeError, MalformedError):
            raise RegisterUnavailable("the sector key cannot be read") from None
        if len(key) < MIN_SECTOR_KEY_BYTES:
            raise RegisterUnavailable("the sector key is too short")
        return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise RegisterUnavailable(f"the register file cannot be read: {reason}") from None
