"""The Flask application of the verifier."""

from __future__ import annotations

from typing import Final

from flask import Flask

from verifier.api.agency import agency_blueprint
from verifier.api.errors import register_verifier_errors
from verifier.api.oidc import oidc_blueprint
from verifier.api.open_routes import OPEN_ROUTES
from verifier.api.openapi import openapi_blueprint
from verifier.api.operations import operations_blueprint
from verifier.api.wallet import wallet_blueprint
from verifier.browser_sessions import BrowserSessions
from verifier.config import VerifierConfig
from verifier.health import Health
from verifier.metrics import Metrics
from verifier.oidc.provider import OpenIdProvider
from verifier.pages.blueprint import pages_blueprint
from verifier.pages.login import login_blueprint
from verifier.service import VerifierService
from wallet.web.application import new_application
from wallet.web.cross_origin import open_to_pages

# A form holds several presentations, percent-encoded; each is limited by its own parser.
MAX_BODY_BYTES: Final = 1024 * 1024


def create_app(
    service: VerifierService,
    browsers: BrowserSessions,
    health: Health,
    config: VerifierConfig,
    metrics: Metrics,
    provider: OpenIdProvider | None = None,
) -> Flask:
    """Return the WSGI application over `service`; with a `provider` people log in by it."""
    app = new_application("verifier", max_body_bytes=MAX_BODY_BYTES)
    register_verifier_errors(app)
    open_to_pages(app, OPEN_ROUTES)
    app.register_blueprint(agency_blueprint(service, config))
    app.register_blueprint(wallet_blueprint(service))
    app.register_blueprint(openapi_blueprint(config.base_url, oidc=provider is not None))
    if config.page_queries or provider is not None:
        app.register_blueprint(pages_blueprint(service, browsers, config))
    if provider is not None:
        app.register_blueprint(login_blueprint(provider, service, browsers, config))
        app.register_blueprint(oidc_blueprint(provider))
    app.register_blueprint(operations_blueprint(service, health, metrics))
    return app
