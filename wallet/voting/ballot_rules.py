"""The ballot rule of a manifest: approvals, points or a ranking, and limits on them.

docs/voting.md, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from wallet.voting.layout import (
    BallotLayout,
    BallotRulesInvalid,
    ChoicesInvalid,
    Limit,
    VoteBit,
    build_layout,
    cover,
    fill_cover,
)
from wallet.voting.shapes import Shape

APPROVAL: Final = "approval"
POINTS: Final = "points"
RANKING: Final = "ranking"
MAX_LIMITS: Final = 128
MAX_RANKING_PLACES: Final = 32
MAX_SCORE: Final = 10_000


class VotedProject(Protocol):
    """What ballot rules need to know of a project."""

    @property
    def id(self) -> str:
        """Its identifier."""

    @property
    def cost(self) -> int:
        """Its cost."""

    @property
    def district(self) -> str | None:
        """Its district."""

    @property
    def category(self) -> str | None:
        """Its category."""


@dataclass(frozen=True, slots=True)
class LimitRule:
    """A limit as the manifest has it; `scope` names the category or district, if it is on one."""

    limit: str
    low: int
    high: int
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class BallotRules:
    """The kind of ballot; `per_project` is for points, `scores` for rankings."""

    kind: str
    limits: tuple[LimitRule, ...]
    per_project: int = 1
    scores: tuple[int, ...] = ()

    def layout(self, projects: Sequence[VotedProject]) -> BallotLayout:
        """Return the bits and rules of a ballot. Raises `BallotRulesInvalid`."""
        votes = [bit for number in range(len(projects)) for bit in self._bits(number)]
        limits = [*self._places(votes, len(projects)), *self._limits(votes, projects)]
        return build_layout(votes, limits, len(projects))

    def _bits(self, project: int) -> list[VoteBit]:
        if self.kind == RANKING:
            return [
                VoteBit(project, score, place) for place, score in enumerate(self.scores, start=1)
            ]
        return [VoteBit(project, weight) for weight in cover(self.per_project)]

    def _places(self, votes: Sequence[VoteBit], projects: int) -> list[Limit]:
        """Of a ranking: a place is given once, a project has one place."""
        if self.kind != RANKING:
            return []
        groups: list[Callable[[VoteBit], bool]] = [
            *(
                lambda bit, place=place: bit.place == place
                for place in range(1, len(self.scores) + 1)
            ),
            *(lambda bit, project=project: bit.project == project for project in range(projects)),
        ]
        return [
            Limit({number: 1 for number, bit in enumerate(votes) if belongs(bit)}, 0, 1)
            for belongs in groups
        ]

    def _limits(self, votes: Sequence[VoteBit], projects: Sequence[VotedProject]) -> list[Limit]:
        found = []
        for rule in self.limits:
            weights = {
                number: self._weight(rule, bit, projects[bit.project])
                for number, bit in enumerate(votes)
                if _concerns(rule, projects[bit.project])
            }
            found.append(Limit(weights, rule.low, rule.high))
        return found

    def _weight(self, rule: LimitRule, bit: VoteBit, project: VotedProject) -> int:
        if rule.limit == "cost":
            return project.cost
        return 1 if self.kind == RANKING else bit.value

    def vote_bits(self, values: Sequence[int]) -> tuple[int, ...]:
        """Return the vote bits for one value for each project, in manifest order.

        A value is 0 or 1, points, or the place from 1 (0 for none), by kind. Raises
        `ChoicesInvalid` for a value that the kind does not have; sums are not checked here.
        """
        highest = len(self.scores) if self.kind == RANKING else self.per_project
        bits: list[int] = []
        for value in values:
            if type(value) is not int or not 0 <= value <= highest:
                raise ChoicesInvalid(f"a project gets from 0 to {highest}")
            if self.kind == RANKING:
                bits += (int(place == value) for place in range(1, highest + 1))
                continue
            bits += fill_cover(cover(self.per_project), value)[0]
        return tuple(bits)


def read_ballot_rules(shape: Shape, value: Any) -> BallotRules:
    """Read the `ballot` member of a manifest; raises the error class of `shape`."""
    kind = value.get("kind") if type(value) is dict else None
    if kind == POINTS:
        rules = shape.members(value, "kind", "per_project", "limits")
        per_project = shape.integer(rules["per_project"], low=2)
        return BallotRules(POINTS, _limits(shape, rules, POINTS), per_project=per_project)
    if kind == RANKING:
        rules = shape.members(value, "kind", "scores", "limits")
        scores = shape.items(
            rules["scores"],
            lambda score: shape.integer(score, low=1, high=MAX_SCORE),
            low=1,
            high=MAX_RANKING_PLACES,
        )
        if list(scores) != sorted(set(scores), reverse=True):
            raise shape.refuse("the scores of a ranking descend")
        return BallotRules(RANKING, _limits(shape, rules, RANKING), scores=scores)
    rules = shape.members(value, "kind", "limits")
    shape.choice(rules["kind"], APPROVAL)
    return BallotRules(APPROVAL, _limits(shape, rules, APPROVAL))


def check_scopes(rules: BallotRules, districts: set[str], categories: set[str]) -> None:
    """Refuse a limit on a district or category that does not exist. `BallotRulesInvalid`."""
    known = {"district": districts, "category": categories}
    for rule in rules.limits:
        if rule.scope is not None and rule.scope not in known[rule.limit]:
            raise BallotRulesInvalid("a limit names no district or category of the manifest")


def _limits(shape: Shape, rules: dict[str, Any], kind: str) -> tuple[LimitRule, ...]:
    def read(value: Any) -> LimitRule:
        name = value.get("limit") if type(value) is dict else None
        if name == "cost" and kind == APPROVAL:
            limit = shape.members(value, "limit", "max")
            return LimitRule("cost", 0, shape.integer(limit["max"]))
        if name == "count":
            limit = shape.members(value, "limit", "min", "max")
            scope = None
        else:
            name = shape.choice(name, "category", "district")
            limit = shape.members(value, "limit", name, "min", "max")
            scope = shape.identifier(limit[name])
        low, high = shape.integer(limit["min"]), shape.integer(limit["max"])
        if low > high:
            raise shape.refuse("a limit's min is above its max")
        return LimitRule(name, low, high, scope)

    return shape.items(rules["limits"], read, low=0, high=MAX_LIMITS)


def _concerns(rule: LimitRule, project: VotedProject) -> bool:
    if rule.limit == "category":
        return project.category == rule.scope
    if rule.limit == "district":
        return project.district == rule.scope
    return True
