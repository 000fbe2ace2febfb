"""`ports.Compute` on a Dask cluster (`distributed`, the extra `cluster`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from distributed import Client, Future, KilledWorker
from distributed.client import FutureCancelledError, FuturesCancelledError
from distributed.comm.core import CommClosedError

from wallet.ports.compute import ComputeUnavailable

T = TypeVar("T")
R = TypeVar("R")

_AHEAD: Final = 2
_LOST: Final = (KilledWorker, FutureCancelledError, FuturesCancelledError, CommClosedError)


class DaskCluster:
    """Spreads chunks over the workers that `client` is connected to. The caller closes the client.

    Workers need this package in the same version. `distributed.scheduler.allowed-failures` of
    the cluster says how often a chunk is tried again on another worker; 1 is what the port wants.
    The cluster sees everything it is given: it belongs to whoever runs this process, over TLS.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        workers: Mapping[str, int] = client.ncores()  # type: ignore[no-untyped-call]
        self._ahead = _AHEAD * max(1, sum(workers.values()))

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        """Yield the results in order (see the port)."""
        running: deque[Future[R]] = deque()
        try:
            for chunk in chunks:
                # Not pure: the same chunk twice is two pieces of work.
                running.append(self._client.submit(function, chunk, pure=False))
                if len(running) > self._ahead:
                    done = self._result(running.popleft())
                    yield done
            while running:
                done = self._result(running.popleft())
                yield done
        finally:
            for future in running:
                future.cancel()  # type: ignore[no-untyped-call]

    def _result(self, future: Future[R]) -> R | ComputeUnavailable:
        try:
            result: R = future.result()
            return result
        except _LOST:
            return ComputeUnavailable("the cluster lost the worker that had this chunk")
