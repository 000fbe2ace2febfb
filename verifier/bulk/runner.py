"""Decides on batches: reads chunks, collects facts, spreads the work, keeps the decisions.

A batch is leased by one process at a time and its chunks are decided in order, each kept in one
transaction: a process that dies loses nothing but the chunks that it had not finished. Memory
holds the chunks that are out at the workers, however long the batch is.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Final

from verifier.bulk.application import (
    Application,
    ApplicationDigests,
    ApplicationRepeated,
    PresentationRepeated,
    parse_application,
    peek_application_id,
)
from verifier.bulk.facts import FactsAtHand
from verifier.bulk.records import BulkBatch, BulkRecords, DecidedChunk, PendingChunk
from verifier.bulk.work import Binding, Item, Line, Unit, decide_unit, refused_line
from verifier.catalogue import ProgrammeShelf
from verifier.decision import Examiner
from verifier.eligibility import ProgrammeChanged
from verifier.receipts.basis import AnsweredRequest
from verifier.receipts.desk import AlreadyDecided, ApplicationWithdrawn, ReceiptDesk
from verifier.receipts.records import LogWriter
from wallet.eligibility.days import seoul_day
from wallet.eligibility.programme import Programme
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError, UnsupportedError
from wallet.ports.clock import Clock
from wallet.ports.compute import Compute, ComputeUnavailable

UNIT_APPLICATIONS: Final = 50
LEASE_S: Final = 120
# After so many chunks the next batch has its turn.
CHUNKS_PER_TURN: Final = 100

Work = Callable[[Unit], list[Line]]


class CountedOneByOne(UnsupportedError):
    """The programme is drawn once per person, and batches do not count people."""

    code = "counted_one_by_one"


@dataclass(slots=True)
class _Chunk:
    """A chunk on its way: lines by position, filled in by what was refused here, then by units."""

    number: int
    count: int
    seen: set[bytes] = field(default_factory=set)
    lines: dict[int, Line] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return len(self.lines) == self.count

    def take(self, unit: Unit, lines: Sequence[Line]) -> None:
        self.lines.update(
            (item.position, line) for item, line in zip(unit.items, lines, strict=True)
        )

    def decided(self, log: Callable[[Line], Line]) -> DecidedChunk:
        ordered = [log(self.lines[position]) for position in sorted(self.lines)]
        return DecidedChunk(
            self.number,
            [to_json(line.told) for line in ordered],
            Counter(line.state for line in ordered),
            self.seen,
        )


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
        with self._open_compute() as compute:
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
        work: Work = partial(
            decide_unit,
            rules=self._examiner.rules,
            binding=Binding(self._audience, batch.nonce, batch.created_at),
        )
        out: deque[_Chunk] = deque()
        units: deque[tuple[_Chunk, Unit]] = deque()

        def feed() -> Iterator[Unit]:
            for chunk in self._chunks(batch, out):
                out.append(chunk)
                for unit in chunk.units:
                    units.append((chunk, unit))
                    yield unit
                chunk.units.clear()
                # A chunk of which nothing goes out waits for no result.
                self._keep_complete(batch, out)

        for result in compute.map(work, feed()):
            chunk, unit = units.popleft()
            if isinstance(result, ComputeUnavailable):
                result = _one_by_one(unit, work, compute)
            chunk.take(unit, result)
            self._keep_complete(batch, out)
        self._keep_complete(batch, out)

    def _keep_complete(self, batch: BulkBatch, out: deque[_Chunk]) -> None:
        while out and out[0].is_complete:
            now, chunk = self._clock.now(), out[0]
            self._records.decide(
                batch.batch_id,
                self._owner,
                chunk.number,
                partial(self._logged, batch, chunk),
                now=now,
                until=now + LEASE_S,
            )
            out.popleft()

    def _logged(self, batch: BulkBatch, chunk: _Chunk, log: LogWriter) -> DecidedChunk:
        answers = [line.answer for line in chunk.lines.values() if line.answer is not None]
        log.prefetch(
            [_application(batch, position) for position in chunk.lines],
            [answer.holder for answer in answers if answer.holder is not None],
        )
        return chunk.decided(partial(self._log, batch, log))

    def _log(self, batch: BulkBatch, log: LogWriter, line: Line) -> Line:
        """Put a decision into the agency's log; what was withdrawn gets no decision."""
        if line.answer is None:
            return line
        request = AnsweredRequest(_application(batch, line.position), batch.nonce)
        try:
            entry = self._receipts.record(line.answer, request, log)
        except (ApplicationWithdrawn, AlreadyDecided) as error:
            return refused_line(line.position, line.told["id"], error)
        return line._replace(told={**line.told, "receipt_id": entry.entry_id})

    def _chunks(self, batch: BulkBatch, out: deque[_Chunk]) -> Iterator[_Chunk]:
        facts = FactsAtHand(self._examiner, self._clock)
        first = batch.chunks_decided
        for number in range(first, first + CHUNKS_PER_TURN):
            if self._stopping.is_set():
                return
            pending = self._records.pending(batch.batch_id, number)
            if pending is None:
                return
            yield self._prepare(batch, pending, facts, out)

    def _prepare(
        self, batch: BulkBatch, pending: PendingChunk, facts: FactsAtHand, out: deque[_Chunk]
    ) -> _Chunk:
        now = self._clock.now()
        chunk = _Chunk(pending.number, pending.count)
        applications: list[tuple[int, Application, ApplicationDigests]] = []
        for position, line in enumerate(
            pending.body.removesuffix(b"\n").split(b"\n"), start=pending.first
        ):
            try:
                application = parse_application(line)
            except SeoulWalletError as error:
                chunk.lines[position] = refused_line(position, peek_application_id(line), error)
            else:
                applications.append((position, application, application.digests()))
        asked = {digest for *_, digests in applications for digest in digests.all}
        before = set(self._records.seen(batch.batch_id, asked))
        for other in out:
            before |= other.seen
        programmes: dict[tuple[str, str | None], Programme] = {}
        items: list[Item] = []
        for position, application, digests in applications:
            try:
                _check_new(digests, before, chunk.seen)
                items.append(self._item(position, application, programmes, facts, now))
            except SeoulWalletError as error:
                chunk.lines[position] = refused_line(position, application.id, error)
            else:
                chunk.seen |= digests.all
        chunk.units = [
            Unit(items[at : at + UNIT_APPLICATIONS], now)
            for at in range(0, len(items), UNIT_APPLICATIONS)
        ]
        return chunk

    def _item(
        self,
        position: int,
        application: Application,
        programmes: dict[tuple[str, str | None], Programme],
        facts: FactsAtHand,
        now: int,
    ) -> Item:
        asked = application.programme, application.version
        if asked not in programmes:
            programmes[asked] = self._programme(*asked, now)
        texts = application.presentations.values()
        evidence = {text: facts.evidence_for(text) for text in texts}
        return Item(position, application, programmes[asked], evidence)

    def _programme(self, programme_id: str, version: str | None, now: int) -> Programme:
        catalogue = self._shelf.current
        found = catalogue.in_force(programme_id, seoul_day(now))
        if version is not None and found.version != version:
            catalogue.version(programme_id, version)
            raise ProgrammeChanged("another version of this programme is in force")
        if found.once is not None:
            raise CountedOneByOne("this programme is applied for one by one, not in batches")
        return found


def _application(batch: BulkBatch, position: int) -> str:
    return f"{batch.batch_id}/{position}"


def _check_new(digests: ApplicationDigests, *earlier: Set[bytes]) -> None:
    if any(digests.of_id in seen for seen in earlier):
        raise ApplicationRepeated("an earlier application has this id")
    if any(digests.of_presentations & seen for seen in earlier):
        raise PresentationRepeated("an earlier application was made with this presentation")


def _one_by_one(unit: Unit, work: Work, compute: Compute) -> list[Line]:
    """Return the lines of a unit that no worker survived, each item on its own.

    Only what fails alone gets `ComputeUnavailable` in place of a decision. Raises
    `ComputeUnavailable` when the engine cannot do an empty unit either: then nobody is to blame.
    """
    lines: list[Line] = []
    for item in unit.items:
        (result,) = compute.map(work, [Unit([item], unit.now)])
        if isinstance(result, ComputeUnavailable):
            _check_works(work, compute, unit.now)
            lines.append(refused_line(item.position, item.application.id, result))
        else:
            lines += result
    return lines


def _check_works(work: Work, compute: Compute, now: int) -> None:
    for result in compute.map(work, [Unit([], now)]):
        if isinstance(result, ComputeUnavailable):
            raise result
