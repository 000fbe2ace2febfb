"""Pages of other sites: what they may call of issuer and verifier, and what they may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from issuer.api.open_routes import open_routes
from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from issuer.profile import Department
from tests.support.desk import Desk
from tests.support.issuing import FORM, IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import CLIENT_ID, REDIRECT_URI, TestWallet
from tests.support.relying_party import relying_parties
from verifier.api.open_routes import OPEN_ROUTES
from wallet.adapters.sql.engine import sqlite_url
from wallet.web.cross_origin import ALLOWED_HEADERS, OPENAPI_MEMBER, OpenRoutes

ORIGIN = {"Origin": "https://wallet-in-a-browser.example"}
PATHS = ("", "/welfare")
ALLOW_ORIGIN = "Access-Control-Allow-Origin"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuerWorld]:
    folder: Path = tmp_path_factory.mktemp("issuer")
    department = Department(
        path=PATHS[1].removeprefix("/"),
        signing_key=key_of("department"),
        database_url=sqlite_url(folder / "department.db"),
        configurations=None,
    )
    clients = ClientPolicy(clients=(Client(CLIENT_ID, (REDIRECT_URI,), "합성 지갑"),))
    built = issuer_world(
        folder,
        settings=ServiceSettings(clients=clients),
        config_changes={"departments": (department,)},
        vc_api=True,
    )
    yield built
    built.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"), {"oidc": relying_parties()})
    yield made
    made.verifier.close()


def check_every_route(app: Flask, opened: OpenRoutes) -> int:
    """Ask each route as a browser asks for a page of another site; return how many are open."""
    client, found = app.test_client(), 0
    assert set(opened) <= {rule.rule for rule in app.url_map.iter_rules()}
    for rule in app.url_map.iter_rules():
        arguments = dict.fromkeys(rule.arguments, "1")
        if "decision" in arguments or "change" in arguments:
            arguments |= {"decision": "approve", "change": "revoke"}
        if "purpose" in arguments:
            arguments["purpose"] = "revocation"
        _, path = rule.build(arguments, append_unknown=False) or ("", "")
        methods = (rule.methods or set()) - {"OPTIONS", "HEAD"}
        for method in sorted(methods):
            preflight = client.options(
                path,
                headers={
                    **ORIGIN,
                    "Access-Control-Request-Method": method,
                    "Access-Control-Request-Headers": "authorization,dpop,content-type",
                },
            )
            told = preflight.headers
            allowed = told.get("Access-Control-Allow-Methods", "").split(", ")
            is_open = method in opened.get(rule.rule, ())
            assert (method in allowed) is is_open, (method, rule.rule)
            assert (told.get(ALLOW_ORIGIN) == "*") is (rule.rule in opened), rule.rule
            assert "Access-Control-Allow-Credentials" not in told
            if is_open:
                assert preflight.status_code == 200
                assert told["Access-Control-Allow-Headers"] == ", ".join(ALLOWED_HEADERS)
                found += 1
            # A page may send what it likes; what counts is that it cannot read the answer.
            answer = client.open(path, method=method, headers=ORIGIN)
            assert (answer.headers.get(ALLOW_ORIGIN) == "*") is is_open, (method, rule.rule)
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert not (is_open and "Set-Cookie" in answer.headers)
    return found


def test_the_table_of_the_issuer_is_what_pages_may_call_and_no_more(world: IssuerWorld) -> None:
    opened = open_routes(PATHS)
    found = check_every_route(world.application.flask_app, opened)
    assert found == sum(len(methods) for methods in opened.values())
    for path in PATHS:
        for closed in ("/authorize", "/authorize/login", "/operator/offers", "/metrics"):
            assert path + closed not in opened


def test_the_table_of_the_verifier_is_what_pages_may_call_and_no_more(desk: Desk) -> None:
    found = check_every_route(desk.verifier.app, OPEN_ROUTES)
    assert found == sum(len(methods) for methods in OPEN_ROUTES.values())
    for closed in ("/present", "/v1/requests", "/v1/verify", "/oidc/authorize", "/metrics"):
        assert closed not in OPEN_ROUTES


def test_a_wallet_in_a_browser_reads_answers_errors_and_nonces(world: IssuerWorld) -> None:
    client = world.client
    metadata = client.get("/.well-known/openid-credential-issuer/welfare", headers=ORIGIN)
    assert (metadata.status_code, metadata.headers[ALLOW_ORIGIN]) == (200, "*")
    wallet = TestWallet(world, key_of("dpop"))
    proof = wallet.dpop_header("/token")
    refused = client.post("/token", data=b"", content_type=FORM, headers={**ORIGIN, **proof})
    assert (refused.status_code, refused.headers[ALLOW_ORIGIN]) == (400, "*")
    assert "DPoP-Nonce" in refused.headers["Access-Control-Expose-Headers"].split(", ")
    unknown = client.get("/offers/unknown", headers=ORIGIN)
    assert (unknown.status_code, unknown.headers[ALLOW_ORIGIN]) == (404, "*")
    bare = client.post("/credential", json={}, headers=ORIGIN)
    assert (bare.status_code, bare.headers[ALLOW_ORIGIN]) == (401, "*")
    too_long = client.post("/nonce", data=b"x" * 5000, headers=ORIGIN)
    assert too_long.headers[ALLOW_ORIGIN] == "*"


def test_nothing_is_open_where_nothing_is_served_or_another_method_is_meant(
    world: IssuerWorld,
) -> None:
    for path in ("/nowhere", "/operator/nowhere", "/.well-known/openid-configuration"):
        answer = world.client.get(path, headers=ORIGIN)
        assert answer.status_code in (401, 404)
        assert ALLOW_ORIGIN not in answer.headers
    assert ALLOW_ORIGIN not in world.client.get("/credential", headers=ORIGIN).headers


def test_the_documents_say_what_is_open(world: IssuerWorld, desk: Desk) -> None:
    marked: set[tuple[str, str]] = set()
    for document in (
        world.client.get("/openapi.json").get_json(),
        desk.client.get("/openapi.json").get_json(),
    ):
        for path, operations in document["paths"].items():
            marked |= {
                (path, method)
                for method, operation in operations.items()
                if isinstance(operation, dict) and operation.get(OPENAPI_MEMBER) == "*"
            }
    assert {("/credential", "post"), ("/welfare/credential", "post")} <= marked
    assert ("/status-lists/{number}/{purpose}", "get") in marked
    assert {("/responses", "post"), ("/request-objects/{session_id}", "get")} <= marked
    assert not [path for path, _ in marked if "operator" in path or "authorize" in path]
    assert ("/v1/requests", "post") not in marked
