"""What an appointment letter (위촉장) says. Pure; who may approve it is the service's affair."""

from __future__ import annotations

from typing import Final

from issuer.register.model import Appointment

APPOINTMENT_LETTER_TYPE: Final = "urn:seoul-wallet:appointment-letter:1"

APPOINTMENT_LETTER_CLAIMS: Final = (
    "name",
    "post",
    "organisation",
    "term_from",
    "valid_until",
    "serial",
    "seal_text",
    "signer_title",
)
# The office is public; who holds it, and under which number, is for the holder to show.
DISCLOSABLE_APPOINTMENT_LETTER_CLAIMS: Final = (("name",), ("serial",))


def appointment_letter_claims(appointment: Appointment) -> dict[str, str]:
    """Return the claims under the names of `APPOINTMENT_LETTER_CLAIMS`.

    `term_from` and `valid_until` are the first and the last day of the term. Does not check that
    the term has begun or has not ended.
    """
    return {
        "name": appointment.name,
        "post": appointment.post,
        "organisation": appointment.organisation,
        "term_from": appointment.term_from.isoformat(),
        "valid_until": appointment.term_until.isoformat(),
        "serial": appointment.serial,
        "seal_text": appointment.seal_text,
        "signer_title": appointment.signer_title,
    }
