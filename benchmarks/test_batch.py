"""Claim: a batch is verified by all processors, at little cost for the journey there and back.

What a busy machine shows as wall time says nothing about an idle one. The row therefore also
gives the processor time of both ways, from which follows what two idle processors would do; that
is what is held against the claim. The caller works too: one worker and this process.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.support.credentials import NOW, World, policy
from wallet.adapters.compute.processes import CallerAndWorkers
from wallet.batch import BatchItem, verify_many
from wallet.verification.pipeline import VerifiedPresentation, verify_presentation

COUNT = 1000
PROCESSORS = 2
ROUNDS = 9
CLAIMED = 1.7


def processor_time_s(pids: list[int]) -> float:
    """Return the processor time of this process and of `pids`, in seconds."""
    spent = [int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids]
    return time.process_time() + sum(spent) / 1e9


@pytest.fixture
def pool() -> Iterator[CallerAndWorkers]:
    with CallerAndWorkers(PROCESSORS) as started:
        yield started


def batch(count: int) -> list[BatchItem]:
    """New credentials: one that was seen before would cost a signature less."""
    world = World()
    evidence = world.evidence()
    return [BatchItem(world.present(world.issue()), evidence) for _ in range(count)]


def test_a_batch_against_one_at_a_time(
    pytestconfig: pytest.Config, pool: CallerAndWorkers
) -> None:
    measuring = bool(pytestconfig.getoption("benchmark_enable"))
    count, rounds = (COUNT, ROUNDS) if measuring else (20, 1)
    rules = policy()
    wall, processors = [], []
    list(verify_many(batch(count), rules, now=NOW, compute=pool))
    workers = [child.pid for child in multiprocessing.active_children() if child.pid is not None]
    for _ in range(rounds):
        items = batch(count)
        started, spent = time.perf_counter(), processor_time_s(workers)
        for item in items:
            verify_presentation(item.presentation, item.evidence, rules, now=NOW)
        between, spent_between = time.perf_counter(), processor_time_s(workers)
        verdicts = list(verify_many(items, rules, now=NOW, compute=pool))
        ended, spent_at_end = time.perf_counter(), processor_time_s(workers)
        assert {type(verdict) for verdict in verdicts} == {VerifiedPresentation}
        wall.append((between - started) / (ended - between))
        processors.append((spent_between - spent) / ((spent_at_end - spent_between) / PROCESSORS))
    if measuring:
        idle = median(processors)
        print(
            f"\nverify_many of {count} on {PROCESSORS} processors, one of them the caller's:"
            f" {median(wall):.2f} (best {max(wall):.2f}) times faster by the clock; by processor"
            f" time {idle:.2f} (best {max(processors):.2f}) on {PROCESSORS} idle processors"
        )
        assert idle >= CLAIMED, f"{idle:.2f}, claimed {CLAIMED}"
