"""From totals to the list of funded projects: exact, and with a reason for each project.

docs/voting.md, section 12. A pure function of manifest, group tallies and tie-break.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from wallet.encoding import jcs
from wallet.errors import MalformedError
from wallet.voting.manifest import Manifest, Place, Project
from wallet.voting.outcome_rules import BY_VOTES_PER_COST, CITY, DISTRICTS, STOP
from wallet.voting.tally import GroupTally
from wallet.voting.tie_break import TieBreak

FUNDED: Final = "funded"
BELOW_THRESHOLD: Final = "below_threshold"
SHORT_BUDGET: Final = "short_budget"
SHORT_DISTRICT: Final = "short_district"
SHORT_CATEGORY: Final = "short_category"
STOPPED: Final = "stopped"
NOT_CONSIDERED: Final = "not_considered"


class TotalsMalformed(MalformedError):
    """The totals do not have one number for each project of the manifest."""

    code = "totals_malformed"


@dataclass(frozen=True, slots=True)
class ProjectOutcome:
    """What became of a project and why; `short` is the missing money in whole units."""

    id: str
    votes: int
    score: Fraction
    status: str
    phase: str | None
    short: int | None


@dataclass(frozen=True)
class Outcome:
    """The outcome, projects in the order of the rule."""

    election: bytes
    tie_break: TieBreak
    spent: int
    projects: tuple[ProjectOutcome, ...]

    @property
    def funded(self) -> tuple[str, ...]:
        """The ids of the funded projects, in the order of the rule."""
        return tuple(project.id for project in self.projects if project.status == FUNDED)

    @property
    def octets(self) -> bytes:
        """The bytes of outcome.json."""
        return jcs.canonicalize(
            {
                "kind": "outcome",
                "election": self.election.hex(),
                "seed": self.tie_break.seed.hex(),
                "withheld": list(self.tie_break.withheld),
                "spent": self.spent,
                "projects": [
                    {
                        "id": project.id,
                        "votes": project.votes,
                        "score": str(project.score),
                        "status": project.status,
                        "phase": project.phase,
                        "short": project.short,
                    }
                    for project in self.projects
                ],
            }
        )


def decide_outcome(
    manifest: Manifest, election: bytes, groups: Sequence[GroupTally], tie_break: TieBreak
) -> Outcome:
    """Apply the manifest's rule to the totals of all groups.

    `election` is h_E, for the record. Raises `TotalsMalformed`.
    """
    votes, scores = _scores(manifest, groups)
    key = _order(manifest, scores, tie_break)
    order = sorted(range(len(manifest.projects)), key=key)
    rules = manifest.outcome
    spending = _Spending(manifest)
    for number in order:
        is_below = votes[number] < max(1, rules.min_votes) or scores[number] < rules.min_score
        if is_below:
            spending.verdicts[number] = (BELOW_THRESHOLD, None, None)
    if DISTRICTS in rules.phases:
        for district in manifest.districts:
            if district.money is not None:
                spending.spend_district(district, order)
    if CITY in rules.phases:
        spending.spend_city(order)
    return Outcome(
        election,
        tie_break,
        manifest.budget - spending.left,
        tuple(
            ProjectOutcome(
                manifest.projects[number].id,
                votes[number],
                scores[number],
                *spending.verdicts.get(number, (NOT_CONSIDERED, None, None)),
            )
            for number in order
        ),
    )


def _scores(manifest: Manifest, groups: Sequence[GroupTally]) -> tuple[list[int], list[Fraction]]:
    projects = len(manifest.projects)
    votes, scores = [0] * projects, [Fraction()] * projects
    for group in groups:
        if len(group.totals) != projects or len(group.batch_totals) != projects:
            raise TotalsMalformed("a group has another number of totals than there are projects")
        ballots = group.counted + group.batch_ballots
        for number, pair in enumerate(zip(group.totals, group.batch_totals, strict=True)):
            votes[number] += sum(pair)
            if ballots:
                scores[number] += group.weight * Fraction(sum(pair), ballots)
    return votes, scores


def _order(
    manifest: Manifest, scores: Sequence[Fraction], tie_break: TieBreak
) -> Callable[[int], Any]:
    projects = manifest.projects
    by_cost = manifest.outcome.rule == BY_VOTES_PER_COST

    def key(number: int) -> tuple[Fraction, Fraction, int, bytes]:
        project, score = projects[number], scores[number]
        first = score / project.cost if by_cost else score
        return -first, -score, project.cost, tie_break.place(project.id)

    return key


@dataclass
class _Spending:
    """The money that is left, and the verdict on each project that was looked at."""

    manifest: Manifest
    left: int = field(init=False)
    caps: dict[str, int] = field(init=False)
    verdicts: dict[int, tuple[str, str | None, int | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = self.manifest.budget
        self.caps = {
            category.id: category.money
            for category in self.manifest.categories
            if category.money is not None
        }

    def spend_district(self, district: Place, order: Sequence[int]) -> None:
        projects = self.manifest.projects
        own = [number for number in order if projects[number].district == district.id]
        self._spend(DISTRICTS, own, district.money)

    def spend_city(self, order: Sequence[int]) -> None:
        self._spend(CITY, order, None)

    def _spend(self, phase: str, order: Sequence[int], money: int | None) -> None:
        is_stopped = False
        for number in order:
            status = self.verdicts.get(number, (None, None, None))[0]
            if status in (FUNDED, BELOW_THRESHOLD):
                continue
            if is_stopped:
                self.verdicts[number] = (STOPPED, phase, None)
                continue
            project = self.manifest.projects[number]
            reason, short = self._shortage(project, money)
            if reason is None:
                self.verdicts[number] = (FUNDED, phase, None)
                self._pay(project)
                money = None if money is None else money - project.cost
                continue
            self.verdicts[number] = (reason, phase, short)
            # A full category says nothing about the next project.
            is_stopped = self.manifest.outcome.on_overrun == STOP and reason != SHORT_CATEGORY

    def _shortage(self, project: Project, money: int | None) -> tuple[str | None, int]:
        cap = self.caps.get(project.category) if project.category is not None else None
        for reason, available in (
            (SHORT_BUDGET, self.left),
            (SHORT_DISTRICT, money),
            (SHORT_CATEGORY, cap),
        ):
            if available is not None and project.cost > available:
                return reason, project.cost - available
        return None, 0

    def _pay(self, project: Project) -> None:
        self.left -= project.cost
        if project.category in self.caps:
            self.caps[project.category] -= project.cost
