"""Which projects are funded, in exact arithmetic. Section 12, check V17."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from mvote_verify import forms
from mvote_verify.encodings import fraction_text, parse_json
from mvote_verify.failures import Malformed, Refused
from mvote_verify.manifest import Manifest
from mvote_verify.tally import TalliedGroup
from mvote_verify.tie import Tie

FUNDED, BELOW, STOPPED, NOT_CONSIDERED = "funded", "below_threshold", "stopped", "not_considered"


@dataclass(slots=True)
class Standing:
    """A project with its votes, and what becomes of it."""

    project: dict[str, Any]
    votes: int
    score: Fraction
    place: bytes
    status: str = NOT_CONSIDERED
    phase: str | None = None
    short: int | None = None

    @property
    def cost(self) -> int:
        return int(self.project["cost"])

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.project["id"],
            "votes": self.votes,
            "score": fraction_text(self.score),
            "status": self.status,
            "phase": self.phase,
            "short": self.short,
        }


@dataclass(slots=True)
class _Money:
    """What is left, in the order in which a shortage is named."""

    budget: int
    categories: dict[str, int]
    stop: bool
    spent: int = 0
    funded: list[Standing] = field(default_factory=list)

    def run_phase(self, phase: str, standings: Iterable[Standing], district: int | None) -> None:
        """Look at each in order; `district` is the money of a district's phase."""
        stopped = False
        for standing in standings:
            standing.phase, standing.short = phase, None
            if stopped:
                standing.status = STOPPED
                continue
            cost = standing.cost
            lacking = self._lacking(standing, district)
            if lacking is None:
                standing.status = FUNDED
                self.budget -= cost
                self.spent += cost
                if district is not None:
                    district -= cost
                category = standing.project["category"]
                if category in self.categories:
                    self.categories[category] -= cost
            else:
                standing.status, standing.short = lacking
                stopped = self.stop and standing.status != "short_category"

    def _lacking(self, standing: Standing, district: int | None) -> tuple[str, int] | None:
        left = (
            ("short_budget", self.budget),
            ("short_district", district),
            ("short_category", self.categories.get(standing.project["category"])),
        )
        for status, money in left:
            if money is not None and standing.cost > money:
                return status, standing.cost - money
        return None


def standings_of(manifest: Manifest, groups: Sequence[TalliedGroup], tie: Tie) -> list[Standing]:
    """All projects in the order of the rule."""
    standings = []
    for number, project in enumerate(manifest.projects):
        votes, score = 0, Fraction(0)
        for tallied in groups:
            group = tallied.group
            got = tallied.totals[number] + group.batch_totals[number]
            ballots = group.counted + group.batch_ballots
            votes += got
            if ballots:
                score += group.weight * got / ballots
        standings.append(Standing(project, votes, score, tie.place(project["id"])))
    by_cost = manifest.fields["outcome"]["rule"] == "votes_per_cost"

    def order(standing: Standing) -> tuple[Fraction, Fraction, int, bytes]:
        first = standing.score / standing.cost if by_cost else standing.score
        return (-first, -standing.score, standing.cost, standing.place)

    return sorted(standings, key=order)


def outcome_of(manifest: Manifest, groups: Sequence[TalliedGroup], tie: Tie) -> dict[str, Any]:
    """What outcome.json must say, `election` left out."""
    rules = manifest.fields["outcome"]
    standings = standings_of(manifest, groups, tie)
    open_ones = []
    for standing in standings:
        few = standing.votes < rules["min_votes"] or standing.score < rules["min_score"]
        if few or not standing.votes:
            standing.status = BELOW
        else:
            open_ones.append(standing)
    caps = {c["id"]: c["cap"] for c in manifest.fields["categories"] if c["cap"] is not None}
    money = _Money(manifest.fields["budget"], caps, rules["on_overrun"] == "stop")
    for phase in rules["phases"]:
        if phase == "city":
            left = [standing for standing in open_ones if standing.status != FUNDED]
            money.run_phase(phase, left, None)
            continue
        for district in manifest.fields["districts"]:
            if district["budget"] is not None:
                mine = [s for s in open_ones if s.project["district"] == district["id"]]
                money.run_phase(phase, mine, district["budget"])
    return {
        "kind": "outcome",
        "seed": tie.seed.hex(),
        "withheld": tie.withheld,
        "spent": money.spent,
        "projects": [standing.to_json() for standing in standings],
    }


def check_outcome(
    data: bytes, manifest: Manifest, election: bytes, groups: Sequence[TalliedGroup], tie: Tie
) -> dict[str, Any]:
    """V17: raises `Refused` with `outcome_differs`; gives the outcome."""
    try:
        found = {**outcome_of(manifest, groups, tie), "election": election.hex()}
        said = forms.members(parse_json(data), dict.fromkeys(found, lambda value: value))
    except Malformed as error:
        raise Refused("outcome_differs", f"outcome.json: {error}") from None
    for name, value in found.items():
        if json.dumps(said[name], sort_keys=True) != json.dumps(value, sort_keys=True):
            raise Refused("outcome_differs", _first_difference(name, said[name], value))
    return found


def _first_difference(name: str, said: Any, found: Any) -> str:
    if name != "projects" or not isinstance(said, list):
        return name
    for number, (mine, theirs) in enumerate(zip(found, said, strict=False), 1):
        if mine != theirs:
            return f"place {number}: {mine['id']} is {mine['status']}"
    return "the number of projects"
