"""Decides on batches: reads chunks, collects facts, spreads the work, keeps the decisions.

A batch is leased by one process at a time and its chunks are decided in order, each kept in one
transaction: a process that dies loses nothing but the chunks that it had not finished. Memory
holds the chunks that are out at the workers, however long the batch is.
"""

from __future__ import annotations

import gc
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import Final, NamedTuple

from verifier.bulk.application import (
    ApplicationDigests,
    ApplicationRepeated,
    PresentationRepeated,
    peek_application_id,
)
from verifier.bulk.facts import Lacking, Supplies
from verifier.bulk.records import BulkBatch, BulkRecords, DecidedChunk, PendingChunk
from verifier.bulk.work import (
    Binding,
    Line,
    Setting,
    Unit,
    decide_unit,
    peek_lacking,
    refused_line,
)
from verifier.catalogue import ProgrammeShelf
from verifier.decision import Examiner
from verifier.receipts.desk import AlreadyDecided, ApplicationWithdrawn, ReceiptDesk
from verifier.receipts.records import LogWriter
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.ports.clock import Clock
from wallet.ports.compute import Compute, ComputeUnavailable

UNIT_APPLICATIONS: Final = 50
LEASE_S: Final = 120
# After so many chunks the next batch has its turn.
CHUNKS_PER_TURN: Final = 100


@dataclass(slots=True)
class _Chunk:
    """A chunk on its way: lines by position, as units come back."""

    number: int
    count: int
    lines: dict[int, Line] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return len(self.lines) == self.count

    @property
    def digests(self) -> set[bytes]:
        """Of all its applications."""
        return {each for line in self.lines.values() if line.digests for each in line.digests.all}


class _Task(NamedTuple):
    chunk: _Chunk
    unit: Unit


class BulkRunner:
    """Decides on whatever is pending, batch after batch.

    `open_compute` gives the engine while there is work, and none otherwise.
    """

    def __init__(
        self,
        records: BulkRecords,
        shelf: ProgrammeShelf,
        examiner: Examiner,
        clock: Clock,
        *,
        audience: str,
        receipts: ReceiptDesk,
        open_compute: Callable[[], AbstractContextManager[Compute]],
    ) -> None:
        self._records = records
        self._shelf = shelf
        self._examiner = examiner
        self._clock = clock
        self._audience = audience
        self._receipts = receipts
        self._open_compute = open_compute
        self._owner = secrets.token_urlsafe(16)
        self._stopping = Event()

    def stop(self) -> None:
        """End the run after the chunks that are out; what is left stays pending."""
        self._stopping.set()

    def run_once(self) -> None:
        """Decide on everything that is pending now.

        Raises `StorageUnavailable`, `BulkLeaseLost`, `CatalogueUnavailable`, and
        `ComputeUnavailable` when the engine does no work at all; the next run goes on.
        """
        batch = self._lease()
        if batch is None:
            return
        with self._open_compute() as compute, _settled_heap():
            while batch is not None:
                try:
                    self._decide_on(batch, compute)
                finally:
                    now = self._clock.now()
                    self._records.release(batch.batch_id, self._owner, now=now)
                batch = self._lease()

    def _lease(self) -> BulkBatch | None:
        if self._stopping.is_set():
            return None
        now = self._clock.now()
        return self._records.lease(self._owner, now=now, until=now + LEASE_S)

    def _decide_on(self, batch: BulkBatch, compute: Compute) -> None:
        supplies = Supplies(self._examiner, self._shelf, self._clock)
        out: deque[_Chunk] = deque()
        fresh = self._tasks(batch, supplies, out)
        again: deque[_Task] = deque()
        sent: deque[_Task] = deque()

        def feed() -> Iterator[Unit]:
            while task := again.popleft() if again else next(fresh, None):
                sent.append(task)
                yield task.unit

        # What lacks something when everything else is out already goes another time.
        has_work = True
        while has_work:
            for result in compute.map(decide_unit, feed()):
                chunk, unit = sent.popleft()
                if isinstance(result, ComputeUnavailable):
                    result = _one_by_one(unit, compute)
                chunk.lines.update((it.position, it) for it in result if isinstance(it, Line))
                lacking = [item for item in result if isinstance(item, Lacking)]
                if lacking:
                    lines = {item.position: unit.lines[item.position] for item in lacking}
                    brought = supplies.bring(lacking)
                    again.append(_Task(chunk, replace(unit, lines=lines, brought=brought)))
                self._keep_complete(batch, out)
            has_work = bool(again)

    def _keep_complete(self, batch: BulkBatch, out: deque[_Chunk]) -> None:
        while out and out[0].is_complete:
            now, chunk = self._clock.now(), out[0]
            # Chunks are decided in order, and by who has the lease: nothing is added meanwhile.
            before = self._records.seen(batch.batch_id, chunk.digests)
            self._records.decide(
                batch.batch_id,
                self._owner,
                chunk.number,
                partial(self._logged, batch, chunk, before),
                now=now,
                until=now + LEASE_S,
            )
            out.popleft()

    def _logged(
        self, batch: BulkBatch, chunk: _Chunk, before: frozenset[bytes], log: LogWriter
    ) -> DecidedChunk:
        lines, seen = _without_repeats(chunk, before)
        log.prefetch(
            [_application(batch, line.position) for line in lines if line.draft],
            [line.draft.holder for line in lines if line.draft and line.draft.holder],
        )
        told = [self._log(batch, log, line) for line in lines]
        return DecidedChunk(
            chunk.number,
            [line.told for line in told],
            Counter(line.state for line in told),
            seen - before,
        )

    def _log(self, batch: BulkBatch, log: LogWriter, line: Line) -> Line:
        """Put a decision into the agency's log; what was withdrawn gets no decision."""
        draft = line.draft
        if draft is None:
            return line
        try:
            entry = self._receipts.record(draft, _application(batch, line.position), log)
        except (ApplicationWithdrawn, AlreadyDecided) as error:
            return refused_line(line.position, _told_id(line), error)
        if entry.entry_id == draft.receipt_id:
            return line
        told = {**parse_json_object(line.told), "receipt_id": entry.entry_id}
        return line._replace(told=to_json(told))

    def _tasks(self, batch: BulkBatch, supplies: Supplies, out: deque[_Chunk]) -> Iterator[_Task]:
        first = batch.chunks_decided
        for number in range(first, first + CHUNKS_PER_TURN):
            if self._stopping.is_set():
                return
            pending = self._records.pending(batch.batch_id, number)
            if pending is None:
                return
            chunk = _Chunk(pending.number, pending.count)
            out.append(chunk)
            for unit in self._units(batch, pending, supplies):
                yield _Task(chunk, unit)

    def _units(
        self, batch: BulkBatch, pending: PendingChunk, supplies: Supplies
    ) -> Iterator[Unit]:
        now = self._clock.now()
        lines = pending.body.removesuffix(b"\n").split(b"\n")
        # Most of a chunk takes what its first application does.
        lacking = peek_lacking(pending.first, lines[0])
        if lacking is not None:
            supplies.bring([lacking])
        setting = Setting(
            self._examiner.rules,
            Binding(self._audience, batch.nonce, batch.created_at),
            self._receipts.issuer,
            supplies.shared(),
        ).packed()
        for at in range(0, len(lines), UNIT_APPLICATIONS):
            some = lines[at : at + UNIT_APPLICATIONS]
            yield Unit(dict(enumerate(some, start=pending.first + at)), now, setting)


