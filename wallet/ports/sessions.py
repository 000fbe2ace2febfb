"""Protocol sessions and one-time values, with compare-and-set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from wallet.errors import ConflictError


class SessionUnknown(ConflictError):
    """There is no such session or one-time value: never made, expired, or used."""

    code = "session_unknown"


class SessionConflict(ConflictError):
    """Someone else changed the session in the meantime, or it exists already."""

    code = "session_conflict"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session's state as stored, and the version to name when replacing it."""

    state: bytes
    version: int
    expires_at: int


class SessionStore(Protocol):
    """Keeps small states by (kind, id). Every change is durable before the method returns.

    Ids may be secrets (codes, nonces): an implementation stores their digest only.
    """

    def create(self, kind: str, session_id: str, state: bytes, *, expires_at: int) -> None:
        """Store a new state. Raises `SessionConflict` if the id exists."""

    def create_many(self, kind: str, states: Mapping[str, bytes], *, expires_at: int) -> None:
        """Store new states by id, all or nothing. Raises `SessionConflict` if an id exists."""

    def load(self, kind: str, session_id: str, *, now: int) -> StoredSession:
        """Return the state. Raises `SessionUnknown`, also when it expired before `now`."""

    def replace(
        self,
        kind: str,
        session_id: str,
        state: bytes,
        *,
        expected_version: int,
        expires_at: int,
        beside: Callable[[Any], None] | None = None,
    ) -> None:
        """Replace the state if its version is still the expected one.

        Of N parallel calls exactly one succeeds; the others raise `SessionConflict`. `beside` is a
        change of another store on the same database: both are made or neither, and what it raises
        comes through.
        """

    def take(self, kind: str, session_id: str, *, now: int) -> bytes:
        """Remove the entry and return its state: how a one-time value is used.

        Of N parallel calls exactly one succeeds; the others raise `SessionUnknown`.
        """

    def purge(self, *, now: int) -> int:
        """Remove what expired before `now`; return how many."""
