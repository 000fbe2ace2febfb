"""Composition root of the register of exclusion groups: a service with its own database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from verifier.exclusions.api import MAX_BODY_BYTES, exclusions_blueprint
from verifier.exclusions.config import ExclusionConfigurationError, RegisterConfig
from verifier.exclusions.desk import ExclusionDesk
from verifier.exclusions.metrics import Metrics
from verifier.exclusions.openapi import openapi_blueprint
from verifier.exclusions.operations import operations_blueprint
from verifier.storage.exclusion_tables import migrate_exclusions, other_schemas
from verifier.storage.exclusions import SqlExclusionRecords
from wallet.adapters.sql.engine import open_engine
from wallet.credentials.jwe import EncryptionKey
from wallet.ports.clock import Clock
from wallet.web.application import new_application


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
    """Compose a register over its database.

    Raises `StorageUnavailable`, `DatabaseUrlUnsupported`, and `ExclusionConfigurationError` for a
    database that has other services' tables: whoever keeps those could join what this one counts.
    """
    engine = open_engine(config.database_url)
    others = other_schemas(engine)
    if others:
        engine.dispose()
        raise ExclusionConfigurationError(
            f"database_url: a database of its own, not that of {', '.join(others)}"
        )
    migrate_exclusions(engine)
    records, metrics = SqlExclusionRecords(engine), Metrics()
    desk = ExclusionDesk(records, clock, did=config.did, key=config.key, groups=config.groups)
    app = new_application("exclusions", max_body_bytes=MAX_BODY_BYTES)
    app.register_blueprint(
        exclusions_blueprint(desk, config.key.public, config.agency_token_digests, metrics)
    )
    app.register_blueprint(operations_blueprint(records, metrics))
    app.register_blueprint(openapi_blueprint(config.base_url))
    return ExclusionRegisterApplication(app, desk, config.key.public, engine.dispose)
