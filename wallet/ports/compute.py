"""Where bulk work is done: issuing, verifying again, counting."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from wallet.errors import UnavailableError

T = TypeVar("T")
R = TypeVar("R")


class ComputeUnavailable(UnavailableError):
    """The worker that had a chunk died, twice, or there is none: the chunk was not done."""

    code = "compute_unavailable"


class Compute(Protocol):
    """Runs one function over many chunks of work, on the processors it has."""

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        """Yield `function(chunk)` for every chunk, in order, each as soon as it is there.

        Function, chunks and results are pickled: the function stands at the top of a module, or
        is a `functools.partial` of one that does. `chunks` is read ahead by a bounded number, so
        it may be endless. A chunk that a worker did not survive is tried once more on its own;
        if that fails too, its `ComputeUnavailable` takes the place of its result and the others
        are not harmed. What the function raises is raised here, in the chunk's place.
        """
