"""Composition root of the verifier: the only file of it that touches adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flask import Flask

from verifier.api.application import create_app
from verifier.background import Background, Follows
from verifier.config import ConfigurationError, VerifierConfig
from verifier.metrics import Metrics
from verifier.service import ReplicaHead, VerifierService
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.metadata import HttpIssuerMetadataSource
from wallet.adapters.http.sources import HttpDidResolver, HttpStatusListSource
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.fact_cache import SqlFactCache
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica, DidResolver, StatusListSource


class Replica(AnchorReplica, ReplicaHead, Protocol):
    """The local copy of the anchor contracts, with how far it has come."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A composed verifier: a WSGI application, the service behind it and its background work.

    `background.start()` is the caller's to call, and `close()` at the end.
    """

    app: Flask
    service: VerifierService
    background: Background
    _release: Callable[[], None]

    def close(self) -> None:
        """Stop the background work and let go of database and connections."""
        self.background.stop()
        self._release()


def build_verifier(
    config: VerifierConfig,
    *,
    replica: Replica,
    clock: Clock,
    follower: Follows | None = None,
    dids: DidResolver | None = None,
    status_lists: StatusListSource | None = None,
) -> Verifier:
    """Compose a verifier over the database of `config`: sessions and copies of fetched facts.

    `follower` moves `replica` forward and may be None when another process does. Without `dids`
    and `status_lists` they are fetched over https with copies that survive an outage. Raises
    `ConfigurationError`, `StorageUnavailable`.
    """
    key = _read_signing_key(config)
    engine = open_engine(config.database_url)
    migrate(engine, "sessions")
    migrate(engine, "fact_cache")
    client = GuardedClient(allow_loopback_http=config.development)
    cache = SqlFactCache(engine)

    def release() -> None:
        client.close()
        engine.dispose()

    metrics = Metrics()
    service = VerifierService(
        config=config,
        signing_key=key,
        sessions=SqlSessionStore(engine),
        sources=FactSources(
            dids
            or HttpDidResolver(
                client,
                cache,
                clock,
                refresh_after_s=config.refresh_after_s,
                development=config.development,
            ),
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
        ),
        replica_head=replica,
        clock=clock,
        metrics=metrics,
    )
    background = Background(follower, service.purge, interval_s=config.follow_interval_s)
    return Verifier(create_app(service, config, metrics), service, background, release)


def _read_signing_key(config: VerifierConfig) -> Es256SigningKey:
    try:
        return Es256SigningKey.from_secret(
            base64url.decode(config.signing_key_file.read_text("ascii").strip())
        )
    except (OSError, UnicodeError, SeoulWalletError) as error:
        raise ConfigurationError("the signing key file cannot be read") from error
