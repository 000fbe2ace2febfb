"""Composition root of the verifier: the only file of it that touches adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from flask import Flask
from sqlalchemy import Engine

from verifier.api.application import create_app
from verifier.api.batches import batches_blueprint
from verifier.api.claims import claims_blueprint
from verifier.api.eligibility import eligibility_blueprint
from verifier.api.receipts import receipts_blueprint
from verifier.api.vc_api import vc_api_blueprint
from verifier.background import STOP_TIMEOUT_S, Background, Follows
from verifier.browser_sessions import BrowserSessions
from verifier.bulk.desk import BulkDesk
from verifier.bulk.runner import BulkRunner
from verifier.catalogue import (
    CataloguePublisher,
    ProgrammeShelf,
    example_programme_files,
    read_programme_files,
)
from verifier.claims.counting import Counting, ExclusionRegister
from verifier.client import AgencyIdentity, Client
from verifier.config import ConfigurationError, VerifierConfig
from verifier.decision import Examiner
from verifier.eligibility import EligibilityDesk
from verifier.exclusions.client import HttpExclusionRegister
from verifier.health import Health, ReplicaHead
from verifier.metrics import Metrics
from verifier.oidc.provider import OpenIdProvider
from verifier.oidc.tokens import IdTokens
from verifier.receipts.desk import ReceiptDesk, Retention
from verifier.receipts.rounds import LogRounds
from verifier.recheck.delivery import WebhookDelivery
from verifier.recheck.worker import Recheck
from verifier.service import VerifierService
from verifier.sessions import PresentationSessions
from verifier.storage.bulk import SqlBulkRecords
from verifier.storage.bulk_tables import migrate_bulk
from verifier.storage.claims import SqlBenefitClaims
from verifier.storage.claims_tables import migrate_claims
from verifier.storage.receipt_tables import ANCHORED, migrate_receipts
from verifier.storage.receipts import SqlAgencyRecords
from verifier.storage.recheck import SqlRecheckRecords
from verifier.vc_api import ProofChecker
from wallet.adapters.compute.processes import ProcessPool
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.manifests import HttpManifestSource
from wallet.adapters.http.metadata import HttpIssuerMetadataSource
from wallet.adapters.http.sources import (
    HttpCredentialSource,
    HttpDidResolver,
    HttpStatusListSource,
)
from wallet.adapters.http.webhooks import HttpWebhookSender
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.fact_cache import SqlFactCache
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.anchoring import Anchoring, AnchorTimes
from wallet.credentials.jsonld.pinned import pinned_json_ld
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.certificates import certified_key, parse_pem_chain
from wallet.crypto.keys import Es256SigningKey, thumbprint
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources
from wallet.ports.clock import Clock
from wallet.ports.compute import Compute
from wallet.ports.facts import (
    AnchorReplica,
    CredentialSource,
    DidHistories,
    DidResolver,
    StatusListSource,
)
from wallet.ports.ledger import LedgerWriter


class Replica(AnchorReplica, ReplicaHead, Protocol):
    """The local copy of the anchor contracts, with how far it has come."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A composed verifier: a WSGI application, the service behind it and its background work.

    `background.start()` is the caller's to call, and `close()` at the end.
    """

    app: Flask
    service: VerifierService
    examiner: Examiner
    browsers: BrowserSessions
    background: Background
    bulk: BulkRunner
    rounds: LogRounds
    recheck: Recheck
    delivery: WebhookDelivery
    _release: Callable[[], None]

    def close(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop the background work, waiting `timeout_s`; let go of database and connections."""
        self.bulk.stop()
        self.background.stop(timeout_s)
        self._release()


