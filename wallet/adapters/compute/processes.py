"""`ports.Compute` on a pool of processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, TypeVar

from wallet.ports.compute import ComputeUnavailable

T = TypeVar("T")
R = TypeVar("R")

# Chunks per worker that are handed out ahead of the one whose result is awaited: enough to go on
# with while this process writes down what came back.
_AHEAD: Final = 12
# What a worker has before it while the caller does a chunk: one under way, one to go on with.
_BUSY: Final = 2


def _follow_the_parent() -> None:
    """Have a worker end with the process that started it, however that ends.

    Ctrl-C reaches a whole group of processes: the parent decides what it means, and gets the
    chunks under way first.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class ProcessPool:
    """Keeps `workers` processes; by default as many as this process may use processors.

    Workers are started fresh, never forked: this process may have threads and secrets. Close it,
    or use it as a context.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))
        self._pool = self._start(self._workers)

    def _start(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_follow_the_parent,
        )

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        """Yield the results in order (see the port)."""
        running: deque[tuple[T, Future[R]]] = deque()
        try:
            for chunk in chunks:
                running.append((chunk, self._begin(function, chunk, running)))
                if len(running) > _AHEAD * self._workers:
                    done = self._result(function, running.popleft())
                    yield done
            while running:
                done = self._result(function, running.popleft())
                yield done
        finally:
            for _, future in running:
                future.cancel()

    def _begin(
        self, function: Callable[[T], R], chunk: T, running: Collection[tuple[T, Future[R]]]
    ) -> Future[R]:
        """Start on a chunk while these others are `running` or done."""
        return self._submit(function, chunk)

    def _submit(self, function: Callable[[T], R], chunk: T) -> Future[R]:
        try:
            return self._pool.submit(function, chunk)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._start(self._workers)
            return self._pool.submit(function, chunk)

    def _result(
        self, function: Callable[[T], R], item: tuple[T, Future[R]]
    ) -> R | ComputeUnavailable:
        chunk, future = item
        try:
            return future.result()
        except BrokenProcessPool:
            # The pool does not say which chunk killed the worker, and loses all that were out.
            # On its own, only the one to blame fails again.
            return self._alone(function, chunk)

    def _alone(self, function: Callable[[T], R], chunk: T) -> R | ComputeUnavailable:
        with self._start(1) as pool:
            try:
                return pool.submit(function, chunk).result()
            except BrokenProcessPool:
                return ComputeUnavailable("the worker that had this chunk died")

    def close(self) -> None:
        """End the workers; what is still out is given up."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class CallerAndWorkers(ProcessPool):
    """As many processes as processors, of which the caller's is one: it works instead of waiting.

    On two processors that is one worker: nobody takes a processor from it, and half of the work
    goes nowhere. A chunk that ends its process ends the caller if the caller has it, so this is
    for what the caller would else do itself.
    """

    def __init__(self, processors: int | None = None) -> None:
        super().__init__(max(1, (processors or len(os.sched_getaffinity(0))) - 1))

    def _begin(
        self, function: Callable[[T], R], chunk: T, running: Collection[tuple[T, Future[R]]]
    ) -> Future[R]:
        out = sum(not future.done() for _, future in running)
        if out < _BUSY * self._workers:
            return self._submit(function, chunk)
        return _done(function, chunk)


def _done(function: Callable[[T], R], chunk: T) -> Future[R]:
    future: Future[R] = Future()
    try:
        future.set_result(function(chunk))
    except Exception as error:
        # Raised in the chunk's place, as if a worker had met it.
        future.set_exception(error)
    return future
