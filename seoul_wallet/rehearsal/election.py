"""What is rehearsed: the file's projects and rule as a manifest, and its votes as choices."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.encoding.json import JsonObject
from wallet.voting.layout import ChoicesInvalid, fill_slack
from wallet.voting.manifest import Manifest
from wallet.voting.outcome import FUNDED
from wallet.voting.pabulib import (
    APPROVAL,
    PbElection,
    PbProject,
    PbVote,
    choices,
    manifest_members,
)

STRATUM: Final = "residents"
SYNTHETIC_PROJECTS: Final = 12
SYNTHETIC_VOTES: Final = 60
_APPROVALS: Final = 4
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Times:
    """Unix seconds and seconds of one rehearsal."""

    opens: int
    closes: int
    grace_s: int
    every_s: int


def synthetic_file() -> PbElection:
    """Return an election of invented projects and votes, the same in every run."""
    draw = random.Random(_SEED)
    ids = [f"s{number}" for number in range(1, SYNTHETIC_PROJECTS + 1)]
    votes = tuple(
        PbVote(tuple(draw.sample(ids, draw.randint(1, _APPROVALS))))
        for _ in range(SYNTHETIC_VOTES)
    )
    totals = {name: sum(name in vote.projects for vote in votes) for name in ids}
    costs = {name: draw.randint(5, 60) * 1_000_000 for name in ids}
    budget, left = 150_000_000, 150_000_000
    selected = set()
    for name in sorted(ids, key=lambda item: (-totals[item], costs[item])):
        if totals[name] and costs[name] <= left:
            left -= costs[name]
            selected.add(name)
    projects = tuple(
        PbProject(name, f"synthetic {name}", costs[name], totals[name], name in selected)
        for name in ids
    )
    meta = {
        "description": "a synthetic election",
        "num_votes": str(len(votes)),
        "budget": str(budget),
        "vote_type": APPROVAL,
        "rule": "greedy",
        "max_length": str(_APPROVALS),
        "currency": "KRW",
    }
    return PbElection(meta, projects, votes)


def manifest_json(
    file: PbElection,
    *,
    name: str,
    trustees: Sequence[Mapping[str, str]],
    threshold: int,
    board_key: str,
    electorate: JsonObject,
    chain: JsonObject,
    times: Times,
) -> JsonObject:
    """Return the manifest: one stratum of all residents, money given greedily by votes.

    `electorate` has the members `eligibility` and `census`.
    """
    people = electorate["census"]["people"]
    return {
        "version": "SW-MVOTE-V1",
        "id": name,
        "title": _both(file.meta.get("description") or name),
        "suite": "dcp-secp256k1-1",
        "mode": "totals",
        "currency": file.meta.get("currency", "KRW"),
        **manifest_members(file),
        "outcome": {
            "rule": "votes",
            "on_overrun": "skip",
            "min_votes": 0,
            "min_score": "0",
            "phases": ["city"],
        },
        "strata": [
            {"id": STRATUM, "members": sorted(people), "weight": "1", "channel": "ballots"}
        ],
        **electorate,
        "opens": times.opens,
        "closes": times.closes,
        "grace_s": times.grace_s,
        "trustees": [
            {"name": {"ko": f"관리인 {number}", "en": f"trustee {number}"}, **keys}
            for number, keys in enumerate(trustees, start=1)
        ],
        "threshold": threshold,
        "board": {"signing_key": board_key, "checkpoint_every_s": times.every_s},
        "batch_officers": [],
        "chain": chain,
        "tie_break": {"block_time": times.closes + times.grace_s + 1},
    }


def legal_choices(file: PbElection, manifest: Manifest) -> list[tuple[int, ...]]:
    """Return the file's votes as choices; votes that break its own rules are left out."""
    found = []
    for vote in file.votes:
        chosen = choices(file, vote)
        try:
            fill_slack(manifest.layout, manifest.ballot.vote_bits(chosen))
        except ChoicesInvalid:
            continue
        found.append(chosen)
    return found


def official_selection(file: PbElection) -> set[int] | None:
    """Return the places of the projects that the file says were selected; None if it does not."""
    if any(project.selected is None for project in file.projects):
        return None
    return {place for place, project in enumerate(file.projects) if project.selected}


def funded(outcome: Mapping[str, Any], manifest: Manifest) -> set[int]:
    """Return the places of the projects that an outcome funds."""
    ids = {item["id"] for item in outcome["projects"] if item["status"] == FUNDED}
    return {place for place, project in enumerate(manifest.projects) if project.id in ids}


def _both(text: str) -> JsonObject:
    return {"ko": text, "en": text}
