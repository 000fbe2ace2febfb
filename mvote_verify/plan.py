"""The checks as a plan: what builds on what, how one ends, and what a run is told."""

from dataclasses import dataclass, field
from enum import StrEnum

from mvote_verify.engines import Work
from mvote_verify.node import Node
from mvote_verify.pool import Progress, Resume

CHECKS = 20
NEEDS: dict[int, tuple[int, ...]] = {
    2: (1,),
    3: (1, 2, 4),
    4: (1, 2),
    5: (4,),
    6: (3,),
    7: (4,),
    8: (7,),
    9: (7,),
    10: (7,),
    11: (3,),
    12: (7,),
    13: (4,),
    14: (8, 9, 10),
    15: (8, 9, 10, 13),
    16: (4,),
    17: (15,),
    18: (3,),
    20: (7,),
}
"""Checks whose results a check builds on: it is not reached unless they passed."""
# V3 builds on V4, since a checkpoint names the election, which follows from the ceremony.
ORDER = (1, 2, 4, *(number for number in range(3, CHECKS + 1) if number != 4))


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_REACHED = "not_reached"


class NotReached(Exception):
    """What the check builds on is not there."""


@dataclass(frozen=True, slots=True)
class Result:
    number: int
    status: Status
    code: str | None = None
    detail: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How to check. `node` None: the checks that need one are skipped."""

    node: Node | None = None
    code: str | None = None
    work: Work = field(default_factory=Work)
    resume: Resume | None = None
    progress: Progress = lambda done, total: None
