"""The OpenAPI document against the issuer: every route is in it, every answer as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from issuer.profile import Department
from seoul_wallet.sample.voters import write_roll
from tests.support.issuing import ALICE, IssuerWorld, issuer_world, key_of
from wallet.adapters.sql.engine import sqlite_url

EXAMPLES = 5
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuerWorld]:
    folder: Path = tmp_path_factory.mktemp("issuer")
    department = Department(
        path="letters",
        signing_key=key_of("letters"),
        database_url=sqlite_url(folder / "letters.db"),
        configurations=frozenset(("appointment-letter",)),
    )
    write_roll(folder, [])
    built = issuer_world(
        folder, config_changes={"departments": (department,), "nym_epoch": "2027-1"}
    )
    yield built
    built.close()


@pytest.fixture(scope="module")
def api(world: IssuerWorld) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", world.application.flask_app)


def test_every_route_is_in_the_document_and_no_other(world: IssuerWorld) -> None:
    document = world.client.get("/openapi.json").get_json()
    described = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, item in document["paths"].items()
        for method in item
    }
    served = {
        (method, re.sub(r"<[^>]*>", "{}", rule.rule))
        for rule in world.application.flask_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served


def answers_as_described(operation: Any) -> None:
    operator = "/operator/" in operation.path
    headers = {"Authorization": f"Bearer {ALICE}"} if operator else {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    check()


def test_no_input_gets_a_fault_or_an_answer_that_is_not_described(
    api: schemathesis.schemas.BaseSchema,
) -> None:
    operations = [result.ok() for result in api.get_all_operations()]
    for operation in operations:
        answers_as_described(operation)
    assert len(operations) > 40
