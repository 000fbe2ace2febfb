"""The OpenAPI document: complete, and kept by the service on any input that it allows."""

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

from tests.support.desk import AGENCY_TOKEN, BASE_URL, Desk
from tests.support.relying_party import relying_parties
from verifier.api.openapi import build_document

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
# What people open in a browser, and what is there in development alone.
NOT_IN_THE_DOCUMENT = re.compile(
    r"/(oidc/(authorize|login|finish)$|present|assets|openapi\.json|credentials|presentations)"
)


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("desk")
    made = Desk(folder, {"oidc": relying_parties()})
    yield made
    made.verifier.close()


@pytest.fixture(scope="module")
def api(desk: Desk) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", desk.verifier.app)


OPERATIONS = [
    (path, method)
    for path, operations in build_document(BASE_URL, oidc=True)["paths"].items()
    for method in operations
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_input_makes_the_service_break_its_document(
    api: schemathesis.BaseSchema, path: str, method: str
) -> None:
    @given(case=api[path][method].as_strategy())
    @settings(suppress_health_check=list(HealthCheck))
    def hold(case: schemathesis.Case) -> None:
        token = {"Authorization": f"Bearer {AGENCY_TOKEN}"}
        case.call_and_validate(headers=token, checks=list(CHECKS))

    hold()


def test_every_route_for_programs_is_in_the_document(desk: Desk) -> None:
    document = desk.client.get("/openapi.json").get_json()
    listed = {
        (path, method.upper())
        for path, operations in document["paths"].items()
        for method in operations
    }
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in desk.verifier.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not NOT_IN_THE_DOCUMENT.match(rule.rule)
    }
    assert served == listed
