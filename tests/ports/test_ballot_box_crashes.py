"""A ballot box that is ended at the steps of a cast and of a checkpoint loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports.test_ballot_box import CHOICES, MANIFEST, Box
from tests.support.ballot_box_process import STOPPED
from tests.support.voting import OPENS, cast, voter
from wallet.voting.board import BALLOT, Entry

ROOT = Path(__file__).resolve().parents[2]
STEPS = int(os.environ.get("SOAK_BALLOT_KILLS", "1"))
# More steps than a cast or a checkpoint has: the last runs end by themselves.
MAX_STEPS = 30


def end_at(url: str, now: int, step: int, *ballot: str) -> int:
    command = (sys.executable, "-m", "tests.support.ballot_box_process", url, str(now), str(step))
    return subprocess.run([*command, *ballot], cwd=ROOT, timeout=60, check=False).returncode


@pytest.mark.soak
def test_a_box_that_is_ended_at_any_step_counts_each_ballot_once(
    empty_sqlite_url: str, tmp_path: Path
) -> None:
    box = Box(empty_sqlite_url)
    box.open()
    election = box.box.election()
    path = tmp_path / "ballot"
    codes = set()
    now = OPENS
    for number in range(STEPS):
        step = number * MAX_STEPS // STEPS % MAX_STEPS
        octets = cast(election, voter(1), CHOICES, number + 1).octets
        path.write_bytes(octets)
        codes.add(end_at(box.url, now, step, str(path)))
        # The wallet got no answer and sends again.
        first = box.box.accept(octets)
        assert box.box.accept(octets) == first
        now += MANIFEST.checkpoint_every_s
        codes.add(end_at(box.url, now, step))
        box.clock.set(now)
        box.box.work()
    assert codes <= {0, STOPPED}
    assert STOPPED in codes
    payloads = [entry.payload for entry in _entries(box) if entry.kind == BALLOT]
    assert len(payloads) == len(set(payloads)) == STEPS
    box.application.close()


def _entries(box: Box) -> list[Entry]:
    size = box.box.board.published_size()
    found: list[Entry] = []
    while len(found) < size:
        found += box.box.board.entries(len(found), 100)
    return found
