"""The OpenAPI document of the register of exclusion groups: complete, and kept on any input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.clock import SettableClock
from verifier.exclusions.config import RegisterConfig
from verifier.exclusions.openapi import build_document
from verifier.register_app import ExclusionRegisterApplication, build_exclusion_register
from wallet.adapters.sql.engine import sqlite_url
from wallet.credentials.jwe import DecryptionKey
from wallet.crypto.hashing import sha256
from wallet.eligibility.clauses import Window

BASE_URL = "https://register.example"
TOKEN = "synthetic-token"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    (path, method)
    for path, operations in build_document(BASE_URL)["paths"].items()
    for method in operations
]


@pytest.fixture(scope="module")
def register(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ExclusionRegisterApplication]:
    folder: Path = tmp_path_factory.mktemp("register")
    made = build_exclusion_register(
        RegisterConfig(
            base_url=BASE_URL,
            database_url=sqlite_url(folder / "register.db"),
            key=DecryptionKey.generate(),
            groups={"a": Window(calendar_year=True)},
            agency_token_digests={"did:web:a.example": sha256(TOKEN.encode())},
        ),
        clock=SettableClock(1_780_000_000),
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def api(register: ExclusionRegisterApplication) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", register.app)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_input_makes_the_register_break_its_document(
    api: schemathesis.BaseSchema, path: str, method: str
) -> None:
    @given(case=api[path][method].as_strategy())
    # Every call that changes something waits for the disk.
    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    def hold(case: schemathesis.Case) -> None:
        token = {"Authorization": f"Bearer {TOKEN}"}
        case.call_and_validate(headers=token, checks=CHECKS)

    hold()


def test_every_route_is_in_the_document_and_no_other(
    register: ExclusionRegisterApplication,
) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in register.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == set(OPERATIONS)
