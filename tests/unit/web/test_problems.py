"""Problem details: typed errors keep their code, faults of ours tell nothing."""

import logging

import pytest
from flask import Flask, request

from wallet.encoding.json import parse_json_object
from wallet.errors import RejectedError, UnavailableError
from wallet.web.application import json_answer, new_application
from wallet.web.bodies import read_form, read_json

SECRET = "김합성 900101"


class Refused(RejectedError):
    code = "refused_in_test"


class NotNow(UnavailableError):
    code = "not_now_in_test"


@pytest.fixture
def app() -> Flask:
    app = new_application("test", max_body_bytes=1000)

    @app.get("/refused")
    def refused() -> None:
        raise Refused("no")

    @app.get("/not-now")
    def not_now() -> None:
        raise NotNow("later")

    @app.get("/fault")
    def fault() -> None:
        raise KeyError(SECRET)

    @app.post("/json")
    def echo_json() -> object:
        return json_answer(read_json(request))

    @app.post("/form")
    def echo_form() -> object:
        return json_answer(read_form(request))

    return app


def test_a_typed_error_answers_with_its_status_and_code(app: Flask) -> None:
    answer = app.test_client().get("/refused", headers={"X-Request-Id": "request-12345"})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    body = parse_json_object(answer.data)
    assert body["code"] == "refused_in_test"
    assert body["type"].endswith(":refused_in_test")
    assert body["request_id"] == "request-12345"


def test_what_could_not_be_checked_says_when_to_try_again(app: Flask) -> None:
    answer = app.test_client().get("/not-now")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_fault_tells_nothing_of_the_error_to_the_caller_or_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = app.test_client().get("/fault")
    assert answer.status_code == 500
    assert SECRET not in answer.get_data(as_text=True)
    assert SECRET not in caplog.text
    assert "KeyError" in caplog.text
    assert "test_problems.py" in caplog.text


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [("/nothing", "GET", 404, "not_found"), ("/json", "GET", 405, "method_not_allowed")],
)
def test_http_errors_are_problems_too(
    app: Flask, path: str, method: str, status: int, code: str
) -> None:
    answer = app.test_client().open(path, method=method)
    assert (answer.status_code, parse_json_object(answer.data)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "json_malformed"),
        (b"[]", "application/json", 400, "json_malformed"),
        (b'{"a":1,"a":2}', "application/json", 400, "json_malformed"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b'"' + b"a" * 2000 + b'"', "application/json", 413, "request_entity_too_large"),
    ],
)
def test_a_json_body_is_strict(
    app: Flask, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = app.test_client().post("/json", data=body, content_type=content_type)
    assert (answer.status_code, parse_json_object(answer.data)["code"]) == (status, code)
    good = app.test_client().post("/json", data=b'{"a":1}', content_type="application/json")
    assert good.status_code == 200


def test_a_compressed_body_is_refused(app: Flask) -> None:
    answer = app.test_client().post(
        "/json",
        data=b"{}",
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a=%ff", b"&".join([b"a=1"] * 60), b"\xff=1"])
def test_a_form_is_strict(app: Flask, body: bytes) -> None:
    kind = "application/x-www-form-urlencoded"
    answer = app.test_client().post("/form", data=body, content_type=kind)
    assert answer.status_code == 400
    assert app.test_client().post("/form", data=b"a=1", content_type=kind).status_code == 200


def test_every_answer_has_the_safe_headers(app: Flask) -> None:
    answer = app.test_client().get("/refused")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
