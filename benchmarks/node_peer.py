"""A peer under Node.js, measured in turns with us: processor time and time on the wall.

Each side does a stretch of work, then the other, so that a busy machine disturbs both alike;
processor time, which it hardly disturbs, decides.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import pytest

from benchmarks.conftest import _ROWS

FOLDER: Final = Path(__file__).resolve().parents[1] / "tests" / "interop"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one stretch of work took, in microseconds for each time."""

    cpu_us: float
    wall_us: float


@contextmanager
def node_peer(package: str, request: dict[str, Any]) -> Iterator[Callable[[int], Stretch]]:
    """Start the peer on `request`; the value does its work so many times. Skips without Node."""
    if shutil.which("node") is None or not (FOLDER / "node_modules" / package).is_dir():
        pytest.skip(f"needs node: {package} from npm")
    process = subprocess.Popen(
        ["node", str(FOLDER / "measure.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    stdin.write(json.dumps(request) + "\n")

    def work(rounds: int) -> Stretch:
        stdin.write(json.dumps({"rounds": rounds}) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline())
        return Stretch(answer["cpu_us"] / rounds, answer["wall_us"] / rounds)

    try:
        yield work
    finally:
        stdin.close()
        process.wait(timeout=30)
        stdout.close()


def own_work(subject: Callable[[], object], rounds: int) -> Stretch:
    """Do our own work so many times."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        subject()
    return Stretch(
        (time.process_time() - cpu) * 1e6 / rounds, (time.perf_counter() - wall) * 1e6 / rounds
    )


@dataclass(frozen=True, slots=True)
class Turns:
    """How often each side works: stretches in turns, times in a stretch of ours and of theirs."""

    turns: int
    ours: int
    theirs: int
    warmup: int


def in_turns(
    config: pytest.Config,
    row: str,
    subject: Callable[[], object],
    peer: Callable[[int], Stretch],
    turns: Turns,
    *,
    at_least: float,
) -> None:
    """Add the row `row`; when measuring, require the peer to need `at_least` times our time.

    Without measuring each side does its work once.
    """
    if not config.getoption("benchmark_enable"):
        own_work(subject, 1)
        peer(1)
        return
    own_work(subject, turns.warmup)
    peer(turns.warmup)
    ours, theirs = [], []
    for _ in range(turns.turns):
        ours.append(own_work(subject, turns.ours))
        theirs.append(peer(turns.theirs))
    rows = config.stash.setdefault(_ROWS, [])
    ratios = {
        "cpu_us": [mine.cpu_us / other.cpu_us for mine, other in zip(ours, theirs, strict=True)],
        "wall_us": [
            mine.wall_us / other.wall_us for mine, other in zip(ours, theirs, strict=True)
        ],
    }
    for name, label in (("cpu_us", "processor time"), ("wall_us", "wall time")):
        low, middle, high = quantiles(ratios[name], n=4)
        mine = median(getattr(each, name) for each in ours)
        other = median(getattr(each, name) for each in theirs)
        rows.append((f"{row}, {label}", mine, other, middle, high - low, turns.turns * turns.ours))
    needed = median(ratios["cpu_us"])
    assert needed * at_least <= 1, f"{row}: {needed:.3f}"
