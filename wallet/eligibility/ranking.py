"""Places that are fewer than those entitled: who comes first. No part of being eligible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.eligibility.evidence_types import FactType
from wallet.eligibility.rule_reader import RuleReader

_ORDERS: Final[Mapping[str, tuple[FactType, ...]]] = {
    "lowest": (FactType.INTEGER, FactType.DATE),
    "highest": (FactType.INTEGER, FactType.DATE),
    "empty": (FactType.DATES, FactType.TEXTS),
    "true": (FactType.BOOLEAN,),
    "false": (FactType.BOOLEAN,),
}
RankKey = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RankBy:
    """One criterion: which fact, and which of its values comes first."""

    fact: str
    first: str

    def key(self, facts: Mapping[str, Any]) -> int:
        """Return a number that is lower for who comes first; an unknown fact comes last."""
        value = facts.get(self.fact)
        if value is None:
            return 2**62
        if self.first in ("lowest", "highest"):
            number: int = value if type(value) is int else value.toordinal()
            return number if self.first == "lowest" else -number
        if self.first == "empty":
            return 1 if value else 0
        return int(value is not (self.first == "true"))


@dataclass(frozen=True, slots=True)
class Quota:
    """How many places there are, and in which order they are given."""

    places: int
    ranking: tuple[RankBy, ...]

    def rank_key(self, facts: Mapping[str, Any]) -> RankKey:
        """Return the sort key of one applicant's facts."""
        return tuple(criterion.key(facts) for criterion in self.ranking)


def read_quota(item: Any, reader: RuleReader) -> Quota | None:
    """Return the quota of a programme document; reports facts that cannot be ranked by."""
    if item is None:
        return None
    criteria = []
    for at, entry in enumerate(item["ranking"]):
        path = ("quota", "ranking", at, "by")
        fact = reader.fact(entry["by"], path, *_ORDERS[entry["first"]])
        if fact is not None:
            criteria.append(RankBy(fact.key, entry["first"]))
    return Quota(item["places"], tuple(criteria))


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who is entitled: an id of the agency's, when the application came in, and the rank key."""

    application: str
    applied_at: int
    key: RankKey


def assign_places(quota: Quota, entitled: Sequence[Applicant]) -> tuple[Applicant, ...]:
    """Return those who get a place, the first first; equal ones by time, then by id."""
    ordered = sorted(entitled, key=lambda item: (item.key, item.applied_at, item.application))
    return tuple(ordered[: quota.places])
