"""Register files as rows: UTF-8 CSV with a known header, bounded, refused row by row. Pure.

Nothing here repeats a value of the file: a problem is a line number, a column and a reason.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from issuer.register.model import RegisterIdMalformed, holds_resident_number, parse_register_id
from wallet.encoding.names import IntakeText, NameNotAcceptable
from wallet.errors import MalformedError

MAX_FILE_BYTES: Final = 128 * 1024 * 1024
MAX_ROWS: Final = 500_000
MAX_FIELD_CHARACTERS: Final = 1_200
MAX_REPORTED: Final = 1_000
YEARS: Final = range(1900, 2200)
SYNTHETIC: Final = "SYNTHETIC"
SYNTHETIC_ID_PREFIX: Final = "SYN-"

_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_Choice = TypeVar("_Choice")
_Subject = TypeVar("_Subject")


class RegisterFileMalformed(MalformedError):
    """A register file as a whole cannot be read: encoding, header, quoting, or size."""

    code = "register_file_malformed"


class RowRefused(MalformedError):
    """One row of a register file is not acceptable. Kept in the report, not raised to callers.

    `column` is empty when the row as a whole is meant; `reason` is stable. `contradicts` names
    the subject of an earlier row that cannot be right if this one is.
    """

    code = "register_row_refused"

    def __init__(self, column: str, reason: str, *, contradicts: str = "") -> None:
        super().__init__(f"{column or 'row'}: {reason}")
        self.column = column
        self.reason = reason
        self.contradicts = contradicts


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not served. `line` is the first line of the row in the file, from 1."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A row that is served, with something for a clerk to look at.

    `reason` is `folded_ideograph`, with the one character as written and as stored, or
    `mixed_scripts` or `latin_look_alike`, with both empty.
    """

    line: int
    column: str
    reason: str
    original: str
    nfc: str


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a file. Lists end at `MAX_REPORTED`; the counts do not.

    `served` and `withheld` count subjects (families, appointments); a subject with one bad row
    is withheld whole. A bad row whose subject cannot be read counts in `bad_row_count` alone.
    """

    sha256: str
    rows: int
    served: int
    withheld: int
    bad_row_count: int
    bad_rows: tuple[BadRow, ...]
    notice_count: int
    notices: tuple[Notice, ...]


@dataclass(slots=True)
class ReportBuilder:
    """Collects the problems of one file; every list in it is bounded."""

    rows: int = 0
    _bad_lines: set[int] = field(default_factory=set)
    _bad_rows: list[BadRow] = field(default_factory=list)
    _notice_count: int = 0
    _notices: list[Notice] = field(default_factory=list)

    def add_bad_row(self, line: int, column: str, reason: str) -> None:
        self._bad_lines.add(line)
        if len(self._bad_rows) < MAX_REPORTED:
            self._bad_rows.append(BadRow(line, column, reason))

    def add_notice(self, notice: Notice) -> None:
        self._notice_count += 1
        if len(self._notices) < MAX_REPORTED:
            self._notices.append(notice)

    def build(self, data: bytes, *, served: int, withheld: int) -> LoadReport:
        return LoadReport(
            hashlib.sha256(data).hexdigest(),
            self.rows,
            served,
            withheld,
            len(self._bad_lines),
            tuple(sorted(self._bad_rows, key=lambda bad: bad.line)),
            self._notice_count,
            tuple(self._notices),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row with typed access to its fields; each method raises `RowRefused`."""

    line: int
    fields: Mapping[str, str]
    report: ReportBuilder

    def raw(self, column: str) -> str:
        return self.fields[column]

    def text(self, column: str, parse: Callable[[str], IntakeText]) -> str:
        """Return the text as `parse` accepts it; what a clerk should see goes to the report."""
        try:
            intake = parse(self.fields[column])
        except NameNotAcceptable as error:
            raise RowRefused(column, error.reason) from None
        for folded in intake.folded_ideographs:
            self.report.add_notice(
                Notice(self.line, column, "folded_ideograph", folded.original, folded.nfc)
            )
        if intake.mixed_scripts:
            self.report.add_notice(Notice(self.line, column, "mixed_scripts", "", ""))
        if intake.latin_look_alike:
            self.report.add_notice(Notice(self.line, column, "latin_look_alike", "", ""))
        return intake.value

    def register_id(self, column: str) -> str:
        """Return an identifier, which carries the synthetic prefix exactly in a marked row."""
        try:
            register_id = parse_register_id(self.fields[column])
        except RegisterIdMalformed:
            raise RowRefused(column, "id_malformed") from None
        if register_id.startswith(SYNTHETIC_ID_PREFIX) != self.synthetic():
            raise RowRefused(column, "synthetic_mark_differs")
        return register_id

    def synthetic(self) -> bool:
        return self.choice("synthetic", {SYNTHETIC: True, "": False})

    def date(self, column: str) -> date:
        """Return an ISO 8601 calendar date of the form YYYY-MM-DD, in the years `YEARS`."""
        value = self.fields[column]
        try:
            day = date.fromisoformat(value) if _DATE.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or day.year not in YEARS:
            raise RowRefused(column, "not_a_date")
        return day

    def choice(self, column: str, choices: Mapping[str, _Choice]) -> _Choice:
        if self.fields[column] not in choices:
            raise RowRefused(column, "unknown_value")
        return choices[self.fields[column]]


