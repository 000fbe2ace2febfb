"""A Dask scheduler with workers, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def dask_scheduler(workers: int = 2, *, processes: bool = True) -> Iterator[str]:
    """Start a scheduler and give its address.

    Without `processes` its workers are threads of this one, still reached over TCP.
    Its page takes any free port: two test processes may each run a cluster.
    """
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=workers,
        processes=processes,
        protocol="tcp://",
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address
