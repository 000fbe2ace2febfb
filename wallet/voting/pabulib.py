"""Elections in the `.pb` format of pabulib.org: what is voted on, and votes without their voters.

Stanisław Szufa and others, "Participatory Budgeting: Data, Tools and Analysis" (arXiv 2012.06539),
describes the format. Of a voter nothing but the vote is read: identifiers, ages, sexes, districts
and voting methods are dropped when a file is read, so they cannot be written again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, UnsupportedError
from wallet.voting.manifest import MAX_PROJECTS, Manifest
from wallet.voting.outcome import FUNDED, Outcome
from wallet.voting.shapes import MAX_TEXT_CHARACTERS

MAX_PB_BYTES: Final = 256 * 1024 * 1024
MAX_VOTES: Final = 2_000_000
APPROVAL: Final = "approval"
CHOOSE_ONE: Final = "choose-1"
CUMULATIVE: Final = "cumulative"
ORDINAL: Final = "ordinal"
_SECTIONS: Final = ("META", "PROJECTS", "VOTES")
_NUMBER: Final = re.compile(r"([0-9]{1,16})(?:[.,]0+)?")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class PabulibMalformed(MalformedError):
    """Not a `.pb` file, or one that contradicts itself."""

    code = "pabulib_malformed"


class PabulibUnsupported(UnsupportedError):
    """A `.pb` file of a kind of vote that has no ballot here, or with costs in fractions."""

    code = "pabulib_unsupported"


@dataclass(frozen=True, slots=True)
class PbProject:
    """A project. `votes` and `selected` are what the file says came out, if it does."""

    id: str
    name: str
    cost: int
    votes: int | None = None
    selected: bool | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PbVote:
    """One vote: project ids in the voter's order, and points for each if the kind has them."""

    projects: tuple[str, ...]
    points: tuple[int, ...] = ()


@dataclass(frozen=True)
class PbElection:
    """A file as it was read; `meta` as text."""

    meta: Mapping[str, str]
    projects: tuple[PbProject, ...]
    votes: tuple[PbVote, ...]

    @property
    def budget(self) -> int:
        """The budget, in whole units."""
        return _whole(self.meta.get("budget", ""))

    @property
    def vote_type(self) -> str:
        """`approval`, `choose-1`, `cumulative` or `ordinal`."""
        return self.meta.get("vote_type", "")


