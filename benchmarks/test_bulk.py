"""Claim: applications in bulk are decided on by all processors, from the database and back to it.

Both ways read the same chunks, collect the same facts and keep the same decisions; one does the
work in this process, and nothing is copied. What a busy machine shows as wall time says nothing
about an idle one, so the row also gives what two idle processors would do, from the processor
time of both ways. And two processors may be two threads of one core: in the same run, before each
turn, plain hashing goes through the same pool and through this process, which shows what the
machine gives to anybody. Warm: the workers are running and have been used once.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from benchmarks.conftest import is_measuring
from benchmarks.test_batch import processor_time_s
from tests.support.bulk import CARD_NOW, BulkBench, send_all
from tests.support.evidence_bench import EvidenceBench
from wallet.adapters.compute.processes import ProcessPool
from wallet.ports.compute import Compute, ComputeUnavailable

COUNT = int(os.environ.get("BENCH_BULK_APPLICATIONS", "100000"))
WORKERS = 2
CLAIMED = 1.6
# Each way has its applications in so many batches, in turns: a machine that is busier for a while
# disturbs both.
TURNS = 5
PLAIN_UNITS = 64
PLAIN_ROUNDS = 50_000
T = TypeVar("T")
R = TypeVar("R")


class HereAndNow:
    """`ports.Compute` in this process, without a copy."""

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        return map(function, chunks)


class Spent(NamedTuple):
    """The seconds that one batch takes: by the clock, of processors, and of those in this process,
    which reads, collects facts, signs receipts with their place in the log, and writes."""

    wall: float
    processors: float
    here: float

    def plus(self, other: Spent) -> Spent:
        """Return what both take together."""
        return Spent(*(mine + more for mine, more in zip(self, other, strict=True)))


def decided_on(bulk: BulkBench, compute: Compute, count: int) -> Spent:
    """Return what one batch takes, sending apart."""
    bulk.restart(lambda: nullcontext(compute))
    batch = bulk.open()
    send_all(bulk, batch, count)
    bulk.seal(batch)
    workers = [child.pid for child in multiprocessing.active_children() if child.pid is not None]
    started, spent, here = time.perf_counter(), processor_time_s(workers), time.process_time()
    bulk.verifier.bulk.run_once()
    found = Spent(
        time.perf_counter() - started,
        processor_time_s(workers) - spent,
        time.process_time() - here,
    )
    assert bulk.progress(batch)["applications"]["eligible"] == count
    return found


def hashed(unit: int) -> bytes:
    """Return what so many rounds of hashing make: work that shares nothing with anybody."""
    found = unit.to_bytes(32, "big")
    for _ in range(PLAIN_ROUNDS):
        found = sha256(found).digest()
    return found


def plain(compute: Compute) -> float:
    """Return the seconds by the clock that plain hashing takes."""
    started = time.perf_counter()
    assert len(list(compute.map(hashed, range(PLAIN_UNITS)))) == PLAIN_UNITS
    return time.perf_counter() - started


@pytest.mark.timeout(0)
def test_a_bulk_batch_against_one_process(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    measuring = is_measuring(pytestconfig)
    count = COUNT if measuring else 60
    bulk = BulkBench(tmp_path, EvidenceBench(CARD_NOW), max_bulk_applications=count)
    turns = TURNS if measuring else 1
    one, two = Spent(0, 0, 0), Spent(0, 0, 0)
    plain_one = plain_two = 0.0
    with ProcessPool(WORKERS) as pool:
        decided_on(bulk, pool, min(count, 200))
        for _ in range(turns):
            if measuring:
                plain_one, plain_two = plain_one + plain(HereAndNow()), plain_two + plain(pool)
            one = one.plus(decided_on(bulk, HereAndNow(), count // turns))
            two = two.plus(decided_on(bulk, pool, count // turns))
    if measuring:
        ceiling = plain_one / plain_two
        ratio = one.wall / two.wall
        idle = one.processors / (two.processors / WORKERS)
        print(
            f"\n{count} applications in bulk: one process {one.wall:.1f} s ({one.processors:.1f} s"
            f" of processor), {WORKERS} workers {two.wall:.1f} s ({two.processors:.1f} s, of which"
            f" {two.here / two.processors:.0%} in the process that hands out and keeps):"
            f" {ratio:.2f} times faster by the clock, by processor time {idle:.2f}"
            f" on {WORKERS} idle processors; plain hashing in the same run {ceiling:.2f} times, so"
            f" {ratio / ceiling:.2f} of what the machine gives"
        )
        assert idle >= CLAIMED, f"{idle:.2f}, claimed {CLAIMED}"
