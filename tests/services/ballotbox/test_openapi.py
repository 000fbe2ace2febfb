"""The OpenAPI document against the ballot box: every route is in it, every answer as it says."""

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
    response_schema_conformance,
    status_code_conformance,
)

from ballotbox.api.openapi import openapi_document
from tests.support.ballot_box import CHOICES, Box
from tests.support.voting import OPENS, cast, voter
from wallet.adapters.sql.engine import sqlite_url
from wallet.voting.ballot import parse_ballot, tracking_code

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
OPERATIONS = [
    (path, method)
    for path, operations in openapi_document()["paths"].items()
    for method in operations
]


@schemathesis.serializer("application/cbor")
def write_octets(_: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder: Path = tmp_path_factory.mktemp("box")
    made = Box(sqlite_url(folder / "box.db"))
    made.open()
    made.box.accept(cast(made.box.election(), voter(1), CHOICES).octets)
    made.clock.set(OPENS + 1000)
    made.box.work()
    yield made
    made.application.close()


@pytest.fixture(scope="module")
def api(box: Box) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", box.application.flask_app)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_input_gets_a_fault_or_an_answer_that_is_not_described(
    api: schemathesis.BaseSchema, path: str, method: str
) -> None:
    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=api[path][method].as_strategy())
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    check()


def test_every_route_is_in_the_document_and_no_other(box: Box) -> None:
    served = {
        (re.sub(r"<[^>]*>", "{}", rule.rule), method.lower())
        for rule in box.application.flask_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(re.sub(r"{\w+}", "{}", path), method) for path, method in OPERATIONS}


def test_answers_of_a_board_with_a_ballot_are_as_described(
    box: Box, api: schemathesis.BaseSchema
) -> None:
    (ballot,) = [entry.payload for entry in box.entries() if entry.kind == "ballot"]
    digest = cast_digest(box, ballot)
    good = {
        "/ballots/{code}": {"path_parameters": {"code": tracking_code(digest)}},
        "/proofs/inclusion": {"query": {"index": "0", "size": "2"}},
        "/proofs/consistency": {"query": {"old_size": "1", "size": "2"}},
    }
    for path, parameters in good.items():
        case = api[path]["get"].Case(**parameters)
        assert case.call_and_validate(checks=CHECKS).status_code == 200


def cast_digest(box: Box, octets: bytes) -> bytes:
    election = box.box.election()
    return parse_ballot(octets, election).digest(election)