def build_verifier(
    config: VerifierConfig,
    *,
    replica: Replica,
    clock: Clock,
    follower: Follows | None = None,
    dids: DidResolver | None = None,
    status_lists: StatusListSource | None = None,
    credentials: CredentialSource | None = None,
    json_ld: Canonicalizer | None = None,
    ca_file: str | None = None,
    did_histories: DidHistories | None = None,
    open_compute: Callable[[], AbstractContextManager[Compute]] | None = None,
    ledger_writer: LedgerWriter | None = None,
    register: ExclusionRegister | None = None,
) -> Verifier:
    """Compose a verifier over the database of `config`: sessions and copies of fetched facts.

    `follower` moves `replica` forward and may be None when another process does. Without `dids`
    and `status_lists` they are fetched over https with copies that survive an outage; `ca_file`
    names further trust anchors (PEM). Without `did_histories` there are no keys for issuers that
    are did:ethr. `credentials` and `json_ld` are for VC-API: where lists come
    from (over https otherwise) and the contexts (the pinned ones otherwise). `open_compute` gives
    the engine for bulk work instead of the configured one, `register` the way to the register of
    exclusion groups instead of https. With `ledger_writer` receipts are anchored; without it the
    log of decisions is signed and stays here. Raises `ConfigurationError`, `StorageUnavailable`.
    """
    key = _read_signing_key(config)
    engine = open_engine(config.database_url)
    migrate(engine, "sessions")
    migrate(engine, "fact_cache")
    migrate_bulk(engine)
    migrate_receipts(engine)
    migrate_claims(engine)
    client = GuardedClient(allow_loopback_http=config.development, ca_file=ca_file)
    cache = SqlFactCache(engine)

    def release() -> None:
        client.close()
        engine.dispose()

    metrics = Metrics()
    resolver = dids or HttpDidResolver(
        client,
        cache,
        clock,
        refresh_after_s=config.refresh_after_s,
        # A local issuer speaks http if this verifier does: a stack is all http or all https.
        development=config.base_url.startswith("http:"),
    )
    sources = FactSources(
        resolver,
        status_lists
        or HttpStatusListSource(client, cache, clock, refresh_after_s=config.refresh_after_s),
        replica,
        HttpIssuerMetadataSource(
            client,
            cache,
            clock,
            refresh_after_s=config.refresh_after_s,
            development=config.development,
        ),
        config.trust_anchors,
        did_histories,
        manifests=HttpManifestSource(
            client, cache, clock, development=config.base_url.startswith("http:")
        )
        if config.trust.manifest_stands_in
        else None,
    )
    store = SqlSessionStore(engine)
    sessions = PresentationSessions(store)
    shelf = ProgrammeShelf(
        example_programme_files
        if config.programmes_folder is None
        else partial(read_programme_files, config.programmes_folder)
    )
    shelf.load()
    examiner = Examiner(
        sources=sources, trust=config.trust, max_binding_age_s=config.max_binding_age_s
    )
    bulk_records = SqlBulkRecords(engine)
    identity = AgencyIdentity(config.did, key)
    receipt_records = SqlAgencyRecords(engine)

    def is_open(nonce: str, state: str | None) -> bool:
        if state is None:
            return bulk_records.waits_for(nonce, now=clock.now())
        return sessions.waits_for(nonce, state, now=clock.now())

    receipts = ReceiptDesk(
        identity,
        receipt_records,
        clock,
        retention=Retention(config.receipt_keep_s, config.receipt_ground, config.result_ttl_s),
        is_open=is_open,
    )
    rounds = _rounds(config, identity, engine, receipt_records, clock, replica, ledger_writer)
    at_hand = config.exclusion_register
    counting = Counting(
        SqlBenefitClaims(engine),
        clock,
        agency=config.did,
        register=register
        if register is not None or at_hand is None
        else HttpExclusionRegister(client, at_hand.base_url, at_hand.token),
    )
    desk = EligibilityDesk(
        shelf, examiner, after_decision=receipts.after_decision, counting=counting
    )
    service = VerifierService(
        config=config,
        client=Client(config.base_url, config.did, key, _read_chain(config, key)),
        sessions=sessions,
        examiner=examiner,
        clock=clock,
        metrics=metrics,
        desk=desk,
    )
    bulk_desk = BulkDesk(
        bulk_records,
        clock,
        ttl_s=config.bulk_ttl_s,
        max_applications=config.max_bulk_applications,
    )
    bulk = BulkRunner(
        bulk_records,
        shelf,
        examiner,
        clock,
        audience=service.client_id,
        receipts=receipts,
        open_compute=open_compute or partial(_open_compute, config),
    )
    recheck_records = SqlRecheckRecords(engine)
    recheck = Recheck(
        recheck_records,
        sources,
        clock,
        endpoints=config.webhooks,
        interval_s=config.recheck_interval_s,
    )
    delivery = WebhookDelivery(
        recheck_records,
        HttpWebhookSender(client),
        clock,
        endpoints=config.webhooks,
        metrics=metrics,
    )
    health = Health(replica, config.trust.max_replica_age_s, clock, metrics)

    def tidy() -> None:
        service.purge()
        bulk_records.purge(now=clock.now())
        counting.settle()
        shelf.reload()

    background = Background(
        follower,
        tidy,
        interval_s=config.follow_interval_s,
        beside=(bulk.run_once, rounds.run_once, recheck.run_once, delivery.run_once),
    )
    browsers = BrowserSessions(config, service, sessions, clock)
    app = create_app(
        service,
        browsers,
        health,
        config,
        metrics,
        None
        if config.oidc is None
        else OpenIdProvider(config.oidc, IdTokens(config.base_url, key), store, clock),
    )
    publisher = CataloguePublisher(shelf, key, config, clock)
    app.register_blueprint(eligibility_blueprint(service, shelf, desk, publisher, config))
    app.register_blueprint(claims_blueprint(counting, config))
    app.register_blueprint(batches_blueprint(bulk_desk, service.client_id, config))
    app.register_blueprint(receipts_blueprint(receipts, receipt_records, rounds))
    if config.vc_api:
        checker = ProofChecker(
            dids=resolver,
            lists=credentials or HttpCredentialSource(client),
            clock=clock,
            json_ld=json_ld or pinned_json_ld(),
        )
        app.register_blueprint(vc_api_blueprint(checker))
    return Verifier(
        app, service, examiner, browsers, background, bulk, rounds, recheck, delivery, release
    )


