"""A clock that stands still until it is set."""


class SettableClock:
    """`ports.clock.Clock` under the test's control."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def set(self, now: int) -> None:
        """Move to `now`, unix seconds."""
        self._now = now