def read_rows(data: bytes, columns: Sequence[str], report: ReportBuilder) -> Iterator[Row]:
    """Yield the rows that are as long as the header; the others go to the report.

    The header names exactly `columns`, in any order. A byte-order mark is accepted, blank lines
    are skipped. Raises `RegisterFileMalformed`, for some of it not before the row is reached.
    """
    records = _records(_decode(data))
    header = next(records, (0, []))[1]
    if sorted(header) != sorted(columns):
        # The header found is not repeated: in a file without one it is somebody's data.
        raise RegisterFileMalformed(f"the first line must name the columns {', '.join(columns)}")
    for line, fields in records:
        report.rows += 1
        if report.rows > MAX_ROWS:
            raise RegisterFileMalformed(f"more than {MAX_ROWS} rows")
        try:
            yield Row(line, _named_fields(header, fields), report)
        except RowRefused as refused:
            report.add_bad_row(line, refused.column, refused.reason)


def read_subjects(
    data: bytes, columns: Sequence[str], id_column: str, read: Callable[[Row, str], _Subject]
) -> tuple[dict[str, _Subject], LoadReport]:
    """Return what `read` makes of each row, by id and ordered, and what became of the others.

    A subject has one row. Of rows with the same id none is served, nor a subject that a later row
    contradicts: the file does not say which is right. Raises `RegisterFileMalformed`.
    """
    report = ReportBuilder()
    subjects: dict[str, _Subject] = {}
    seen: set[str] = set()
    withheld: set[str] = set()
    for row in read_rows(data, columns, report):
        subject_id = ""
        try:
            subject_id = row.register_id(id_column)
            if subject_id in seen:
                raise RowRefused(id_column, "duplicate_id")
            seen.add(subject_id)
            subjects[subject_id] = read(row, subject_id)
        except RowRefused as refused:
            report.add_bad_row(row.line, refused.column, refused.reason)
            withheld |= {subject_id, refused.contradicts} - {""}
    served = {key: item for key, item in sorted(subjects.items()) if key not in withheld}
    return served, report.build(data, served=len(served), withheld=len(withheld))


def write_rows(columns: Sequence[str], rows: Iterator[Mapping[str, str]]) -> bytes:
    """Return a file that `read_rows` reads: UTF-8 without a mark, lines ended by LF."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8")


def _decode(data: bytes) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise RegisterFileMalformed(f"longer than {MAX_FILE_BYTES} bytes")
    if b"\0" in data:
        raise RegisterFileMalformed("a NUL byte is not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RegisterFileMalformed(f"line {line} is not UTF-8: save as CSV UTF-8") from None


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise RegisterFileMalformed(f"the row at line {line} is not CSV") from None
        if fields:
            yield line, fields


def _named_fields(header: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    if len(fields) != len(header):
        raise RowRefused("", "wrong_field_count")
    named = dict(zip(header, fields, strict=True))
    for column, value in named.items():
        if len(value) > MAX_FIELD_CHARACTERS:
            raise RowRefused(column, "field_too_long")
        if holds_resident_number(value):
            raise RowRefused(column, "resident_number")
    return named
