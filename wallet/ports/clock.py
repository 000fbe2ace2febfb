"""The time, for those who may know it."""

from typing import Protocol


class Clock(Protocol):
    """Tells the time to services; the core is given `now` instead."""

    def now(self) -> int:
        """Return the time in whole unix seconds."""
