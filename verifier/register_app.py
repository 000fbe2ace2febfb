"""Composition root of the register of exclusion groups: a service with its own database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from verifier.exclusions.api import MAX_BODY_BYTES, exclusions_blueprint
from verifier.exclusions.config import RegisterConfig
from verifier.exclusions.desk import ExclusionDesk, ExclusionGroupUnknown
from verifier.storage.exclusion_tables import migrate_exclusions
from verifier.storage.exclusions import SqlExclusionRecords
from wallet.adapters.sql.engine import open_engine
from wallet.credentials.jwe import EncryptionKey
from wallet.ports.clock import Clock
from wallet.web.application import new_application
from wallet.web.problems import problem


@dataclass(frozen=True, slots=True)
class ExclusionRegisterApplication:
    """A composed register: a WSGI application, the use case behind it, and its public key."""

    app: Flask
    desk: ExclusionDesk
    key: EncryptionKey
    close: Callable[[], None]


def build_exclusion_register(
    config: RegisterConfig, *, clock: Clock
) -> ExclusionRegisterApplication:
    """Compose a register over its database. Raises `StorageUnavailable`."""
    engine = open_engine(config.database_url)
    migrate_exclusions(engine)
    desk = ExclusionDesk(
        SqlExclusionRecords(engine),
        clock,
        did=config.did,
        key=config.key,
        groups=config.groups,
    )
    app = new_application("exclusions", max_body_bytes=MAX_BODY_BYTES)
    app.register_error_handler(
        ExclusionGroupUnknown, lambda error: problem(404, error.code, str(error))
    )
    app.register_blueprint(
        exclusions_blueprint(desk, config.key.public, config.agency_token_digests)
    )
    return ExclusionRegisterApplication(app, desk, config.key.public, engine.dispose)
