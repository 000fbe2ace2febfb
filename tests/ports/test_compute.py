"""`ports.compute.Compute` on every adapter."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from tests.support.chunks import (
    DEADLY,
    REFUSED,
    ChunkRefused,
    meets_another,
    process_id,
    squares,
)
from tests.support.dask import dask_scheduler
from wallet.adapters.compute.here import ThisProcess
from wallet.adapters.compute.processes import CallerAndWorkers, ProcessPool
from wallet.ports.compute import Compute, ComputeUnavailable


class ComputeBehaviour:
    """What every engine does."""

    def test_gives_the_results_in_order(self, compute: Compute) -> None:
        chunks = [[number, number + 1] for number in range(40)]
        assert list(compute.map(squares, chunks)) == [squares(chunk) for chunk in chunks]
        assert list(compute.map(squares, [])) == []

    def test_reads_ahead_by_a_bounded_number(self, compute: Compute) -> None:
        read = 0

        def endless() -> Iterator[list[int]]:
            nonlocal read
            for number in count():
                read = number
                yield [number]

        results = list(islice(compute.map(squares, endless()), 10))
        assert results == [[number * number] for number in range(10)]
        assert read < 50

    def test_raises_what_the_function_raises_in_its_place(self, compute: Compute) -> None:
        results = compute.map(squares, [[1], [REFUSED], [3]])
        assert next(results) == [1]
        with pytest.raises(ChunkRefused):
            next(results)
        assert list(compute.map(squares, [[4]])) == [[16]]


class WorkersBehaviour(ComputeBehaviour):
    """What every engine does whose work is all done elsewhere."""

    def test_works_in_another_process(self, compute: Compute) -> None:
        assert os.getpid() not in set(compute.map(process_id, range(4)))

    def test_a_chunk_that_kills_its_worker_harms_no_other(self, compute: Compute) -> None:
        results = list(compute.map(squares, [[1], [2], [DEADLY], [3], [4]]))
        assert type(results[2]) is ComputeUnavailable
        assert [*results[:2], *results[3:]] == [[1], [4], [9], [16]]
        assert list(compute.map(squares, [[5]])) == [[25]]


class TestThisProcess(ComputeBehaviour):
    @pytest.fixture
    def compute(self) -> Compute:
        return ThisProcess()


class TestCallerAndWorkers(ComputeBehaviour):
    @pytest.fixture(scope="class")
    @classmethod
    def compute(cls) -> Iterator[Compute]:
        with CallerAndWorkers(2) as pool:
            yield pool

    def test_works_here_and_in_another_process(self, compute: Compute, tmp_path: Path) -> None:
        assert os.getpid() in met(compute, tmp_path)

    def test_a_worker_that_ends_harms_no_chunk(self, compute: Compute, tmp_path: Path) -> None:
        (worker,) = met(compute, tmp_path) - {os.getpid()}
        os.kill(worker, signal.SIGKILL)
        chunks = [[number] for number in range(40)]
        assert list(compute.map(squares, chunks)) == [squares(chunk) for chunk in chunks]


def met(compute: Compute, folder: Path) -> set[int]:
    """Return the two processes that had chunks: whoever has the first waits for another."""
    found = set(compute.map(meets_another, [folder] * 4))
    assert len(found) == 2
    return {process for process in found if isinstance(process, int)}


class TestProcessPool(WorkersBehaviour):
    @pytest.fixture(scope="class")
    @classmethod
    def compute(cls) -> Iterator[Compute]:
        with ProcessPool(2) as pool:
            yield pool

    def test_ctrl_c_is_for_the_parent_to_understand(self, compute: Compute) -> None:
        workers = set(compute.map(process_id, range(8)))
        for worker in workers:
            os.kill(worker, signal.SIGINT)
        assert all(type(found) is int for found in compute.map(process_id, range(8)))
        # A pool with a dead worker ends the others; one that was slow to start may have joined.
        for worker in workers:
            os.kill(worker, 0)


KEEPS_A_WORKER = """
import time
from tests.support.chunks import process_id
from wallet.adapters.compute.processes import ProcessPool
pool = ProcessPool(1)
print(*pool.map(process_id, [1]), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open of Linux")
def test_a_worker_ends_with_a_process_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", KEEPS_A_WORKER], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = os.pidfd_open(int(parent.stdout.readline()))
    assert select.select([worker], [], [], 0)[0] == []
    parent.kill()
    parent.communicate()
    assert select.select([worker], [], [], 60)[0] == [worker]
    os.close(worker)


@pytest.mark.loopback
class TestDaskCluster(WorkersBehaviour):
    @pytest.fixture(scope="class")
    @classmethod
    def compute(cls) -> Iterator[Compute]:
        distributed = pytest.importorskip("distributed")
        dask = pytest.importorskip("dask")
        from wallet.adapters.compute.dask import DaskCluster

        with (
            dask.config.set({"distributed.scheduler.allowed-failures": 0}),
            dask_scheduler() as address,
            distributed.Client(address) as client,
        ):
            yield DaskCluster(client)
