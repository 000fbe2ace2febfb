"""Ballot boxes that are killed at the steps of a cast, of a checkpoint and of its transaction."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports.test_ballot_box import CHOICES, MANIFEST, Box, all_entries
from tests.support.ballot_box_process import BallotBoxProcesses
from tests.support.voting import OPENS, cast, voter
from wallet.voting.board import BALLOT

KILLS = int(os.environ.get("SOAK_BALLOT_KILLS", "8"))
# More steps than a cast or a checkpoint has: the last runs end by themselves.
MAX_STEPS = 32


@pytest.fixture(scope="module")
def processes() -> Iterator[BallotBoxProcesses]:
    with BallotBoxProcesses() as started:
        yield started


@pytest.fixture
def box(empty_sqlite_url: str) -> Iterator[Box]:
    running = Box(empty_sqlite_url)
    running.open()
    yield running
    running.application.close()


@pytest.mark.soak
def test_a_box_that_is_killed_at_any_step_counts_each_ballot_once(
    box: Box, processes: BallotBoxProcesses, tmp_path: Path
) -> None:
    election = box.box.election()
    path = tmp_path / "ballot"
    codes = []
    now = OPENS
    for number in range(KILLS):
        step = number * max(1, MAX_STEPS // KILLS) % MAX_STEPS
        octets = cast(election, voter(1), CHOICES, number + 1).octets
        path.write_bytes(octets)
        codes.append(processes.cast(box.url, MANIFEST.octets, now, step, path))
        # The wallet got no answer and sends again.
        first = box.box.accept(octets)
        assert box.box.accept(octets) == first
        if now + MANIFEST.checkpoint_every_s < MANIFEST.closes:
            now += MANIFEST.checkpoint_every_s
        codes.append(processes.checkpoint(box.url, MANIFEST.octets, now, step))
        box.clock.set(now)
        box.box.work()
    assert set(codes) <= {0, -signal.SIGKILL}
    assert -signal.SIGKILL in codes
    box.clock.set(MANIFEST.closes)
    box.box.work()
    payloads = [entry.payload for entry in all_entries(box) if entry.kind == BALLOT]
    assert len(payloads) == len(set(payloads)) == KILLS
