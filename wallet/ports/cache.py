"""Copies of fetched facts, so that they outlive a restart and an outage of their source."""

from typing import Protocol

from wallet.verification.evidence import Fact


class FactCache(Protocol):
    """Keeps the newest copy by (kind, name). Every method raises `StorageUnavailable`.

    `kind` is the caller's constant; `name` may come from outside (an address). What is kept is
    as trustworthy as its source: the caller verifies again what it reads. The caller bounds the
    size of values; the number per kind is bounded here.
    """

    def get(self, kind: str, name: str) -> Fact[bytes] | None:
        """Return the newest copy with its time, or None. The caller judges its age."""

    def put(self, kind: str, name: str, value: bytes, *, as_of: int) -> None:
        """Keep the copy unless a newer one is kept already. The oldest of a kind may go."""