def _rounds(
    config: VerifierConfig,
    identity: AgencyIdentity,
    engine: Engine,
    records: SqlAgencyRecords,
    clock: Clock,
    replica: AnchorReplica,
    ledger: LedgerWriter | None,
) -> LogRounds:
    times = AnchorTimes(interval_s=config.anchor_interval_s)
    anchoring = None
    if ledger is not None:
        anchoring = Anchoring(
            identity=identity,
            records=SqlBatchRecords(engine, ANCHORED),
            ledger=ledger,
            replica=replica,
            clock=clock,
            times=times,
        )
    return LogRounds(identity, records, clock, times=times, anchoring=anchoring, ledger=ledger)


@contextmanager
def _open_compute(config: VerifierConfig) -> Iterator[Compute]:
    if config.dask_scheduler is None:
        with ProcessPool(config.bulk_workers or None) as pool:
            yield pool
        return
    # An optional extra, and slow to import.
    from wallet.adapters.compute.dask import open_cluster

    with open_cluster(config.dask_scheduler) as cluster:
        yield cluster


def _read_signing_key(config: VerifierConfig) -> Es256SigningKey:
    try:
        return Es256SigningKey.from_secret(
            base64url.decode(config.signing_key_file.read_text("ascii").strip())
        )
    except (OSError, UnicodeError, SeoulWalletError) as error:
        raise ConfigurationError("the signing key file cannot be read") from error


def _read_chain(config: VerifierConfig, key: Es256SigningKey) -> tuple[bytes, ...]:
    if config.certificate_file is None:
        return ()
    try:
        chain = parse_pem_chain(config.certificate_file.read_bytes())
        if thumbprint(certified_key(chain[0])) != thumbprint(key.public_key):
            raise ConfigurationError("the certificate is not for the signing key")
    except (OSError, IndexError, SeoulWalletError) as error:
        raise ConfigurationError("the certificate file cannot be read") from error
    return chain