def parse_pabulib(data: bytes) -> PbElection:
    """Return the election in a `.pb` file.

    Raises `PabulibMalformed`, or `PabulibUnsupported` for money in fractions. Whether votes obey
    the rules in `meta` is not checked: real files have votes that do not.
    """
    if len(data) > MAX_PB_BYTES:
        raise PabulibMalformed(f"a file has at most {MAX_PB_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
        sections = _read_sections(csv.reader(io.StringIO(text), delimiter=";", strict=False))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PabulibMalformed("not a text of lines with semicolons") from error
    meta = {row[0]: row[1] for row in sections["META"][1:] if len(row) > 1}
    projects = tuple(map(_project, _rows(sections["PROJECTS"], "project_id", "cost")))
    known = {project.id for project in projects}
    if not 1 <= len(projects) == len(known) <= MAX_PROJECTS:
        raise PabulibMalformed(f"a file has 1 to {MAX_PROJECTS} projects, each once")
    votes = tuple(_vote(row, known) for row in _rows(sections["VOTES"], "vote"))
    return PbElection(meta, projects, votes)


def write_pabulib(election: PbElection) -> bytes:
    """Return the `.pb` file. Voters get new numbers; nothing personal is in `election`."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    meta = {
        **election.meta,
        "num_projects": str(len(election.projects)),
        "num_votes": election.meta.get("num_votes", str(len(election.votes))),
    }
    writer.writerows([["META"], ["key", "value"], *map(list, meta.items()), ["PROJECTS"]])
    writer.writerow(["project_id", "cost", "votes", "name", "category", "selected"])
    for project in election.projects:
        writer.writerow(
            [
                project.id,
                project.cost,
                "" if project.votes is None else project.votes,
                project.name,
                ",".join(project.categories),
                "" if project.selected is None else int(project.selected),
            ]
        )
    has_points = any(vote.points for vote in election.votes)
    writer.writerows([["VOTES"], ["voter_id", "vote", *(["points"] if has_points else [])]])
    for number, vote in enumerate(election.votes, start=1):
        points = [",".join(map(str, vote.points))] if has_points else []
        writer.writerow([number, ",".join(vote.projects), *points])
    return out.getvalue().encode("utf-8")


def outcome_pabulib(manifest: Manifest, outcome: Outcome, ballots: int) -> PbElection:
    """Return a verified outcome as a `.pb` election: totals and selection, no votes.

    Totals are all that this protocol ever opens, so the section of votes stays empty.
    """
    found = {project.id: project for project in outcome.projects}
    return PbElection(
        {
            "description": manifest.title.en,
            "country": "South Korea",
            "unit": "Seoul",
            "instance": manifest.id,
            "num_votes": str(ballots),
            "budget": str(manifest.budget),
            "vote_type": manifest.ballot.kind,
            "rule": f"greedy/{manifest.outcome.rule}",
            "currency": manifest.currency,
        },
        tuple(
            PbProject(
                project.id,
                project.title.ko,
                project.cost,
                found[project.id].votes,
                found[project.id].status == FUNDED,
                () if project.category is None else (project.category,),
            )
            for project in manifest.projects
        ),
        (),
    )


def manifest_members(election: PbElection) -> JsonObject:
    """Return the members of a manifest that a `.pb` file gives.

    `budget`, `projects` in file order, `categories`, `districts` (none) and `ballot`. A project
    keeps its category if it has exactly one that can be an identifier; so do project ids, or all
    become p1, p2, …. Raises `PabulibMalformed` or `PabulibUnsupported`.
    """
    ids = [project.id for project in election.projects]
    if not all(map(_IDENTIFIER.fullmatch, ids)):
        ids = [f"p{number}" for number in range(1, len(ids) + 1)]
    categories = {
        project.categories[0]
        for project in election.projects
        if len(project.categories) == 1 and _IDENTIFIER.fullmatch(project.categories[0])
    }
    return {
        "budget": election.budget,
        "districts": [],
        "categories": [
            {"id": name, "name": _both(name), "cap": None} for name in sorted(categories)
        ],
        "projects": [
            {
                "id": identifier,
                "title": _both(project.name or identifier),
                "cost": project.cost,
                "district": None,
                "category": _only_category(project, categories),
            }
            for identifier, project in zip(ids, election.projects, strict=True)
        ],
        "ballot": _ballot(election),
    }


def choices(election: PbElection, vote: PbVote) -> tuple[int, ...]:
    """Return a vote as one value for each project, in file order, as ballots take them."""
    places = {project: place for place, project in enumerate(vote.projects, start=1)}
    if election.vote_type == ORDINAL:
        return tuple(places.get(project.id, 0) for project in election.projects)
    if election.vote_type == CUMULATIVE:
        points = dict(zip(vote.projects, vote.points, strict=True))
        return tuple(points.get(project.id, 0) for project in election.projects)
    return tuple(int(project.id in places) for project in election.projects)


def _ballot(election: PbElection) -> JsonObject:
    meta, projects = election.meta, len(election.projects)
    low = _optional_whole(meta.get("min_length")) or 0
    high = min(_optional_whole(meta.get("max_length")) or projects, projects)
    if election.vote_type == CUMULATIVE:
        total = _whole(meta.get("max_sum_points", ""))
        each = _optional_whole(meta.get("max_points")) or total
        limit = {"limit": "count", "min": 0, "max": total}
        return {"kind": "points", "per_project": each, "limits": [limit]}
    if election.vote_type == ORDINAL:
        return {"kind": "ranking", "scores": list(range(high, 0, -1)), "limits": []}
    if election.vote_type not in (APPROVAL, CHOOSE_ONE):
        raise PabulibUnsupported("this kind of vote has no ballot")
    if election.vote_type == CHOOSE_ONE:
        high = 1
    limits: list[JsonObject] = [{"limit": "count", "min": low, "max": high}]
    cost = _optional_whole(meta.get("max_sum_cost"))
    if cost is not None:
        limits.append({"limit": "cost", "max": cost})
    return {"kind": "approval", "limits": limits}


def _both(text: str) -> JsonObject:
    short = text[:MAX_TEXT_CHARACTERS]
    return {"ko": short, "en": short}


def _only_category(project: PbProject, known: set[str]) -> str | None:
    if len(project.categories) == 1 and project.categories[0] in known:
        return project.categories[0]
    return None


def _read_sections(lines: Iterator[list[str]]) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] | None = None
    for row in lines:
        if not row or row == [""]:
            continue
        name = row[0].strip().upper()
        if name in _SECTIONS and len([cell for cell in row if cell]) == 1:
            if name in sections:
                raise PabulibMalformed("a section occurs twice")
            current = sections[name] = []
            continue
        if current is None or len(current) > MAX_VOTES:
            raise PabulibMalformed("a line outside the sections, or too many lines")
        current.append(row)
    if tuple(sections) != _SECTIONS or not all(sections.values()):
        raise PabulibMalformed("expected the sections META, PROJECTS and VOTES")
    return sections


def _rows(section: Sequence[Sequence[str]], *needed: str) -> Iterator[dict[str, str]]:
    header = [cell.strip() for cell in section[0]]
    if not set(needed) <= set(header):
        raise PabulibMalformed("a section lacks a column: " + ", ".join(needed))
    for row in section[1:]:
        yield dict(zip(header, (cell.strip() for cell in row), strict=False))


def _project(row: Mapping[str, str]) -> PbProject:
    selected = row.get("selected", "")
    return PbProject(
        row.get("project_id", ""),
        row.get("name", ""),
        _whole(row.get("cost", "")),
        _optional_whole(row.get("votes")),
        None if not selected else selected == "1",
        tuple(part.strip() for part in row.get("category", "").split(",") if part.strip()),
    )


def _vote(row: Mapping[str, str], known: set[str]) -> PbVote:
    projects = tuple(part.strip() for part in row.get("vote", "").split(",") if part.strip())
    if len(set(projects)) != len(projects) or not known.issuperset(projects):
        raise PabulibMalformed("a vote is for a project that is not there, or for one twice")
    points = tuple(_whole(part) for part in row.get("points", "").split(",") if part.strip())
    if points and len(points) != len(projects):
        raise PabulibMalformed("a vote has points for another number of projects")
    return PbVote(projects, points)


def _whole(text: str) -> int:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        if re.fullmatch(r"[0-9]{1,16}[.,][0-9]+", text.strip()):
            raise PabulibUnsupported("amounts in fractions are not supported")
        raise PabulibMalformed("expected a number")
    return int(match[1])


def _optional_whole(text: str | None) -> int | None:
    return _whole(text) if text else None
