"""Composition root of the ballot box: with `storage`, the only part that touches adapters."""

from __future__ import annotations

import logging
import threading
from typing import Final

from flask import Flask
from sqlalchemy import Engine

from ballotbox.api.application import create_app
from ballotbox.metrics import Metrics
from ballotbox.service import BallotBox
from ballotbox.storage.records import SqlBoxRecords
from ballotbox.storage.tables import migrate_ballot_box
from wallet.adapters.sql.engine import open_engine
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.errors import SeoulWalletError
from wallet.ports.clock import Clock
from wallet.voting.manifest import Manifest

DEFAULT_CEREMONY_ROUND_S: Final = 86_400
WORKER_INTERVAL_S: Final = 1.0
_LOG: Final = logging.getLogger(__name__)


class BallotBoxApplication:
    """A composed ballot box: the WSGI application, the service behind it, and its worker.

    The worker runs only between `run_worker` and `close`. Several processes over one database may
    each run one.
    """

    def __init__(self, app: Flask, box: BallotBox, engine: Engine, metrics: Metrics) -> None:
        self.flask_app = app
        self.box = box
        self._engine = engine
        self._metrics = metrics
        self._stopping = threading.Event()
        self._worker = threading.Thread(target=self._work, name="ballotbox-worker", daemon=True)

    def run_worker(self) -> None:
        """Start the worker thread, once."""
        self._worker.start()

    def close(self) -> None:
        """Stop the worker, wait for its round, and release the database."""
        self._stopping.set()
        if self._worker.is_alive():
            self._worker.join()
        self._engine.dispose()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.box.work()
            except SeoulWalletError as error:
                _LOG.warning("the worker could not finish its round: %s", error.code)
                self._metrics.count_failure(error.code)
            self._stopping.wait(WORKER_INTERVAL_S)


def build_ballot_box(
    manifest: Manifest,
    key: Es256kSigningKey,
    database_url: str,
    clock: Clock,
    *,
    ceremony_round_s: int = DEFAULT_CEREMONY_ROUND_S,
) -> BallotBoxApplication:
    """Compose a ballot box: migrate its database, put the manifest on the board, start no thread.

    Raises `StorageUnavailable`, `DatabaseUrlUnsupported`, `BoardKeyDiffers`.
    """
    engine = open_engine(database_url)
    try:
        migrate_ballot_box(engine)
        records = SqlBoxRecords(engine, manifest.digest)
        box = BallotBox(manifest, key, records, clock, ceremony_round_s=ceremony_round_s)
    except SeoulWalletError:
        engine.dispose()
        raise
    metrics = Metrics()
    return BallotBoxApplication(create_app(box, metrics), box, engine, metrics)
