"""What the storage tests run in other processes: `multiprocessing` imports it by name."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.errors import ConflictError
from wallet.ports.sessions import SessionUnknown
from wallet.trust.facts import BatchFact, BlockRef

START_TIMEOUT_S = 60
BATCHES_PER_BLOCK = 3
Work = Callable[[str, Sequence[str]], list[str]]


def run_in_processes(work: Work, url: str, names: Sequence[str], count: int) -> list[list[str]]:
    """Run `work(url, names)` in `count` new processes that start together; return what each says.

    Fails when one of them ends with an error.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    results: SimpleQueue[list[str]] = context.SimpleQueue()
    processes = [
        context.Process(target=_work_together, args=(work, url, names, barrier, results))
        for _ in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    codes = [process.exitcode for process in processes]
    if codes != [0] * count:
        raise AssertionError(f"the processes ended with {codes}")
    return [results.get() for _ in processes]


def _work_together(
    work: Work,
    url: str,
    names: Sequence[str],
    barrier: Barrier,
    results: SimpleQueue[list[str]],
) -> None:
    barrier.wait(START_TIMEOUT_S)
    results.put(work(url, names))


def take_each(url: str, names: Sequence[str]) -> list[str]:
    """Take every one-time value; return the names of those that were got."""
    engine = open_engine(url)
    store = SqlSessionStore(engine)
    got = []
    for name in names:
        try:
            store.take("code", name, now=0)
        except SessionUnknown:
            continue
        got.append(name)
    engine.dispose()
    return got


def replace_each(url: str, names: Sequence[str]) -> list[str]:
    """Replace version 1 of every session; return the names of those where that succeeded."""
    engine = open_engine(url)
    store = SqlSessionStore(engine)
    got = []
    for name in names:
        try:
            store.replace("code", name, b"mine", expected_version=1, expires_at=1)
        except ConflictError:
            continue
        got.append(name)
    engine.dispose()
    return got


def migrate_each(url: str, names: Sequence[str]) -> list[str]:
    """Migrate every schema; return their names."""
    engine = open_engine(url)
    for name in names:
        migrate(engine, name)
    engine.dispose()
    return list(names)


def block(number: int) -> tuple[list[BatchFact], BlockRef]:
    """Return the batches of a block that `apply_blocks` writes, and the block."""
    batches = [
        BatchFact(bytes(32), bytes(32), batch_root(number, i), 1, bytes(32), number)
        for i in range(BATCHES_PER_BLOCK)
    ]
    return batches, BlockRef(number, number.to_bytes(32, "big"), number)


def batch_root(number: int, index: int) -> bytes:
    """Return the root of a batch of a block that `apply_blocks` writes."""
    return number.to_bytes(16, "big") + index.to_bytes(16, "big")


def apply_blocks(url: str) -> None:
    """Apply blocks to a replica for ever, printing each number once it is durable."""
    replica = SqlReplica(open_engine(url))
    head = replica.head()
    number = 0 if head is None else head.number
    while True:
        number += 1
        events, ref = block(number)
        replica.apply(events, ref, number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    apply_blocks(sys.argv[1])
