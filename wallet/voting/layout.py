"""How a vote becomes bits, and which sums of bits a legal vote has (docs/voting.md, section 3.1).

Every rule is an equality: sum of weight * bit = total, where slack bits take up what a limit
leaves. Slack covers exactly the allowed range, so no bit vector that satisfies the equalities is
an illegal vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd
from typing import Final

from wallet.errors import RejectedError

MAX_BITS: Final = 1024
MAX_RULES: Final = 256
MAX_RULE_SUM: Final = 2**62


class BallotRulesInvalid(RejectedError):
    """The ballot rules cannot be met by any vote, or need more bits than are allowed."""

    code = "ballot_rules_invalid"


class ChoicesInvalid(RejectedError):
    """The choices are not a legal vote under the ballot rules."""

    code = "choices_invalid"


@dataclass(frozen=True, slots=True)
class VoteBit:
    """A bit that belongs to project number `project` and is worth `value` to it.

    `place` is the place in a ranking, from 1; 0 otherwise.
    """

    project: int
    value: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """A sum over vote bits, `weights` by their numbers, and its bounds."""

    weights: Mapping[int, int]
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Rule:
    """sum of weight * bit = total; `slack` says which bits are slack, with their weights."""

    weights: tuple[tuple[int, int], ...]
    total: int
    slack: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class BallotLayout:
    """The bits of a ballot and the equalities they satisfy."""

    votes: tuple[VoteBit, ...]
    bits: int
    rules: tuple[Rule, ...]
    projects: int

    @property
    def project_bits(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each project its (bit, value) pairs."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.projects)]
        for number, vote in enumerate(self.votes):
            found[vote.project].append((number, vote.value))
        return tuple(map(tuple, found))

    @property
    def max_value(self) -> int:
        """The largest value that one ballot can give one project."""
        if self.votes[0].place:
            return max(vote.value for vote in self.votes)
        return max(sum(value for _, value in bits) for bits in self.project_bits)


def cover(bound: int) -> tuple[int, ...]:
    """Return weights whose partial sums are exactly 0 … bound."""
    weights: list[int] = []
    power = 1
    while 2 * power - 1 <= bound:
        weights.append(power)
        power *= 2
    rest = bound - (power - 1)
    return (*weights, rest) if rest else tuple(weights)


def fill_cover(weights: Sequence[int], amount: int) -> tuple[tuple[int, ...], int]:
    """Return the bits that make up `amount`, and what is left over.

    From the largest weight down, of equal ones the later first: the last weight of a cover may be
    smaller than the one before it.
    """
    bits = [0] * len(weights)
    for number in sorted(range(len(weights)), key=lambda item: (-weights[item], -item)):
        if weights[number] <= amount:
            bits[number] = 1
            amount -= weights[number]
    return tuple(bits), amount


def build_layout(votes: Sequence[VoteBit], limits: Sequence[Limit], projects: int) -> BallotLayout:
    """Bring limits to their normal form and give them slack. Raises `BallotRulesInvalid`."""
    rules: list[Rule] = []
    bits = len(votes)
    for limit in limits:
        rule = _normal_form(limit, bits)
        if rule is not None:
            rules.append(rule)
            bits += len(rule.slack)
        if bits > MAX_BITS or len(rules) > MAX_RULES:
            raise BallotRulesInvalid(f"at most {MAX_BITS} bits and {MAX_RULES} rules")
    if not votes or bits > MAX_BITS:
        raise BallotRulesInvalid(f"a ballot has 1 to {MAX_BITS} bits")
    return BallotLayout(tuple(votes), bits, tuple(rules), projects)


def _normal_form(limit: Limit, first_slack: int) -> Rule | None:
    weights = {bit: weight for bit, weight in sorted(limit.weights.items()) if weight}
    if not weights:
        if limit.low:
            raise BallotRulesInvalid("a limit asks for votes where there is nothing to vote for")
        return None
    divisor = reduce(gcd, weights.values())
    weights = {bit: weight // divisor for bit, weight in weights.items()}
    reach = sum(weights.values())
    low, high = -(-limit.low // divisor), min(limit.high // divisor, reach)
    if high < low:
        raise BallotRulesInvalid("no vote can meet a limit")
    if low == 0 and high == reach:
        return None
    slack = tuple(enumerate(cover(high - low), start=first_slack))
    if high + reach + sum(weight for _, weight in slack) >= MAX_RULE_SUM:
        raise BallotRulesInvalid("the weights of a limit are too large to be proven")
    return Rule((*weights.items(), *slack), high, slack)


def fill_slack(layout: BallotLayout, votes: Sequence[int]) -> tuple[int, ...]:
    """Return all bits for these vote bits. Raises `ChoicesInvalid` if a rule is not met."""
    if len(votes) != len(layout.votes) or any(bit not in (0, 1) for bit in votes):
        raise ChoicesInvalid("the votes are not bits of this ballot")
    bits = [*votes, *(0 for _ in range(layout.bits - len(votes)))]
    for rule in layout.rules:
        rest = rule.total - sum(weight * bits[bit] for bit, weight in rule.weights)
        filled, rest = fill_cover([weight for _, weight in rule.slack], rest)
        for (bit, _), value in zip(rule.slack, filled, strict=True):
            bits[bit] = value
        if rest:
            raise ChoicesInvalid("the choices break a rule of the ballot")
    return tuple(bits)
