"""What an audit ends with when two things that must be equal are not."""

from __future__ import annotations

from typing import Final

from wallet.errors import RejectedError, UnavailableError

ZERO_ADDRESS: Final = "0x" + "00" * 20


class AuditDifference(RejectedError):
    """Two things that must be equal are not; the message names the first such place."""

    code = "audit_difference"


class AuditIncomplete(UnavailableError):
    """A check that was asked for could not be done: the audit proves nothing without it."""

    code = "audit_incomplete"


def expect(subject: str, name: str, found: object, expected: object) -> None:
    """Return if the two are equal. Raises `AuditDifference` that names subject and name."""
    if found != expected:
        raise AuditDifference(f"{subject}: {name} is {shown(found)}, expected {shown(expected)}")


def require(holds: bool, subject: str, rule: str) -> None:
    """Return if a rule of the contracts holds. Raises `AuditDifference`."""
    if not holds:
        raise AuditDifference(f"{subject}: {rule}")


def shown(value: object) -> str:
    """Return a value as it is written in messages: bytes in hexadecimal."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(shown, value)) + ")"
    return "missing" if value is None else str(value)


def short(value: bytes) -> str:
    """Return the beginning of an identifier, enough to find it again."""
    return "0x" + value.hex()[:16]
