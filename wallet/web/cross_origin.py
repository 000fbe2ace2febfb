"""Which endpoints the pages of other sites may call (CORS, the Fetch standard §3.2).

Wallets and agencies' tools run in browsers too. What anyone may read or send without a cookie is
open to every origin, by a table of routes; everything else stays as browsers have it: a page of
another site cannot read it. Credentials of the browser are never allowed, so an open endpoint
learns nothing from it but what the page itself put into the request.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from flask import Flask, Response, request

from wallet.encoding.json import JsonObject

# By the rule of a route, as Flask has it: the methods that are open.
OpenRoutes = Mapping[str, Collection[str]]

GET: Final = ("GET",)
POST: Final = ("POST",)
# What the protocols have a wallet send and read beyond what browsers let every page send and read.
ALLOWED_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "DPoP",
    "OAuth-Client-Attestation",
    "OAuth-Client-Attestation-PoP",
    "X-Request-Id",
)
EXPOSED_HEADERS: Final = ("DPoP-Nonce", "Retry-After", "WWW-Authenticate", "X-Request-Id")
PREFLIGHT_MAX_AGE_S: Final = 3600
OPENAPI_MEMBER: Final = "x-cross-origin"
_CONVERTER: Final = re.compile(r"<(?:[^<>]*:)?([a-z_]+)>")


def open_to_pages(app: Flask, routes: OpenRoutes) -> None:
    """Let pages of any origin call `routes` of `app`, and no others, without credentials."""

    @app.after_request
    def allow(response: Response) -> Response:
        rule = None if request.url_rule is None else request.url_rule.rule
        methods = routes.get(rule or "", ())
        if request.method == "OPTIONS" and methods:
            response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            response.headers["Access-Control-Allow-Headers"] = ", ".join(ALLOWED_HEADERS)
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)
        elif request.method.replace("HEAD", "GET") not in methods:
            return response
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
        return response


def mark_open_routes(document: JsonObject, routes: OpenRoutes) -> JsonObject:
    """Return an OpenAPI document with `x-cross-origin: "*"` on the operations that are open."""
    opened = {_CONVERTER.sub(r"{\1}", rule): methods for rule, methods in routes.items()}
    paths = {
        path: {
            method: (
                {**operation, OPENAPI_MEMBER: "*"}
                if method.upper() in opened.get(path, ())
                else operation
            )
            for method, operation in operations.items()
        }
        for path, operations in document["paths"].items()
    }
    return {**document, "paths": paths}
