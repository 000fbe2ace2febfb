"""Where chunks are verified: here, in processes of this machine, or on a Dask cluster."""

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context, parent_process
from pathlib import Path

from mvote_verify.chunks import ChunkResult, ChunkVerifier, Election, Item
from mvote_verify.failures import Skipped
from mvote_verify.limits import CHUNK_BALLOTS, DASK_TIMEOUT_S
from mvote_verify.log import LogFile

Chunk = Sequence[Item]


@dataclass(frozen=True, slots=True)
class Work:
    """Where chunks are verified, and how many ballots they have.

    `dask` is the address of a scheduler; `workers` are processes of this machine, without one.
    Results are believed: the cluster is the reader's own.
    """

    workers: int = 1
    dask: str | None = None
    chunk_ballots: int = CHUNK_BALLOTS
    dask_timeout_s: float = DASK_TIMEOUT_S


def run_chunks(
    election: Election, log_path: Path, chunks: Sequence[Chunk], work: Work
) -> Iterator[ChunkResult]:
    """The results in any order. Raises `RecordChanged`, and `Skipped` if a worker was lost."""
    if not chunks:
        return
    if work.dask is not None:
        yield from _on_cluster(election, log_path, chunks, work.dask, work.dask_timeout_s)
    elif work.workers == 1:
        verifier = ChunkVerifier(election)
        with LogFile(log_path) as file:
            yield from (verifier.verify(chunk, _read(file, chunk)) for chunk in chunks)
    else:
        yield from _in_processes(election, log_path, chunks, min(work.workers, len(chunks)))


def default_workers() -> int:
    return os.cpu_count() or 1


def has_dask() -> bool:
    """Whether `distributed` is installed, the extra `cluster`."""
    return find_spec("distributed") is not None


def _read(file: LogFile, chunk: Chunk) -> list[bytes]:
    return [file.read(item.offset, item.length) for item in chunk]


def _in_processes(
    election: Election, log_path: Path, chunks: Sequence[Chunk], workers: int
) -> Iterator[ChunkResult]:
    try:
        with ProcessPoolExecutor(
            workers, get_context("spawn"), _begin, (election, log_path)
        ) as pool:
            for future in as_completed([pool.submit(_verify, chunk) for chunk in chunks]):
                yield future.result()
    except BrokenProcessPool:
        raise Skipped("a worker process ended early") from None


_own: tuple[ChunkVerifier, LogFile] | None = None
"""Of a worker process: made once, for its tables."""


def _begin(election: Election, log_path: Path) -> None:
    global _own
    # Ctrl-C reaches a whole group of processes: what it means is for the parent to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _own = ChunkVerifier(election), LogFile(log_path)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _verify(chunk: Chunk) -> ChunkResult:
    if _own is None:
        raise RuntimeError("the worker was not begun")
    verifier, file = _own
    return verifier.verify(chunk, _read(file, chunk))


def _on_cluster(
    election: Election, log_path: Path, chunks: Sequence[Chunk], address: str, timeout_s: float
) -> Iterator[ChunkResult]:
    """The entries are sent along: the workers need the package, and no file of this machine."""
    from distributed import Client, Future, KilledWorker
    from distributed.client import FutureCancelledError, FuturesCancelledError
    from distributed.comm.core import CommClosedError

    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=timeout_s, set_as_default=False
        )
    except (OSError, TimeoutError):
        raise Skipped("the scheduler of the Dask cluster does not answer") from None
    running: deque[Future[ChunkResult]] = deque()
    try:
        with client, LogFile(log_path) as file:
            # Two chunks a processor are under way: their bytes are in memory here and there.
            ahead = 2 * max(1, sum(client.ncores().values()))  # type: ignore[no-untyped-call]
            for chunk in chunks:
                entries = _read(file, chunk)
                running.append(client.submit(_verify_sent, election, chunk, entries, pure=False))
                if len(running) > ahead:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
    except (KilledWorker, FutureCancelledError, FuturesCancelledError, CommClosedError):
        raise Skipped("the Dask cluster lost a worker") from None


def _verify_sent(election: Election, chunk: Chunk, entries: Sequence[bytes]) -> ChunkResult:
    # One for each chunk: a worker of a cluster may have several threads.
    return ChunkVerifier(election).verify(chunk, entries)
