"""Rules in three-valued logic (Kleene): a false member decides although another is unknown.

A rule is a tree of clauses made at load, bounded in size and depth; evaluating it visits every
clause at most once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from wallet.eligibility.clauses import FactValues, Lacking, Test


class Named(NamedTuple):
    """A clause as decisions name it; `reason` is what its being false means, None if it has none
    of its own."""

    id: str
    reason: str | None


class Unsettled(NamedTuple):
    """A clause that could not be settled, and the keys of the facts that would settle it."""

    clause: Named
    lacking: Lacking


class Result(NamedTuple):
    """What a clause came to: `truth` is None for unknown.

    `by` are the clauses that decided, or that left it open; `open` only for unknown.
    """

    truth: bool | None
    by: tuple[Named, ...]
    open: tuple[Unsettled, ...] = ()


class Clause(Protocol):
    """A part of a rule."""

    def evaluate(self, facts: FactValues, on: date) -> Result:
        """Return what it comes to on that day."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A clause with a test."""

    name: Named
    test: Test
    _settled: dict[bool, Result] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by = (self.name,)
        object.__setattr__(self, "_settled", {True: Result(True, by), False: Result(False, by)})

    def evaluate(self, facts: FactValues, on: date) -> Result:
        """See `Clause.evaluate`."""
        found = self.test.check(facts, on)
        if found is True or found is False:
            return self._settled[found]
        return Result(None, (self.name,), (Unsettled(self.name, found),))


def _named(name: Named | None, result: Result) -> Result:
    """Let a group with a reason of its own stand for its members when it is false."""
    if name is None or name.reason is None or result.truth is not False:
        return result
    return Result(False, (name,))


def _joined(results: list[Result]) -> Result:
    return Result(
        None,
        tuple(name for result in results for name in result.by),
        tuple(item for result in results for item in result.open),
    )


@dataclass(frozen=True, slots=True)
class AllOf:
    """True if all members are; false if one is, and every false member is named."""

    members: tuple[Clause, ...]
    name: Named | None = None

    def evaluate(self, facts: FactValues, on: date) -> Result:
        """See `Clause.evaluate`."""
        results = [member.evaluate(facts, on) for member in self.members]
        false = [result for result in results if result.truth is False]
        if false:
            by = tuple(name for result in false for name in result.by)
            return _named(self.name, Result(False, by))
        unknown = [result for result in results if result.truth is None]
        if unknown:
            return _joined(unknown)
        return Result(True, tuple(name for result in results for name in result.by))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True if one member is; unknown if none is and one may be; else false."""

    members: tuple[Clause, ...]
    name: Named | None = None

    def evaluate(self, facts: FactValues, on: date) -> Result:
        """See `Clause.evaluate`."""
        results = []
        for member in self.members:
            result = member.evaluate(facts, on)
            if result.truth is True:
                return result
            results.append(result)
        unknown = [result for result in results if result.truth is None]
        if unknown:
            return _joined(unknown)
        by = tuple(name for result in results for name in result.by)
        return _named(self.name, Result(False, by))


@dataclass(frozen=True, slots=True)
class Not:
    """True if the member is false. Has a reason of its own, since the member's would mislead."""

    member: Clause
    name: Named

    def evaluate(self, facts: FactValues, on: date) -> Result:
        """See `Clause.evaluate`."""
        result = self.member.evaluate(facts, on)
        if result.truth is None:
            return result
        return Result(not result.truth, (self.name,))


@dataclass(frozen=True, slots=True)
class IfElse:
    """One clause or another, by a condition. Unknown, it is open only where it matters."""

    condition: Clause
    then: Clause
    otherwise: Clause
    name: Named | None = None

    def evaluate(self, facts: FactValues, on: date) -> Result:
        """See `Clause.evaluate`."""
        condition = self.condition.evaluate(facts, on)
        if condition.truth is not None:
            branch = self.then if condition.truth else self.otherwise
            return _named(self.name, branch.evaluate(facts, on))
        branches = [self.then.evaluate(facts, on), self.otherwise.evaluate(facts, on)]
        first, second = branches
        if first.truth is not None and first.truth is second.truth:
            by = tuple(dict.fromkeys(first.by + second.by))
            return _named(self.name, Result(first.truth, by))
        unknown = [result for result in branches if result.truth is None]
        return _joined([condition, *unknown])
