"""The outcome rule of a manifest: how totals become a list of funded projects.

docs/voting.md, section 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from wallet.voting.shapes import Shape

BY_VOTES: Final = "votes"
BY_VOTES_PER_COST: Final = "votes_per_cost"
SKIP: Final = "skip"
STOP: Final = "stop"
CITY: Final = "city"
DISTRICTS: Final = "districts"
_PHASES: Final = ((CITY,), (DISTRICTS,), (DISTRICTS, CITY))


@dataclass(frozen=True, slots=True)
class OutcomeRules:
    """Order, what happens when a project does not fit, thresholds, and the phases of spending."""

    rule: str
    on_overrun: str
    min_votes: int
    min_score: Fraction
    phases: tuple[str, ...]


def read_outcome_rules(shape: Shape, value: Any) -> OutcomeRules:
    """Read the `outcome` member of a manifest; raises the error class of `shape`."""
    rules = shape.members(value, "rule", "on_overrun", "min_votes", "min_score", "phases")
    phases = shape.items(
        rules["phases"], lambda phase: shape.choice(phase, CITY, DISTRICTS), low=1, high=2
    )
    if phases not in _PHASES:
        raise shape.refuse("the phases are city, districts, or districts and then city")
    return OutcomeRules(
        shape.choice(rules["rule"], BY_VOTES, BY_VOTES_PER_COST),
        shape.choice(rules["on_overrun"], SKIP, STOP),
        shape.integer(rules["min_votes"]),
        shape.fraction(rules["min_score"]),
        phases,
    )
