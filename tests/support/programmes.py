"""The programme files, their limits, and the cases on both sides of each."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from wallet.eligibility.catalogue import Catalogue, parse_catalogue
from wallet.eligibility.days import parse_day
from wallet.eligibility.marked_yaml import parse_marked_yaml
from wallet.eligibility.median_income import median_incomes
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "verifier" / "programmes"
BOUNDARIES = ROOT / "tests" / "unit" / "eligibility" / "boundaries.yaml"


def programme_files() -> dict[str, bytes]:
    """Return the files of the example programmes by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.yaml"))}


@cache
def example_catalogue() -> Catalogue:
    """Return the example programmes."""
    return parse_catalogue(programme_files())


def programme(name: str) -> Programme:
    """Return one version by its name, `id@version`."""
    programme_id, _, version = name.partition("@")
    return example_catalogue().version(programme_id, version)


@dataclass(frozen=True)
class Limit:
    """A number or day in a programme's document that decides something."""

    label: str
    path: tuple[str | int, ...]
    value: Any

    def neighbours(self) -> list[Any]:
        """Return the values next to it."""
        if self.path[-1] == "at_most_percent":
            bands = list(median_incomes().bands)
            at = bands.index(self.value)
            return bands[at - 1 : at] + bands[at + 1 : at + 2]
        if type(self.value) is int:
            return [self.value - 1, self.value + 1]
        day = parse_day(self.value)
        assert day is not None
        return [(day + timedelta(days=step)).isoformat() for step in (-1, 1)]


def limits(document: JsonObject) -> list[Limit]:
    """Return every limit of a programme document.

    A year of the median selects a table and limits nothing; ages of statuses are limits of the
    verifier's facts, tested with the verifier.
    """
    found = [
        Limit(f"effective.{name}", ("effective", name), day)
        for name, day in document["effective"].items()
    ]
    found += [
        Limit(f"cycle.{name}", ("cycle", name), value)
        for name, value in document.get("cycle", {}).items()
    ]
    found += [
        Limit(f"evidence.{name}.max_age_days", ("evidence", name, "max_age_days"), item[key])
        for name, item in document["evidence"].items()
        for key in item
        if key == "max_age_days"
    ]
    found += _in_rule(document.get("once", {}), ("once",), "once")
    return found + list(_in_rule(document["rule"], ("rule",), "rule"))


def _in_rule(value: Any, path: tuple[str | int, ...], label: str) -> Iterator[Limit]:
    if isinstance(value, dict):
        if "id" in value:
            label = value["id"]
        for name, item in value.items():
            if name in ("id", "reason", "median_year"):
                continue
            inner = (
                label if name in ("all", "any", "not", "if", "then", "else") else f"{label}.{name}"
            )
            yield from _in_rule(item, (*path, name), inner)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            inner = label if path[-1] in ("all", "any") else f"{label}.{at}"
            yield from _in_rule(item, (*path, at), inner)
    elif (type(value) is int) or (isinstance(value, str) and parse_day(value) is not None):
        yield Limit(label, path, value)


def changed(document: JsonObject, path: tuple[str | int, ...], value: Any) -> JsonObject:
    """Return a copy of a document with another value at `path`."""
    result: JsonObject = copy.deepcopy(document)
    place: Any = result
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return result


@dataclass(frozen=True)
class Side:
    """One side of a limit: what is evaluated on which day, and what must come of it."""

    on: date
    claims: JsonObject
    outcome: str
    clause: str | None


@dataclass(frozen=True)
class BoundaryCase:
    """Both sides of one limit, and in which facts they differ."""

    programme: str
    limit: str
    inside: Side
    outside: Side
    changes: tuple[Mapping[str, Any], Mapping[str, Any]]


@cache
def boundary_data() -> JsonObject:
    """Return the file of boundary cases."""
    return parse_marked_yaml(BOUNDARIES.read_bytes()).value


def boundary_cases() -> list[BoundaryCase]:
    """Return every boundary case of every programme."""
    return [
        _case(name, item, limit, sides)
        for name, item in boundary_data().items()
        for limit, sides in item["limits"].items()
    ]


def _case(name: str, item: JsonObject, limit: str, sides: JsonObject) -> BoundaryCase:
    clause = sides.get("clause", limit.partition(".")[0])
    outcome = sides.get("outcome", "not_eligible")
    common = sides.get("with", {})
    return BoundaryCase(
        name,
        limit,
        _side(item, {**common, **sides["inside"]}, "eligible", None),
        _side(item, {**common, **sides["outside"]}, outcome, clause),
        (sides["inside"], sides["outside"]),
    )


def _side(item: JsonObject, changes: JsonObject, outcome: str, clause: str | None) -> Side:
    claims: JsonObject = copy.deepcopy(item["claims"])
    day = parse_day(changes.get("on", item["on"]))
    assert day is not None
    for key, value in changes.items():
        if key == "on":
            continue
        place = claims
        *parts, last = key.split(".")
        for part in parts:
            place = place[part]
        place[last] = value
    return Side(day, claims, outcome, clause)
