"""The error families, organised by what the caller should do. Imports nothing of this library.

SeoulWalletError
├── MalformedError     the input is not what its format says    400  fix it
├── UnsupportedError   well formed, not implemented here        400  negotiate
├── RejectedError      checked, and not acceptable              422  stop
├── ConflictError      right request, wrong moment              409  refresh the state
└── UnavailableError   could not be checked                     503  retry; never a verdict

Leaves live beside the code that raises them (those that a port may raise, in `wallet.ports`).
Every leaf has its own stable `code`, listed in docs/errors.md.
"""

from traceback import extract_tb
from typing import ClassVar


class SeoulWalletError(Exception):
    """Root of everything this library raises on purpose. Never raised directly.

    `code` is stable and meant for machines; the message is for people and carries no personal
    data, no secret and no whole document.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __reduce__(self) -> tuple[object, ...]:
        # By default, a copy is made by calling the class with `args`, which fits few leaves.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[SeoulWalletError], args: tuple[object, ...], state: dict[str, object]
) -> SeoulWalletError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class MalformedError(SeoulWalletError):
    """The input is not what its format says. The caller should fix it."""

    code = "malformed"
    status = 400


class UnsupportedError(SeoulWalletError):
    """The input is well formed but asks for something this implementation does not do."""

    code = "unsupported"
    status = 400


class RejectedError(SeoulWalletError):
    """The input was checked and is not acceptable. Trying again does not help."""

    code = "rejected"
    status = 422


class ConflictError(SeoulWalletError):
    """The request is right but the moment is wrong: used up, expired or already done."""

    code = "conflict"
    status = 409


class UnavailableError(SeoulWalletError):
    """It could not be checked. Never a verdict: retry, and do not treat as valid or invalid."""

    code = "unavailable"
    status = 503


def fault_place(error: BaseException) -> str:
    """Return the type and the place of an unforeseen error, for a log.

    Its text is left out: it may hold anything, also what is personal.
    """
    frames = extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
    return f"{type(error).__name__} at {place}"
