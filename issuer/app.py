"""The issuer's composition root: configuration and adapters in, application out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from flask import Flask, Response, g, request
from sqlalchemy import Engine

from issuer.api.evidence import evidence_blueprint
from issuer.api.oid4vci import (
    credential_blueprint,
    offer_blueprint,
    token_blueprint,
    well_known_blueprint,
)
from issuer.api.operator import operator_blueprint
from issuer.api.public import public_blueprint
from issuer.api.vc_api import vc_api_blueprint
from issuer.config import IssuerConfig
from issuer.identity import IssuerIdentity
from issuer.issuing import IssuanceStep
from issuer.metrics import IssuerMetrics
from issuer.register.evidence import EvidenceRegister
from issuer.register.port import AppointmentRegister, FamilyRegister
from issuer.service import IssuerPorts, IssuerService, WorkRound
from issuer.storage.batches import SqlBatchRecords, SqlStatusPublications
from issuer.storage.issuances import SqlIssuanceRecords
from issuer.storage.letters import SqlLetterRecords
from issuer.storage.tables import migrate_issuer
from issuer.vc_api import DevelopmentIssuer
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.credentials.jsonld.pinned import pinned_json_ld
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.errors import SeoulWalletError
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica
from wallet.ports.ledger import LedgerWriter
from wallet.web.application import new_application

MAX_BODY_BYTES: Final = 256 * 1024
_LOG: Final = logging.getLogger(__name__)


class Follows(Protocol):
    """Moves the local replica forward."""

    def run_once(self) -> object:
        """Catch up with the finalized head. Raises typed errors; the next round tries again."""


class IssuerApplication:
    """A composed issuer: the WSGI application, its service, and its worker.

    The worker runs only between `run_worker` and `stop`. Several processes over one database may
    each run one. `close` releases the database.
    """

    def __init__(
        self,
        *,
        flask_app: Flask,
        service: IssuerService,
        engine: Engine,
        metrics: IssuerMetrics,
        worker_interval_s: float,
        follower: Follows | None = None,
        development_issuer: DevelopmentIssuer | None = None,
    ) -> None:
        self.flask_app = flask_app
        self.development_issuer = development_issuer
        self.service = service
        self._follower = follower
        self._engine = engine
        self.metrics = metrics
        self._interval_s = worker_interval_s
        self._stopping = threading.Event()
        self._worker: threading.Thread | None = None
        self._blocked: set[str] = set()

    def work_once(self) -> None:
        """Do one round of the worker; what fails is counted and left for the next round."""
        failures: list[str] = []
        try:
            if self._follower is not None:
                self._follower.run_once()
        except SeoulWalletError as error:
            _LOG.warning("the replica could not follow: %s", error.code)
            failures.append(error.code)
        try:
            done = self.service.work()
        except SeoulWalletError as error:
            _LOG.warning("the worker could not finish its round: %s", error.code)
            failures.append(error.code)
        else:
            failures += done.failures
            self._report(done)
        if failures:
            self.metrics.count_worker_failures(len(failures))

    def _report(self, done: WorkRound) -> None:
        blocked = set(done.failures)
        if done.ledger is not None:
            self.metrics.show_ledger(done.ledger)
            blocked |= done.ledger.blocked
        self.metrics.show_blocked(blocked)
        # Once when it begins, not in every round that it lasts.
        for code in sorted(blocked - self._blocked):
            _LOG.warning("writing to the chain must wait: %s", code)
        self._blocked = blocked

    def run_worker(self) -> None:
        """Start the worker thread. Does nothing if it runs."""
        if self._worker is None:
            self._stopping.clear()
            self._worker = threading.Thread(target=self._work, name="issuer-worker", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.work_once()
            except Exception:
                # A fault of ours must not end the rounds for good: it is logged and counted.
                _LOG.exception("fault in the worker")
                self.metrics.count_worker_failures()
            self._stopping.wait(self._interval_s)

    def stop(self) -> None:
        """Stop the worker and wait for the round it is in."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def close(self) -> None:
        """Stop the worker and release the database."""
        self.stop()
        self._engine.dispose()


def build_issuer(
    config: IssuerConfig,
    *,
    ledger_writer: LedgerWriter,
    replica: AnchorReplica,
    clock: Clock,
    families: FamilyRegister,
    appointments: AppointmentRegister,
    evidence: EvidenceRegister | None = None,
    follower: Follows | None = None,
    after_step: Callable[[IssuanceStep], None] | None = None,
    json_ld: Canonicalizer | None = None,
) -> IssuerApplication:
    """Compose an issuer: open and migrate its database, build the service and the application.

    Without `evidence` no evidence is issued. `follower` moves `replica` forward in the worker's
    rounds; None when another process does.
    `json_ld` has the contexts for VC-API, the pinned ones by default. Starts no thread.
    `after_step` is for tests that stop the process in the middle of issuing. Raises
    `StorageUnavailable`, `DatabaseUrlUnsupported`.
    """
    engine = open_engine(config.database_url)
    migrate(engine, "sessions")
    migrate_issuer(engine)
    service = IssuerService(
        identity=IssuerIdentity(config.base_url, config.signing_key),
        ports=IssuerPorts(
            sessions=SqlSessionStore(engine),
            issuances=SqlIssuanceRecords(engine, list_size=config.status_list_size),
            batches=SqlBatchRecords(engine),
            publications=SqlStatusPublications(engine),
            letters=SqlLetterRecords(engine),
            families=families,
            appointments=appointments,
            evidence=evidence,
            ledger=ledger_writer,
            replica=replica,
            clock=clock,
        ),
        settings=config.settings,
        after_step=after_step,
    )
    metrics = IssuerMetrics()
    development_issuer = (
        DevelopmentIssuer(config.base_url, clock, json_ld or pinned_json_ld())
        if config.vc_api
        else None
    )
    return IssuerApplication(
        flask_app=create_app(service, config, metrics, development_issuer),
        development_issuer=development_issuer,
        service=service,
        engine=engine,
        metrics=metrics,
        worker_interval_s=config.worker_interval_s,
        follower=follower,
    )


def create_app(
    service: IssuerService,
    config: IssuerConfig,
    metrics: IssuerMetrics,
    development_issuer: DevelopmentIssuer | None = None,
) -> Flask:
    """Return the WSGI application over a service, with VC-API if there is an issuer for it."""
    app = new_application("issuer", max_body_bytes=MAX_BODY_BYTES)
    path = service.identity.path
    app.register_blueprint(well_known_blueprint(service))
    blueprints = [
        offer_blueprint(service),
        token_blueprint(service),
        credential_blueprint(service, metrics),
        public_blueprint(service, metrics),
        operator_blueprint(service, config.operators),
        evidence_blueprint(service, config.operators),
    ]
    if development_issuer is not None:
        blueprints.append(vc_api_blueprint(development_issuer))
    for blueprint in blueprints:
        app.register_blueprint(blueprint, url_prefix=path + (blueprint.url_prefix or ""))
    app.before_request(_start_timer)

    @app.after_request
    def count(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started_at", time.perf_counter())
        metrics.count_answer(request.endpoint or "none", response.status_code, seconds)
        return response

    return app


def _start_timer() -> None:
    g.started_at = time.perf_counter()
