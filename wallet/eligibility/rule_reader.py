"""From the `rule` of a programme document to clauses: every name, type and limit is checked here.

The document has passed the JSON Schema already. What is checked beyond it: that a clause is one
test or group, that facts are asked for and of the type that a test works on, that reason codes
exist, and that the whole is bounded in size and depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from wallet.eligibility.clauses import (
    AgeTest,
    DayTest,
    ElapsedTest,
    Extension,
    IncomeTest,
    IsTest,
    MemberTest,
    NoneReceivedTest,
    NumberTest,
    Test,
    Unit,
    Window,
)
from wallet.eligibility.days import parse_day
from wallet.eligibility.document import Problems
from wallet.eligibility.evidence_types import FactType
from wallet.eligibility.marked_yaml import Path
from wallet.eligibility.median_income import median_incomes
from wallet.eligibility.rule import AllOf, AnyOf, Clause, IfElse, Leaf, Named, Not
from wallet.encoding.json import JsonObject

MAX_CLAUSES: Final = 100
MAX_RULE_DEPTH: Final = 6
GROUPS: Final = ("all", "any", "not", "if")
_LIFETIME: Final = Window()


@dataclass(frozen=True, slots=True)
class AskedFact:
    """A claim that the query asks for, as a fact of its type. `values` are the texts it may be."""

    key: str
    evidence: str
    path: tuple[str, ...]
    type: FactType
    values: tuple[str, ...] = ()


@dataclass(slots=True)
class RuleReader:
    """Reads one rule. What it used is in `used` (fact keys), `reasons` and `ids` afterwards."""

    facts: Mapping[str, AskedFact]
    reasons: Mapping[str, object]
    cycle: Window | None
    problems: Problems
    used: set[str] = field(default_factory=set)
    used_reasons: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    _clauses: int = 0

    def read(self, item: JsonObject, path: Path, depth: int = 1) -> Clause | None:
        """Return the clause at `path`, None after reporting why there is none."""
        self._clauses += 1
        if self._clauses > MAX_CLAUSES:
            if self._clauses == MAX_CLAUSES + 1:
                self.problems.report(path, f"a rule has at most {MAX_CLAUSES} clauses")
            return None
        if depth > MAX_RULE_DEPTH:
            self.problems.report(path, f"clauses are nested deeper than {MAX_RULE_DEPTH}")
            return None
        kinds = [name for name in item if name in GROUPS or name in TESTS]
        if len(kinds) != 1:
            known = ", ".join((*GROUPS, *TESTS))
            self.problems.report(path, f"a clause is exactly one of {known}")
            return None
        kind = kinds[0]
        for part in ("then", "else"):
            if (part in item) != (kind == "if"):
                self.problems.report(path, "if, then and else belong together")
                return None
        name = self._name(item, path, needed=kind in TESTS or kind == "not")
        if kind in GROUPS:
            return self._group(kind, item, path, name, depth)
        test = TESTS[kind](self, item[kind], (*path, kind))
        return None if test is None or name is None else Leaf(name, test)

    def _name(self, item: JsonObject, path: Path, *, needed: bool) -> Named | None:
        clause_id, reason = item.get("id"), item.get("reason")
        if clause_id is None or reason is None:
            if needed or clause_id != reason:
                self.problems.report(path, "the clause needs an id and a reason")
            return None
        if clause_id in self.ids:
            self.problems.report((*path, "id"), f"the id {clause_id} is used twice")
        self.ids.add(clause_id)
        return Named(clause_id, self.reason(reason, (*path, "reason")))

    def _group(
        self, kind: str, item: JsonObject, path: Path, name: Named | None, depth: int
    ) -> Clause | None:
        if kind in ("all", "any"):
            members = [
                self.read(member, (*path, kind, at), depth + 1)
                for at, member in enumerate(item[kind])
            ]
            known = tuple(member for member in members if member is not None)
            return AllOf(known, name) if kind == "all" else AnyOf(known, name)
        if kind == "not":
            inner = self.read(item["not"], (*path, "not"), depth + 1)
            return None if inner is None or name is None else Not(inner, name)
        parts = [
            self.read(item[part], (*path, part), depth + 1) for part in ("if", "then", "else")
        ]
        condition, then, otherwise = parts
        if condition is None or then is None or otherwise is None:
            return None
        return IfElse(condition, then, otherwise, name)

    def fact(self, key: str, path: Path, *types: FactType) -> AskedFact | None:
        """Return the fact of that name if the query asks for it and it is of one of `types`."""
        fact = self.facts.get(key)
        if fact is None:
            self.problems.report(path, f"the query does not ask for {key}")
            return None
        self.used.add(key)
        if fact.type not in types:
            wanted = " or ".join(item.value for item in types)
            self.problems.report(path, f"{key} is a {fact.type.value}, expected {wanted}")
            return None
        return fact

    def day(self, item: JsonObject, name: str, path: Path) -> date | None:
        """Return an optional day of `item`; reports a text that is none."""
        if name not in item:
            return None
        found = parse_day(item[name])
        if found is None:
            self.problems.report((*path, name), f"{name} is not a day of the calendar")
        return found

    def limits(self, item: JsonObject, low: str, high: str, path: Path) -> tuple[Any, Any]:
        """Return two optional limits; reports an empty range."""
        least, most = item.get(low), item.get(high)
        if least is not None and most is not None and most < least:
            self.problems.report((*path, high), f"{high} is below {low}: nothing would fit")
        return least, most

    def window(self, within: str | JsonObject, path: Path) -> Window | None:
        """Return the window of `lifetime`, `cycle` or a period; reports why there is none."""
        if within == "lifetime":
            return _LIFETIME
        if isinstance(within, str):
            if self.cycle is None:
                self.problems.report(path, "the programme has no cycle")
            return self.cycle
        return read_window(within, path, self.problems)

    def reason(self, code: str, path: Path) -> str:
        """Return a reason code after reporting it if it has no text."""
        if code not in self.reasons:
            self.problems.report(path, f"unknown reason code {code}")
        self.used_reasons.add(code)
        return code


def _age(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    fact = reader.fact(item["of"], (*path, "of"), FactType.DATE)
    youngest, oldest = reader.limits(item, "from", "to", path)
    extension = None
    if "extension" in item:
        extension = _extension(reader, item["extension"], (*path, "extension"))
    return None if fact is None else AgeTest(fact.key, youngest, oldest, extension)


def _extension(reader: RuleReader, item: JsonObject, path: Path) -> Extension | None:
    fact = reader.fact(item["by"], (*path, "by"), FactType.INTEGER)
    steps = tuple((step["at_least"], step["years"]) for step in item["steps"])
    for at in range(1, len(steps)):
        if steps[at][0] <= steps[at - 1][0] or steps[at][1] <= steps[at - 1][1]:
            reader.problems.report((*path, "steps", at), "steps ascend in both columns")
    return None if fact is None else Extension(fact.key, steps)


def _elapsed(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    fact = reader.fact(item["since"], (*path, "since"), FactType.DATE)
    least, most = reader.limits(item, "at_least", "at_most", path)
    return None if fact is None else ElapsedTest(fact.key, Unit(item["unit"]), least, most)


def _number(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    fact = reader.fact(item["of"], (*path, "of"), FactType.INTEGER)
    least, most = reader.limits(item, "at_least", "at_most", path)
    return None if fact is None else NumberTest(fact.key, least, most)


def _day(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    fact = reader.fact(item["of"], (*path, "of"), FactType.DATE)
    reader.limits(item, "first", "last", path)
    first, last = reader.day(item, "first", path), reader.day(item, "last", path)
    return None if fact is None else DayTest(fact.key, first, last)


def _one_of(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    fact = reader.fact(item["of"], (*path, "of"), FactType.TEXT, FactType.TEXTS)
    if fact is None:
        return None
    for at, value in enumerate(item["values"]):
        if fact.values and value not in fact.values:
            reader.problems.report((*path, "values", at), f"{fact.key} is never {value}")
    return MemberTest(fact.key, frozenset(item["values"]))


def _is(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    fact = reader.fact(item["of"], (*path, "of"), FactType.BOOLEAN)
    return None if fact is None else IsTest(fact.key, item["value"])


def _income(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    keys = [f"{item['of']}.{name}" for name in ("median_year", "percent_over", "percent_up_to")]
    facts = [reader.fact(key, (*path, "of"), FactType.INTEGER) for key in keys]
    table = median_incomes()
    if item["median_year"] not in table.years:
        reader.problems.report((*path, "median_year"), "there is no median income of this year")
    if item["at_most_percent"] not in table.bands:
        bands = ", ".join(str(band) for band in table.bands)
        reader.problems.report((*path, "at_most_percent"), f"no band ends there; bands: {bands}")
    if None in facts:
        return None
    year, over, up_to = keys
    return IncomeTest(year, over, up_to, item["at_most_percent"], item["median_year"])


def _none_received(reader: RuleReader, item: JsonObject, path: Path) -> Test | None:
    facts = [
        reader.fact(key, (*path, "of", at), FactType.DATES) for at, key in enumerate(item["of"])
    ]
    window = reader.window(item["within"], (*path, "within"))
    known = [fact for fact in facts if fact is not None]
    reader.received.update(fact.path[-1] for fact in known)
    if window is None or len(known) != len(facts):
        return None
    return NoneReceivedTest(tuple(fact.key for fact in known), window)


def read_window(item: JsonObject, path: Path, problems: Problems) -> Window | None:
    """Return the window of a period in a document, None after reporting why there is none."""
    if "every" in item:
        return Window(calendar_year=True)
    if "months" in item:
        return Window(months=item["months"])
    first, last = parse_day(item["from"]), parse_day(item["until"])
    if first is None or last is None or last < first:
        problems.report(path, "a period is from a day until the same or a later one")
        return None
    return Window(first=first, last=last)


TESTS: Final[Mapping[str, Callable[[RuleReader, Any, Path], Test | None]]] = {
    "age": _age,
    "elapsed": _elapsed,
    "number": _number,
    "day": _day,
    "one_of": _one_of,
    "is": _is,
    "income": _income,
    "none_received": _none_received,
}
