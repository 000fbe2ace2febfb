"""`ports.Compute` in this very process: nothing to start, one chunk after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from wallet.ports.compute import ComputeUnavailable

T = TypeVar("T")
R = TypeVar("R")


class ThisProcess:
    """Runs chunks where it is called. A chunk that ends the process ends the caller."""

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        """Yield the results in order (see the port)."""
        yield from map(function, chunks)


@contextmanager
def this_process() -> Iterator[ThisProcess]:
    """As the other ways to compute are opened."""
    yield ThisProcess()
