"""What a resident chooses in tests, and what is on the board afterwards."""

from __future__ import annotations

from dataclasses import replace

from tests.support.polling import (
    PollingPlace,
)
from wallet.voting.ballot import parse_ballot, tracking_code
from wallet.voting.board import (
    BALLOT,
    log_octets,
    parse_log,
)

CHOICES = {"p1": 1, "p3": 1}
OTHERS = {"p2": 1}


def on_board(place: PollingPlace) -> list[tuple[str, int]]:
    """Code and sequence of every ballot on the board."""
    board = place.application.box.board
    entries = board.entries(0, 100)
    ballots = [parse_ballot(e.payload, place.election) for e in entries if e.kind == BALLOT]
    return [
        (tracking_code(ballot.digest(place.election)), ballot.header.sequence)
        for ballot in ballots
    ]


def counts_replayed(place: PollingPlace) -> list[str]:
    """Of each nullifier the code of the last ballot."""
    last: dict[bytes, str] = {}
    for entry in place.application.box.board.entries(0, 100):
        if entry.kind == BALLOT:
            ballot = parse_ballot(entry.payload, place.election)
            last[ballot.header.nullifier] = tracking_code(ballot.digest(place.election))
    return sorted(last.values())


def with_payload(log: bytes, old: bytes, new: bytes) -> bytes:
    """A log with one payload exchanged for another."""
    return log_octets([replace(e, payload=new) if e.payload == old else e for e in parse_log(log)])
