"""The issuer's composition root: configuration and adapters in, application out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from flask import Flask, Response, g, request
from sqlalchemy import Engine

from issuer.api.approvals import approvals_blueprint
from issuer.api.authorize import authorize_blueprint
from issuer.api.census import census_blueprint
from issuer.api.contracts import contracts_blueprint
from issuer.api.evidence import evidence_blueprint
from issuer.api.holder import holder_blueprint
from issuer.api.oauth import par_blueprint, token_blueprint
from issuer.api.oid4vci import (
    credential_blueprint,
    notification_blueprint,
    offer_blueprint,
    well_known_blueprint,
)
from issuer.api.open_routes import open_issuer
from issuer.api.openapi import openapi_blueprint, openapi_document
from issuer.api.operator import operator_blueprint
from issuer.api.public import public_blueprint
from issuer.api.recovery import recovery_blueprint, recovery_record_blueprint
from issuer.api.vc_api import vc_api_blueprint
from issuer.authorization.login import DevelopmentLogin, HolderLogin
from issuer.config import ConfigurationInvalid, IssuerConfig
from issuer.identity import IssuerIdentity
from issuer.issuing import IssuanceStep
from issuer.metrics import IssuerMetrics
from issuer.nym import NymSettings
from issuer.parts import IssuerKeys, IssuerPorts, WorkRound
from issuer.profile import Department
from issuer.recovery.channels import LogChannel, SpoolChannel
from issuer.recovery.ports import ContactChannel
from issuer.register.electoral_roll import ElectoralRoll
from issuer.register.evidence import EvidenceRegister
from issuer.register.port import AppointmentRegister, FamilyRegister
from issuer.service import IssuerService
from issuer.storage.accounts.records import SqlAccountRecords
from issuer.storage.accounts.tables import migrate_accounts
from issuer.storage.approvals import SqlApprovalRecords, SqlNymRegistrations
from issuer.storage.contracts.records import SqlContractRecords
from issuer.storage.contracts.tables import migrate_contracts
from issuer.storage.issuances import SqlIssuanceRecords
from issuer.storage.letters import SqlLetterRecords
from issuer.storage.publications import SqlStatusPublications
from issuer.storage.recovery.records import SqlRecoveryRecords
from issuer.storage.recovery.tables import migrate_recovery
from issuer.storage.tables import ANCHORED, migrate_issuer
from issuer.vc_api import DevelopmentIssuer
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import migrate, open_engine, together
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.credentials.jsonld.pinned import pinned_json_ld
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.jwe import DecryptionKey
from wallet.crypto.bbs.signatures import derive_secret_key
from wallet.crypto.keys import Es256SigningKey, KeyMalformed
from wallet.crypto.sealing import RootKey
from wallet.errors import SeoulWalletError, fault_place
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica
from wallet.ports.ledger import LedgerWriter
from wallet.web.application import new_application

MAX_BODY_BYTES: Final = 256 * 1024
ENCRYPTION_KEY_ID: Final = "request-1"
_KEY_ATTEMPTS: Final = 4
_LOG: Final = logging.getLogger(__name__)


class Follows(Protocol):
    """Moves the local replica forward."""

    def run_once(self) -> object:
        """Catch up with the finalized head. Raises typed errors; the next round tries again."""


class IssuerApplication:
    """A composed issuer: the WSGI application, its services, and their worker.

    `service` is the issuer at the base URL; `services` has it and the departments below.

    The worker runs only between `run_worker` and `stop`. Several processes over one database may
    each run one. `close` releases the database.
    """

    def __init__(
        self,
        *,
        flask_app: Flask,
        services: Sequence[IssuerService],
        engines: Sequence[Engine],
        metrics: IssuerMetrics,
        worker_interval_s: float,
        follower: Follows | None = None,
        development_issuer: DevelopmentIssuer | None = None,
    ) -> None:
        self.flask_app = flask_app
        self.development_issuer = development_issuer
        self.services = tuple(services)
        self.service = self.services[0]
        self._follower = follower
        self._engines = tuple(engines)
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
        for service in self.services:
            try:
                done = service.work()
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
            except Exception as error:
                # The edge of a round, as the edge of a request is: nothing is verified or
                # answered here, and a thread that ended would end anchoring and status lists
                # until the next start, unseen. What was begun is taken up by the next round.
                _LOG.error("unhandled %s", fault_place(error))
                self.metrics.count_worker_failures()
            self._stopping.wait(self._interval_s)

    def stop(self, timeout_s: float | None = None) -> None:
        """Stop the worker and wait for the round it is in, no longer than `timeout_s`.

        A round that is cut off by the end of the process is taken up by the next one.
        """
        self._stopping.set()
        if self._worker is not None:
            self._worker.join(timeout_s)
            if not self._worker.is_alive():
                self._worker = None

    def close(self, timeout_s: float | None = None) -> None:
        """Stop the worker (see `stop`) and release the database."""
        self.stop(timeout_s)
        for engine in self._engines:
            engine.dispose()


def build_issuer(
    config: IssuerConfig,
    *,
    ledger_writer: LedgerWriter,
    replica: AnchorReplica,
    clock: Clock,
    families: FamilyRegister,
    appointments: AppointmentRegister,
    evidence: EvidenceRegister | None = None,
    roll: ElectoralRoll | None = None,
    follower: Follows | None = None,
    login: HolderLogin | None = None,
    after_step: Callable[[IssuanceStep], None] | None = None,
    json_ld: Canonicalizer | None = None,
) -> IssuerApplication:
    """Compose an issuer: open and migrate its databases, build services and the application.

    `follower` moves `replica` forward in the worker's rounds; None when another process does.
    Without `evidence` none is issued; voting credentials need the electoral `roll` and an epoch.
    `login` says who is in the browser; without it there is no authorization code flow, except in
    development, where everyone is believed. `json_ld` has the contexts for VC-API, the pinned ones
    by default. Starts no thread. `after_step` is for tests that stop the process in the middle of
    issuing. Raises `StorageUnavailable`, `DatabaseUrlUnsupported`.
    """
    if login is None and config.development:
        login = DevelopmentLogin()
    contact = LogChannel() if config.contact_spool is None else SpoolChannel(config.contact_spool)
    outside = _Outside(
        ledger_writer, replica, clock, families, appointments, login, evidence, roll, contact
    )
    services, engines = [], []
    for department in (_root(config), *config.departments):
        engine = open_engine(department.database_url)
        migrate(engine, "sessions")
        migrate_issuer(engine)
        migrate_recovery(engine)
        migrate_accounts(engine)
        migrate_contracts(engine)
        engines.append(engine)
        services.append(_service(config, department, engine, outside, after_step))
    metrics = IssuerMetrics()
    development_issuer = (
        DevelopmentIssuer(config.base_url, clock, json_ld or pinned_json_ld())
        if config.vc_api
        else None
    )
    return IssuerApplication(
        flask_app=create_app(services, config, metrics, development_issuer),
        development_issuer=development_issuer,
        services=services,
        engines=engines,
        metrics=metrics,
        worker_interval_s=config.worker_interval_s,
        follower=follower,
    )


@dataclass(frozen=True, slots=True)
class _Outside:
    """What all departments share."""

    ledger: LedgerWriter
    replica: AnchorReplica
    clock: Clock
    families: FamilyRegister
    appointments: AppointmentRegister
    login: HolderLogin | None
    evidence: EvidenceRegister | None
    roll: ElectoralRoll | None
    contact: ContactChannel


def _root(config: IssuerConfig) -> Department:
    return Department(
        path="",
        signing_key=config.signing_key,
        database_url=config.database_url,
        configurations=None,
        display=config.settings.display,
    )


def _service(
    config: IssuerConfig,
    department: Department,
    engine: Engine,
    outside: _Outside,
    after_step: Callable[[IssuanceStep], None] | None,
) -> IssuerService:
    base_url = f"{config.base_url}/{department.path}" if department.path else config.base_url
    settings = config.settings
    keys = _further_keys(department.signing_key, config.nym_epoch)
    return IssuerService(
        identity=IssuerIdentity(
            base_url,
            department.signing_key,
            None if keys.nym is None else keys.nym.key.public_key,
        ),
        ports=IssuerPorts(
            sessions=SqlSessionStore(engine),
            issuances=SqlIssuanceRecords(engine, list_size=config.status_list_size),
            batches=SqlBatchRecords(engine, ANCHORED),
            publications=SqlStatusPublications(engine),
            letters=SqlLetterRecords(engine),
            approvals=SqlApprovalRecords(engine),
            accounts=SqlAccountRecords(engine),
            contracts=SqlContractRecords(engine),
            nyms=SqlNymRegistrations(engine),
            recoveries=SqlRecoveryRecords(engine),
            contact=outside.contact,
            families=outside.families,
            appointments=outside.appointments,
            ledger=outside.ledger,
            replica=outside.replica,
            clock=outside.clock,
            together=partial(together, engine),
            login=outside.login,
            evidence=outside.evidence,
            roll=outside.roll,
        ),
        settings=replace(settings, display=department.display or settings.display),
        keys=keys,
        configurations=department.configurations,
        after_step=after_step,
    )


def _further_keys(signing_key: Es256SigningKey, nym_epoch: str | None) -> IssuerKeys:
    # Derived, so that every process over one configuration has the same.
    root = RootKey(signing_key.secret())
    nonces = root.derive(b"seoul-wallet issuer nonces")
    nym = None
    if nym_epoch is not None:
        nym = NymSettings(
            derive_secret_key(root.derive(b"seoul-wallet issuer bbs")),
            nym_epoch,
            root.derive(b"seoul-wallet issuer census"),
        )
    for attempt in range(_KEY_ATTEMPTS):
        secret = root.derive(f"seoul-wallet issuer encryption {attempt}".encode())
        try:
            key = DecryptionKey.from_secret(secret, ENCRYPTION_KEY_ID)
        except KeyMalformed:
            continue  # one in four billion is beyond the order of the curve
        return IssuerKeys(encryption=key, nonces=nonces, nym=nym)
    raise ConfigurationInvalid("no encryption key follows from the signing key")


def create_app(
    services: Sequence[IssuerService],
    config: IssuerConfig,
    metrics: IssuerMetrics,
    development_issuer: DevelopmentIssuer | None = None,
) -> Flask:
    """Return the WSGI application over its services, with VC-API if there is an issuer for it."""
    app = new_application("issuer", max_body_bytes=MAX_BODY_BYTES)
    for service in services:
        _register(app, service, config, metrics)
    paths = [service.identity.path for service in services]
    by_code = services[0].authorization is not None
    rolls = [service.identity.path for service in services if service.voting is not None]
    document = openapi_document(config.base_url, paths, by_code=by_code, rolls=rolls)
    document = open_issuer(app, paths, document)
    app.register_blueprint(openapi_blueprint(document), url_prefix=paths[0] or None)
    if development_issuer is not None:
        app.register_blueprint(vc_api_blueprint(development_issuer), url_prefix=paths[0] or None)
    app.before_request(_start_timer)

    @app.after_request
    def count(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started_at", time.perf_counter())
        metrics.count_answer(request.endpoint or "none", response.status_code, seconds)
        return response

    return app


def _register(
    app: Flask, service: IssuerService, config: IssuerConfig, metrics: IssuerMetrics
) -> None:
    path = service.identity.path
    app.register_blueprint(well_known_blueprint(service), name=f"{path}/well_known"[1:])
    blueprints = [
        offer_blueprint(service),
        token_blueprint(service),
        credential_blueprint(service, metrics),
        notification_blueprint(service, metrics),
        holder_blueprint(service),
        public_blueprint(service, metrics),
        operator_blueprint(service, config.operators),
        approvals_blueprint(service, config.operators),
        evidence_blueprint(service, config.operators),
        contracts_blueprint(service, config.operators),
        recovery_blueprint(service),
        recovery_record_blueprint(service, config.operators),
    ]
    if service.voting is not None:
        blueprints.append(census_blueprint(service.voting, config.operators))
    if service.authorization is not None:
        blueprints.append(par_blueprint(service, service.authorization))
        blueprints.append(authorize_blueprint(service, service.authorization))
    for blueprint in blueprints:
        app.register_blueprint(
            blueprint,
            url_prefix=path + (blueprint.url_prefix or ""),
            name=f"{path}/{blueprint.name}"[1:].replace(".", "_"),
        )


def _start_timer() -> None:
    g.started_at = time.perf_counter()
