"""All programmes of a city, several versions of each, and which is in force on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from wallet.eligibility.clauses import Window
from wallet.eligibility.decision import ProgrammeNotInForce
from wallet.eligibility.document import Problem, ProgrammeInvalid
from wallet.eligibility.programme import Programme, parse_programme
from wallet.errors import MalformedError

MAX_PROGRAMMES: Final = 500
# A folder is read again and again, and most of its files have not changed.
_parsed = lru_cache(maxsize=MAX_PROGRAMMES)(parse_programme)


class ProgrammeUnknown(MalformedError):
    """No programme has this id, or none of its versions is the one named."""

    code = "programme_unknown"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Programmes by id, their versions in order of time. Made by `build_catalogue`."""

    versions: Mapping[str, tuple[Programme, ...]]

    def programmes(self) -> tuple[Programme, ...]:
        """Return every version of every programme, ordered by id."""
        return tuple(item for name in sorted(self.versions) for item in self.versions[name])

    def in_force(self, programme_id: str, on: date) -> Programme:
        """Return the version in force. Raises `ProgrammeUnknown`, `ProgrammeNotInForce`."""
        for programme in self._versions(programme_id):
            if programme.is_in_force(on):
                return programme
        raise ProgrammeNotInForce("no version of this programme is in force on that day")

    def version(self, programme_id: str, version: str) -> Programme:
        """Return one version, in force or not. Raises `ProgrammeUnknown`."""
        for programme in self._versions(programme_id):
            if programme.version == version:
                return programme
        raise ProgrammeUnknown("the programme has no version of that name")

    def all_in_force(self, on: date) -> tuple[Programme, ...]:
        """Return the version in force of every programme that has one."""
        return tuple(item for item in self.programmes() if item.is_in_force(on))

    def _versions(self, programme_id: str) -> tuple[Programme, ...]:
        if programme_id not in self.versions:
            raise ProgrammeUnknown("no programme has this id")
        return self.versions[programme_id]


def build_catalogue(programmes: Iterable[tuple[str, Programme]]) -> Catalogue:
    """Return the catalogue of programmes, each with the file that it is from.

    Raises `ProgrammeInvalid` when two versions of one programme overlap or share a name, when an
    exclusion names no programme, when a group counts in two periods, and for too many.
    """
    found = list(programmes)
    if len(found) > MAX_PROGRAMMES:
        raise ProgrammeInvalid([Problem(found[-1][0], 1, f"more than {MAX_PROGRAMMES} files")])
    problems = []
    by_id: dict[str, list[tuple[str, Programme]]] = {}
    for file, programme in sorted(found, key=lambda item: item[1].effective_from):
        others = by_id.setdefault(programme.id, [])
        for other_file, other in others:
            same_name = other.version == programme.version
            if (
                same_name
                or other.effective_until is None
                or (programme.effective_from <= other.effective_until)
            ):
                what = "is named like" if same_name else "overlaps"
                problems.append(
                    Problem(file, 1, f"{programme.name} {what} the one in {other_file}")
                )
        others.append((file, programme))
    for file, programme in found:
        problems += [
            Problem(file, 1, f"the exclusion {excluded} is no programme")
            for excluded in programme.exclusions
            if excluded not in by_id
        ]
    problems += _group_problems(found)
    if problems:
        raise ProgrammeInvalid(problems)
    return Catalogue({name: tuple(item for _, item in items) for name, items in by_id.items()})


def _group_problems(found: Iterable[tuple[str, Programme]]) -> list[Problem]:
    """Report programmes of one group that count in different periods, and exclude nobody so."""
    periods: dict[str, tuple[str, Window]] = {}
    problems = []
    for file, programme in found:
        group = None if programme.once is None else programme.once.group
        if group is None:
            continue
        other_file, window = periods.setdefault(group.id, (file, group.window))
        if window != group.window:
            text = f"the group {group.id} counts in another period than in {other_file}"
            problems.append(Problem(file, 1, text))
    return problems


def parse_catalogue(files: Mapping[str, bytes]) -> Catalogue:
    """Return the catalogue of YAML files by name. Raises `ProgrammeInvalid` with all problems."""
    programmes = []
    problems: list[Problem] = []
    for name in sorted(files):
        try:
            programmes.append((name, _parsed(files[name], name)))
        except ProgrammeInvalid as error:
            problems += error.problems
    if problems:
        raise ProgrammeInvalid(problems)
    return build_catalogue(programmes)
