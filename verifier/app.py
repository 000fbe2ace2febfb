"""Composition root of the verifier: the only file of it that touches adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from verifier.api.application import create_app
from verifier.background import Background, Follows
from verifier.config import ConfigurationError, VerifierConfig
from verifier.metrics import Metrics
from verifier.service import ReplicaHead, VerifierService
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources
from wallet.ports.clock import Clock


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
        """Stop the background work and let go of the database."""
        self.background.stop()
        self._release()


def build_verifier(
    config: VerifierConfig,
    *,
    sources: FactSources,
    replica_head: ReplicaHead,
    clock: Clock,
    follower: Follows | None = None,
) -> Verifier:
    """Compose a verifier over its own session database.

    `sources` and `replica_head` are where facts come from; `follower` moves that replica forward
    and may be None when another process does. Raises `ConfigurationError`, `StorageUnavailable`.
    """
    engine = open_engine(config.database_url)
    migrate(engine, "sessions")
    metrics = Metrics()
    service = VerifierService(
        config=config,
        signing_key=_read_signing_key(config),
        sessions=SqlSessionStore(engine),
        sources=sources,
        replica_head=replica_head,
        clock=clock,
        metrics=metrics,
    )
    background = Background(follower, service.purge, interval_s=config.follow_interval_s)
    return Verifier(create_app(service, config, metrics), service, background, engine.dispose)


def _read_signing_key(config: VerifierConfig) -> Es256SigningKey:
    try:
        return Es256SigningKey.from_secret(
            base64url.decode(config.signing_key_file.read_text("ascii").strip())
        )
    except (OSError, UnicodeError, SeoulWalletError) as error:
        raise ConfigurationError("the signing key file cannot be read") from error
