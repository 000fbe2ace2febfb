"""Input that is not what it should be: 4xx in the endpoint's own form, never 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.issuing import ALICE, FORM, IssuerWorld, issuer_world

JSON = "application/json"
OPERATOR_PATHS = (
    "/operator/offers",
    "/operator/offers/bulk",
    "/operator/letters",
    "/operator/letters/x/approval",
    "/operator/letters/x/offer",
    "/operator/issuances/search",
    "/operator/issuances/x/revoke",
    "/operator/batches/AAAA/revoke",
)
BAD_JSON = {
    "an array": b"[]",
    "a string": b'"text"',
    "null": b"null",
    "nothing": b"",
    "a duplicate name": b'{"family_id": "A", "family_id": "B"}',
    "an escaped duplicate": b'{"family_id": "A", "family_i\\u0064": "B"}',
    "NaN": b'{"family_id": NaN}',
    "Infinity": b'{"family_id": 1e999}',
    "a lone surrogate": b'{"family_id": "\\ud800"}',
    "not UTF-8": b'{"family_id": "\xff\xfe"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"family_id": "A"}'.encode("utf-16"),
    "cut off": b'{"family_id": "A"',
    "too deep": b'{"family_id": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a form": b"family_id=A",
    "NUL": b"\x00",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuerWorld]:
    """One issuer for all: nothing that these tests send changes it."""
    built = issuer_world(tmp_path_factory.mktemp("issuer"))
    yield built
    built.close()


def post(world: IssuerWorld, path: str, body: bytes, content_type: str | None) -> Any:
    token = ALICE if path.startswith("/operator") else world.token()
    headers = {"Authorization": f"Bearer {token}"}
    return world.client.post(path, data=body, content_type=content_type, headers=headers)


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    body = answer.get_json()
    assert (body["status"], body["code"]) == (status, code)


@pytest.mark.parametrize("path", OPERATOR_PATHS)
@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_operators_get_a_problem_for_bad_json(world: IssuerWorld, path: str, body: bytes) -> None:
    assert_problem(post(world, path, body, JSON), 400, "json_malformed")


@pytest.mark.parametrize("path", OPERATOR_PATHS)
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", FORM, "application/jsonx", "multipart/form-data"]
)
def test_operators_get_a_problem_for_another_content_type(
    world: IssuerWorld, path: str, content_type: str | None
) -> None:
    assert_problem(post(world, path, b"{}", content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", OPERATOR_PATHS)
def test_operators_get_a_problem_for_a_huge_body(world: IssuerWorld, path: str) -> None:
    answer = post(world, path, b'{"a": "' + b"x" * 300_000 + b'"}', JSON)
    assert_problem(answer, 413, "request_entity_too_large")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"family_id": "SYN-F-1"},
        {"family_id": 1, "holder_id": "SYN-P-1"},
        {"family_id": "SYN-F-1", "holder_id": None},
        {"family_id": "SYN-F-1", "holder_id": "SYN-P-1", "extra": 1},
        {"family_id": "SYN-F-1", "holder_id": "SYN-P-1", "tx_code": "yes"},
        {"family_id": "SYN-F-1", "holder_id": "SYN-P-1", "tx_code": 1.5},
        {"family_id": "syn f\x00", "holder_id": "SYN-P-1"},
        {"family_id": "A" * 65, "holder_id": "SYN-P-1"},
    ],
)
def test_operators_get_a_problem_for_members_of_the_wrong_form(
    world: IssuerWorld, body: dict[str, Any]
) -> None:
    assert_problem(world.operate("/offers", body), 400, "request_malformed")


@pytest.mark.parametrize("cards", [[], "x", [1], [{}], [{"family_id": "A"}], None])
def test_operators_get_a_problem_for_bulk_offers_of_the_wrong_form(
    world: IssuerWorld, cards: Any
) -> None:
    answer = world.operate("/offers/bulk", {"cards": cards})
    assert answer.status_code == 400
    assert answer.get_json()["code"] in ("request_malformed", "too_many_offers")


def test_too_many_bulk_offers_are_refused(world: IssuerWorld) -> None:
    cards = [{"family_id": "SYN-F-1", "holder_id": "SYN-P-1"}] * 1001
    assert_problem(world.operate("/offers/bulk", {"cards": cards}), 400, "too_many_offers")


@pytest.mark.parametrize("path", [*OPERATOR_PATHS, "/operator/unknown"])
def test_strangers_learn_nothing_from_the_operators_api(world: IssuerWorld, path: str) -> None:
    answer = world.client.post(path, data=b"not json", content_type=JSON)
    assert answer.status_code in (401, 404)
    for header in (f"Basic {ALICE}", f"Bearer {ALICE}é", "Bearer " + "x" * 10_000, "Bearer"):
        answer = world.client.post(path, json={}, headers={"Authorization": header})
        assert answer.status_code in (401, 404)


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_the_credential_endpoint_answers_bad_json_in_its_own_form(
    world: IssuerWorld, body: bytes
) -> None:
    answer = post(world, "/credential", body, JSON)
    assert (answer.status_code, answer.content_type) == (400, JSON)
    assert answer.get_json()["error"] == "invalid_credential_request"


@pytest.mark.parametrize("content_type", [None, "text/plain", FORM])
def test_the_credential_endpoint_refuses_other_content_types(
    world: IssuerWorld, content_type: str | None
) -> None:
    answer = post(world, "/credential", b"{}", content_type)
    assert (answer.status_code, answer.content_type) == (400, JSON)
    assert answer.get_json()["error"] == "invalid_credential_request"


def test_the_credential_endpoint_refuses_a_huge_body(world: IssuerWorld) -> None:
    answer = post(world, "/credential", b'{"a": "' + b"x" * 300_000 + b'"}', JSON)
    assert (answer.status_code, answer.get_json()["error"]) == (413, "invalid_credential_request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"grant_type",
        b"grant_type=",
        b"grant_type=%ff",
        b"\xff\xfe",
        b"\x00",
        b"&".join(b"a%d=1" % n for n in range(100)),
        b"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code",
        b"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code=",
        b"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code="
        + b"x" * 513,
        b"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code"
        b"&pre-authorized_code=x&tx_code=",
    ],
)
def test_the_token_endpoint_answers_bad_forms_in_its_own_form(
    world: IssuerWorld, body: bytes
) -> None:
    answer = world.client.post("/token", data=body, content_type=FORM)
    assert (answer.status_code, answer.content_type) == (400, JSON)
    assert answer.get_json()["error"] == "invalid_request"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("content_type", [None, JSON, "multipart/form-data; boundary=x"])
def test_the_token_endpoint_refuses_other_content_types(
    world: IssuerWorld, content_type: str | None
) -> None:
    answer = world.client.post("/token", data=b"{}", content_type=content_type)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_the_token_endpoint_refuses_a_huge_body(world: IssuerWorld) -> None:
    body = b"grant_type=" + b"x" * 20_000
    answer = world.client.post("/token", data=body, content_type=FORM)
    assert (answer.status_code, answer.get_json()["error"]) == (413, "invalid_request")


def test_the_nonce_endpoint_refuses_a_body_that_is_not_small(world: IssuerWorld) -> None:
    assert world.client.post("/nonce", data=b"x" * 2000).status_code == 413
    assert world.client.post("/nonce", data=b"").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/offers", "/offers/%F0%9F", "/offers/" + "x" * 5000, "/token/x", "/.well-known/x"],
)
def test_unknown_paths_are_404(world: IssuerWorld, path: str) -> None:
    assert world.client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/token", "/nonce", "/credential"])
def test_other_methods_are_refused(world: IssuerWorld, path: str) -> None:
    answer = world.client.get(path)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300))
def test_no_bytes_make_a_protocol_endpoint_fail(world: IssuerWorld, body: bytes) -> None:
    headers = {"Authorization": "Bearer unknown"}
    for path, kind in (("/token", FORM), ("/credential", JSON), ("/nonce", None)):
        answer = world.client.post(path, data=body, content_type=kind, headers=headers)
        assert answer.status_code < 500


@settings(max_examples=60, deadline=None)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["proofs", "jwt", "credential_configuration_id", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_no_json_makes_the_credential_endpoint_fail(world: IssuerWorld, body: Any) -> None:
    token = world.token()
    headers = {"Authorization": f"Bearer {token}"}
    answer = world.client.post("/credential", json=body, headers=headers)
    assert answer.status_code == 400
    assert answer.get_json().keys() == {"error", "error_description"}
