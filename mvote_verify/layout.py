"""Vote bits, slack bits and rules of a ballot. Section 3.1 of docs/voting.md."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

from mvote_verify.failures import Refused

MAX_BITS = 1024
MAX_RULES = 256
RULE_BOUND = 1 << 62


@dataclass(frozen=True, slots=True)
class VoteBit:
    project: int
    value: int
    place: int
    """The place of a ranking, from 0; 0 for the other kinds."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`Σ weight · bit = maximum`, over vote and slack bits."""

    terms: tuple[tuple[int, int], ...]
    """Index of a bit and its weight, which is not 0."""
    maximum: int


@dataclass(frozen=True, slots=True)
class Layout:
    votes: tuple[VoteBit, ...]
    bits: int
    rules: tuple[Rule, ...]
    largest: int
    """The largest value that a project can have."""

    @property
    def body_bytes(self) -> int:
        return 294 * self.bits + 98 * len(self.rules)

    @property
    def ciphertext_bytes(self) -> int:
        return 66 * self.bits


def cover(bound: int) -> list[int]:
    """Weights whose partial sums are exactly 0 … bound."""
    powers = (bound + 1).bit_length() - 1
    weights = [1 << k for k in range(powers)]
    rest = bound - ((1 << powers) - 1)
    return [*weights, rest] if rest else weights


def layout_of(ballot: Mapping[str, Any], projects: Sequence[Mapping[str, Any]]) -> Layout:
    """The layout of a manifest's ballot; raises `Refused` with `manifest_invalid`."""
    values = _values(ballot)
    if not 0 < len(values) * len(projects) <= MAX_BITS:
        raise Refused("manifest_invalid", f"a ballot has at most {MAX_BITS} bits")
    votes = tuple(
        VoteBit(project, value, place)
        for project in range(len(projects))
        for place, value in enumerate(values)
    )
    bits = len(votes)
    rules: list[Rule] = []
    for weights, low, high in _raw_rules(ballot, projects, votes):
        normal = _normal(weights, low, high)
        if normal is None:
            continue
        scaled, low, high = normal
        slack = cover(high - low)
        terms = [(i, weight) for i, weight in enumerate(scaled) if weight]
        terms += [(bits + i, weight) for i, weight in enumerate(slack)]
        bits += len(slack)
        rules.append(Rule(tuple(terms), high))
        if high + sum(weight for _, weight in terms) >= RULE_BOUND:
            raise Refused("manifest_invalid", "a rule reaches 2^62")
        if bits > MAX_BITS or len(rules) > MAX_RULES:
            raise Refused("manifest_invalid", "more than 1024 bits or 256 rules")
    largest = {"approval": 1, "points": ballot.get("per_project", 0)}.get(ballot["kind"])
    return Layout(votes, bits, tuple(rules), ballot["scores"][0] if largest is None else largest)


def _values(ballot: Mapping[str, Any]) -> list[int]:
    if ballot["kind"] == "approval":
        return [1]
    if ballot["kind"] == "points":
        return cover(ballot["per_project"])
    scores: list[int] = ballot["scores"]
    return scores


def _raw_rules(
    ballot: Mapping[str, Any], projects: Sequence[Mapping[str, Any]], votes: Sequence[VoteBit]
) -> Iterator[tuple[list[int], int, int]]:
    """Weights over the vote bits, least and most, in the order of section 3.1."""
    ranking = ballot["kind"] == "ranking"
    if ranking:
        for place in range(len(ballot["scores"])):
            yield [int(bit.place == place) for bit in votes], 0, 1
        for project in range(len(projects)):
            yield [int(bit.project == project) for bit in votes], 0, 1
    for limit in ballot["limits"]:
        factor = _factor(limit, projects)
        weights = [factor(bit.project) * (1 if ranking else bit.value) for bit in votes]
        yield weights, limit.get("min", 0), limit["max"]


def _factor(
    limit: Mapping[str, Any], projects: Sequence[Mapping[str, Any]]
) -> Callable[[int], int]:
    kind = limit["limit"]
    if kind == "count":
        return lambda project: 1
    if kind == "cost":
        return lambda project: int(projects[project]["cost"])
    return lambda project: int(projects[project][kind] == limit[kind])


def _normal(weights: list[int], low: int, high: int) -> tuple[list[int], int, int] | None:
    """The normal form; None if the rule says nothing."""
    divisor = gcd(*weights)
    if not divisor:
        if low:
            raise Refused("manifest_invalid", "a limit over nothing has a minimum")
        return None
    scaled = [weight // divisor for weight in weights]
    low = -(-low // divisor)
    high = min(high // divisor, sum(scaled))
    if high < low:
        raise Refused("manifest_invalid", "a limit cannot be met")
    if low == 0 and high == sum(scaled):
        return None
    return scaled, low, high
