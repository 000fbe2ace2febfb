"""What the issuer asks of a register, and how a register may fail."""

from collections.abc import Iterator
from typing import Final, Protocol

from issuer.register.model import Appointment, Family
from wallet.errors import RejectedError, UnavailableError

MAX_CHUNK: Final = 1_000


class RegisterUnavailable(UnavailableError):
    """The register could not be asked. Never means that it does not know the subject."""

    code = "register_unavailable"


class SubjectUnknown(RejectedError):
    """The register was asked and does not list the subject.

    Rejected rather than a conflict: asking again does not help until the department changes its
    register.
    """

    code = "subject_unknown"


class FamilyRegister(Protocol):
    """Families by id. One answer comes from one state of the register."""

    def families(self, *, chunk_size: int = MAX_CHUNK) -> Iterator[tuple[Family, ...]]:
        """Return all families in chunks of 1 to `MAX_CHUNK`, ordered by family id.

        All chunks come from the state at the time of the call. Raises `RegisterUnavailable`,
        and `ValueError` for another chunk size.
        """

    def family(self, family_id: str) -> Family:
        """Return one family. Raises `SubjectUnknown`, `RegisterUnavailable`."""


class AppointmentRegister(Protocol):
    """Appointments by id. One answer comes from one state of the register."""

    def appointments(self, *, chunk_size: int = MAX_CHUNK) -> Iterator[tuple[Appointment, ...]]:
        """Return all appointments in chunks, as `FamilyRegister.families` does."""

    def appointment(self, appointment_id: str) -> Appointment:
        """Return one appointment. Raises `SubjectUnknown`, `RegisterUnavailable`."""