@contextmanager
def _settled_heap() -> Iterator[None]:
    """Keep the collector from going through what was there before, again and again: a chunk is
    some ten thousand objects that come and go together."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _application(batch: BulkBatch, position: int) -> str:
    return f"{batch.batch_id}/{position}"


def _without_repeats(chunk: _Chunk, before: frozenset[bytes]) -> tuple[list[Line], set[bytes]]:
    """Return the lines in order, repeated applications refused, and all digests by then."""
    seen = set(before)
    lines: list[Line] = []
    for _, line in sorted(chunk.lines.items()):
        digests = line.digests
        repeated = None if digests is None else _repeated(digests, seen)
        if repeated is not None:
            line = refused_line(line.position, _told_id(line), repeated)
        elif digests is not None and line.is_taken:
            seen |= digests.all
        lines.append(line)
    return lines, seen


def _repeated(digests: ApplicationDigests, seen: set[bytes]) -> SeoulWalletError | None:
    if digests.of_id in seen:
        return ApplicationRepeated("an earlier application has this id")
    if not digests.of_presentations.isdisjoint(seen):
        return PresentationRepeated("an earlier application was made with this presentation")
    return None


def _told_id(line: Line) -> str | None:
    found: str | None = parse_json_object(line.told)["id"]
    return found


def _one_by_one(unit: Unit, compute: Compute) -> list[Line | Lacking]:
    """Return the lines of a unit that no worker survived, each item on its own.

    Only what fails alone gets `ComputeUnavailable` in place of a decision. Raises
    `ComputeUnavailable` when the engine cannot do an empty unit either: then nobody is to blame.
    """
    lines: list[Line | Lacking] = []
    for position, line in unit.lines.items():
        (result,) = compute.map(decide_unit, [replace(unit, lines={position: line})])
        if isinstance(result, ComputeUnavailable):
            _check_works(unit, compute)
            lines.append(refused_line(position, peek_application_id(line), result))
        else:
            lines += result
    return lines


def _check_works(unit: Unit, compute: Compute) -> None:
    for result in compute.map(decide_unit, [replace(unit, lines={})]):
        if isinstance(result, ComputeUnavailable):
            raise result
