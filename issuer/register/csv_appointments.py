"""`appointments.csv`: one row per appointment letter (위촉장). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from issuer.register.csv_table import (
    SYNTHETIC,
    LoadReport,
    Row,
    RowRefused,
    read_subjects,
    write_rows,
)
from issuer.register.model import Appointment, AppointmentTermMalformed
from wallet.encoding.names import parse_name, parse_text

APPOINTMENT_COLUMNS: Final = (
    "synthetic",
    "appointment_id",
    "name",
    "post",
    "organisation",
    "term_from",
    "term_until",
    "serial",
    "seal_text",
    "signer_title",
)


def parse_appointments_csv(data: bytes) -> tuple[dict[str, Appointment], LoadReport]:
    """Return the appointments by id, ordered, and what became of the other rows.

    Of rows with the same id, or the same serial, none is served: the file does not say which is
    right. Raises `RegisterFileMalformed`.
    """
    id_of_serial: dict[str, str] = {}

    def read(row: Row, appointment_id: str) -> Appointment:
        appointment = _appointment(row, appointment_id)
        first = id_of_serial.setdefault(appointment.serial, appointment_id)
        if first != appointment_id:
            raise RowRefused("serial", "duplicate_id", contradicts=first)
        return appointment

    return read_subjects(data, APPOINTMENT_COLUMNS, "appointment_id", read)


def appointments_to_csv(appointments: Iterable[Appointment]) -> bytes:
    """Return the file that `parse_appointments_csv` reads as these appointments."""
    return write_rows(APPOINTMENT_COLUMNS, map(_fields, appointments))


def _appointment(row: Row, appointment_id: str) -> Appointment:
    try:
        return Appointment(
            appointment_id,
            row.text("name", parse_name),
            row.text("post", parse_text),
            row.text("organisation", parse_text),
            row.date("term_from"),
            row.date("term_until"),
            row.text("serial", parse_text),
            row.text("seal_text", parse_text),
            row.text("signer_title", parse_text),
            row.synthetic(),
        )
    except AppointmentTermMalformed:
        raise RowRefused("term_until", "term_ends_before_it_begins") from None


def _fields(appointment: Appointment) -> dict[str, str]:
    return {
        "synthetic": SYNTHETIC if appointment.synthetic else "",
        "appointment_id": appointment.appointment_id,
        "name": appointment.name,
        "post": appointment.post,
        "organisation": appointment.organisation,
        "term_from": appointment.term_from.isoformat(),
        "term_until": appointment.term_until.isoformat(),
        "serial": appointment.serial,
        "seal_text": appointment.seal_text,
        "signer_title": appointment.signer_title,
    }
