"""The endpoints that pages of other sites may call: what wallets and verifiers are told to call.

Not the authorization endpoint and its pages, which a browser visits and no client calls (RFC 9700
§2.6), nor anything of the operators.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from flask import Flask

from wallet.encoding.json import JsonObject
from wallet.web.cross_origin import GET, POST, OpenRoutes, mark_open_routes, open_to_pages

_BELOW_THE_BASE_URL: Final[OpenRoutes] = {
    "/.well-known/openid-credential-issuer": GET,
    "/.well-known/oauth-authorization-server": GET,
    "/offers/<offer_id>": GET,
    "/par": POST,
    "/token": POST,
    "/nonce": POST,
    "/credential": POST,
    "/deferred-credential": POST,
    "/notification": POST,
    "/revocations": POST,
    "/recovery/devices": POST,
    "/recovery/key": POST,
    "/recovery/lost": POST,
    "/status-lists/<number>": GET,
    "/status-lists/<number>/<any(revocation, suspension):purpose>": GET,
    "/receipts/<leaf>": GET,
    "/batches/<root>": GET,
    "/types/<name>": GET,
    "/types/<name>/<file>": GET,
}


def open_routes(paths: Sequence[str]) -> OpenRoutes:
    """Return the open routes of the issuers with these paths, the first of which has the API."""
    routes: dict[str, Collection[str]] = {f"{paths[0]}/openapi.json": GET}
    for path in paths:
        routes |= {path + rule: methods for rule, methods in _BELOW_THE_BASE_URL.items()}
        for name in ("openid-credential-issuer", "oauth-authorization-server"):
            routes[f"/.well-known/{name}{path}"] = GET
        routes[f"{path}/did.json" if path else "/.well-known/did.json"] = GET
    return routes


def open_issuer(app: Flask, paths: Sequence[str], document: JsonObject) -> JsonObject:
    """Open the routes of `app`; return its OpenAPI document, which says so."""
    routes = open_routes(paths)
    open_to_pages(app, routes)
    return mark_open_routes(document, routes)
