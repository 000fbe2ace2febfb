"""Composition root of the ballot box: with `storage`, the only part that touches adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from flask import Flask
from sqlalchemy import Engine

from ballotbox.anchoring import BoardAnchoring
from ballotbox.api.application import create_app
from ballotbox.counting import Counting
from ballotbox.errors import BoardChainDiffers
from ballotbox.health import Health
from ballotbox.metrics import Metrics
from ballotbox.ports import PublicationRecords
from ballotbox.service import BallotBox
from ballotbox.storage.publication import SqlPublication
from ballotbox.storage.records import SqlBoxRecords
from ballotbox.storage.tables import migrate_ballot_box
from ballotbox.timing import BoxTimes
from ballotbox.worker import Job
from wallet.adapters.compute.here import ThisProcess
from wallet.adapters.compute.processes import ProcessPool
from wallet.adapters.evm.board import BoardName
from wallet.adapters.evm.deployment import BOARD, Deployment
from wallet.adapters.sql.engine import open_engine
from wallet.crypto.hashing import sha256
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.errors import SeoulWalletError
from wallet.ports.ballot_board import BoardWriter
from wallet.ports.clock import Clock
from wallet.ports.compute import Compute
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.manifest import Manifest

DEFAULT_TIMES: Final = BoxTimes()


class ChainRounds:
    """What is done with the chain: the board is put on it, and its tie-break's block counted."""

    def __init__(
        self,
        box: BallotBox,
        counting: Counting,
        publication: PublicationRecords,
        anchoring: BoardAnchoring,
        writer: BoardWriter,
        metrics: Metrics,
    ) -> None:
        self._box = box
        self._counting = counting
        self._publication = publication
        self._anchoring = anchoring
        self._writer = writer
        self._metrics = metrics

    def work(self) -> None:
        """Do one round, if the election has a key. Raises typed errors."""
        try:
            election = self._box.election()
        except ElectionNotOpen:
            return
        try:
            ledger = self._anchoring.work(election)
        except SeoulWalletError as error:
            self._metrics.show_blocked({error.code})
            raise
        self._metrics.show_ledger(ledger, bool(self._publication.not_anchored(1)))
        self._counting.work(self._writer)


@dataclass(frozen=True, slots=True)
class BallotBoxApplication:
    """A composed ballot box: the WSGI application, the service behind it, and its worker.

    The worker runs only between `run_worker` and `close`: one job keeps the board's clock, and
    one, with a chain, writes to it and counts. Several processes over one database may each run
    one.
    """

    flask_app: Flask
    box: BallotBox
    counting: Counting
    publication: PublicationRecords
    chain: ChainRounds | None
    jobs: tuple[Job, ...]
    engine: Engine

    def run_worker(self) -> None:
        """Start the worker's threads, once."""
        for job in self.jobs:
            job.start()

    def close(self, timeout_s: float | None = None) -> None:
        """Stop the worker, wait for its rounds, each `timeout_s` at most; release the database.

        A round that is cut off by the end of the process is taken up by the next one.
        """
        for job in self.jobs:
            job.ask_to_stop()
        for job in self.jobs:
            job.wait(timeout_s)
        self.engine.dispose()


def build_ballot_box(
    manifest: Manifest,
    key: Es256kSigningKey,
    database_url: str,
    clock: Clock,
    *,
    writer: BoardWriter | None = None,
    times: BoxTimes = DEFAULT_TIMES,
    count_workers: int = 1,
) -> BallotBoxApplication:
    """Compose a ballot box: migrate its database, put the manifest on the board, start no thread.

    Without `writer` nothing is put on a chain, and there is no result. Ballots are added up by
    `count_workers` processes, with 1 by this one. Raises `StorageUnavailable`,
    `DatabaseUrlUnsupported`, `BoardKeyDiffers`.
    """
    engine = open_engine(database_url)
    try:
        migrate_ballot_box(engine)
        records = SqlBoxRecords(engine, manifest.digest)
        box = BallotBox(
            manifest,
            key,
            records,
            clock,
            ceremony_round_s=times.ceremony_round_s,
            is_on_chain=writer is not None,
        )
    except SeoulWalletError:
        engine.dispose()
        raise
    publication, metrics = SqlPublication(engine, manifest.digest), Metrics()
    counting = Counting(
        box.ceremony,
        records,
        publication,
        clock,
        result_wait_s=times.result_wait_s,
        open_compute=partial(_open_compute, count_workers),
    )
    rounds: dict[str, Callable[[], None]] = {"clock": box.work}
    chain = None
    if writer is not None:
        anchoring = BoardAnchoring(records, publication, writer)
        chain = ChainRounds(box, counting, publication, anchoring, writer, metrics)
        rounds["chain"] = chain.work
    jobs = tuple(
        Job(name, round_, interval_s=times.worker_interval_s, count=metrics.count_failure)
        for name, round_ in rounds.items()
    )
    health = Health(manifest, records, publication, clock, jobs, is_on_chain=chain is not None)
    app = create_app(box, counting, health, metrics)
    return BallotBoxApplication(app, box, counting, publication, chain, jobs, engine)


@contextmanager
def _open_compute(workers: int) -> Iterator[Compute]:
    if workers == 1:
        yield ThisProcess()
        return
    with ProcessPool(workers) as pool:
        yield pool


def board_name(manifest: Manifest) -> BoardName:
    """Return how the chain knows the board of an election (docs/voting.md, section 4)."""
    return BoardName(manifest.chain.organiser, sha256(manifest.id.encode()))


def check_board_chain(manifest: Manifest, deployment: Deployment) -> None:
    """Return if the deployment's BallotBoard is the one that the manifest names.

    Raises `BoardChainDiffers`.
    """
    pin, chain = deployment.contracts.get(BOARD), manifest.chain
    here = (deployment.chain_id, None if pin is None else pin.address)
    if here != (chain.chain_id, f"0x{chain.contract.hex()}"):
        raise BoardChainDiffers("the deployment's BallotBoard is not the one of the manifest")
