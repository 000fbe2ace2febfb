"""`ports.Compute` on a Dask cluster (`distributed`, the extra `cluster`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from distributed import Client, Future, KilledWorker, wait
from distributed.client import FutureCancelledError, FuturesCancelledError
from distributed.comm.core import CommClosedError

from wallet.ports.compute import ComputeUnavailable

T = TypeVar("T")
R = TypeVar("R")

_AHEAD: Final = 12
CONNECT_TIMEOUT_S: Final = 10
_LOST: Final = (KilledWorker, FutureCancelledError, FuturesCancelledError, CommClosedError)


class DaskCluster:
    """Spreads chunks over the workers that `client` is connected to. The caller closes the client.

    Workers need this package in the same version. The cluster sees everything that it is given:
    it belongs to whoever runs this process, and is reached over TLS.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        workers: Mapping[str, int] = client.ncores()  # type: ignore[no-untyped-call]
        self._ahead = _AHEAD * max(1, sum(workers.values()))

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        """Yield the results in order (see the port)."""
        running: deque[tuple[T, Future[R]]] = deque()
        try:
            for chunk in chunks:
                running.append((chunk, self._submit(function, chunk)))
                if len(running) > self._ahead:
                    done = self._next(function, running)
                    yield done
            while running:
                done = self._next(function, running)
                yield done
        finally:
            for _, future in running:
                future.cancel()  # type: ignore[no-untyped-call]

    def _submit(self, function: Callable[[T], R], chunk: T) -> Future[R]:
        # Not pure: the same chunk twice is two pieces of work.
        return self._client.submit(function, chunk, pure=False)

    def _next(
        self, function: Callable[[T], R], running: deque[tuple[T, Future[R]]]
    ) -> R | ComputeUnavailable:
        chunk, future = running.popleft()
        try:
            return _result(future)
        except _LOST:
            # The scheduler suspects every chunk that a dead worker had. Once the others are done
            # this one is alone, and fails again only if it is to blame.
            wait([other for _, other in running])  # type: ignore[no-untyped-call]
        try:
            return _result(self._submit(function, chunk))
        except _LOST:
            return ComputeUnavailable("the cluster lost the worker that had this chunk")


@contextmanager
def open_cluster(address: str, *, timeout_s: int = CONNECT_TIMEOUT_S) -> Iterator[DaskCluster]:
    """Connect to the scheduler at `address` (`tls://host:port`) while the block runs.

    Certificates come from Dask's own configuration. Raises `ComputeUnavailable`.
    """
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=timeout_s, set_as_default=False
        )
    except (OSError, TimeoutError) as error:
        raise ComputeUnavailable("the scheduler does not answer") from error
    with client:
        yield DaskCluster(client)


def _result(future: Future[R]) -> R:
    result: R = future.result()
    return result
