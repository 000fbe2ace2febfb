"""How large a rehearsal is, and what came out of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from wallet.ports.compute import Compute

Tell = Callable[[str, int, int], None]
OpenCompute = Callable[[], AbstractContextManager[Compute]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a rehearsal is and how fast it goes; times in seconds.

    `vote_s` None is estimated from two ballots.
    """

    voters: int
    through_wallet: int
    trustees: int = 5
    threshold: int = 3
    lead_s: int = 60
    vote_s: int | None = None
    every_s: int = 20
    workers: int = 2


@dataclass
class Report:
    """What came out. `seconds` are by step, of the clock; `processor_s` of one processor.
    `ballots` were taken, of as many `voters`; who came after the close was not.
    `code` is the tracking code of a wallet's ballot, for the verifier to find."""

    voters: int
    projects: int
    bits: int
    ballots: int = 0
    counted: int = 0
    through_wallet: int = 0
    code: str | None = None
    is_official: bool | None = None
    verifier_exit: int = -1
    checks: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    processor_s: dict[str, float] = field(default_factory=dict)
    memory_bytes: dict[str, int] = field(default_factory=dict)
    record_bytes: int = 0

    def spend(self, what: str, seconds: float) -> None:
        """Add processor time to what it was spent on."""
        self.processor_s[what] = self.processor_s.get(what, 0.0) + seconds
