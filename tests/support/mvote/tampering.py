"""Records that somebody has tampered with, each with the checks and codes that must name it.

The tamperer is strong: it signs with the board's key, recounts and renews record.json wherever
that hides more, so that the named check alone stands in the way.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.mvote.ceremony import Entry
from tests.support.mvote.elections import CastBallot, Election
from tests.support.mvote.primitives import canonical
from tests.support.mvote.records import (
    Files,
    with_log,
)

Tamper = Callable[[Election, Files], Files]


@dataclass(frozen=True)
class Case:
    """`caught`: every check that fails, and its code."""

    name: str
    caught: dict[int, str]
    tamper: Tamper


CASES: list[Case] = []


def tampered(name: str, caught: dict[int, str]) -> Callable[[Tamper], Tamper]:
    def add(tamper: Tamper) -> Tamper:
        CASES.append(Case(name, caught, tamper))
        return tamper

    return add


def edited(files: Files, name: str, edit: Callable[[Any], None]) -> Files:
    value = json.loads(files[name])
    edit(value)
    return {**files, name: canonical(value)}


def over_ballots(election: Election, files: Files, ballots: list[CastBallot]) -> Files:
    """A log, with a right close, over other ballots; nothing is recounted."""
    return with_log(election, files, election.entries(ballots))


def extra(election: Election, files: Files, ballot: CastBallot) -> Files:
    return over_ballots(election, files, [*election.ballots, ballot])


def replaced(entries: list[Entry], index: int, payload: bytes) -> list[Entry]:
    return [(k, payload if i == index else p) for i, (k, p) in enumerate(entries)]


def index_of(entries: list[Entry], kind: str, which: int = 0) -> int:
    return [i for i, (k, _) in enumerate(entries) if k == kind][which]
