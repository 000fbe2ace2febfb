"""Every one-time value of the verifier: sixteen tries, two processes, exactly one success."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.desk import BASE_URL, Desk
from tests.support.verifier_twin import (
    Answer,
    Request,
    Twin,
    open_again,
    save_keys,
    send_at_once,
)
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vp_metadata import response_encryption
from wallet.protocols.oid4vp_response import build_response, encrypt_response

pytestmark = pytest.mark.soak
ROUNDS = int(os.environ.get("SOAK_PRESENTATION_ROUNDS", "20"))
TRIES = 16
FORM = "application/x-www-form-urlencoded"
Prepare = Callable[[Desk], Request]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    save_keys(made)
    yield made
    made.verifier.close()


@pytest.fixture
def twin(desk: Desk) -> Iterator[Twin]:
    other = Twin(desk.folder)
    yield other
    other.close()


def post(path: str, body: str, content_type: str = FORM, token: str = "") -> Request:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return {
        "method": "POST",
        "path": path,
        "data": body,
        "content_type": content_type,
        "headers": headers,
    }


def request_uri(desk: Desk) -> Request:
    uri = desk.ask()["request_uri"].removeprefix(BASE_URL)
    return {"method": "GET", "path": uri}


def wallet_nonce(desk: Desk) -> Request:
    uri = desk.ask(request_uri_method="post")["request_uri"].removeprefix(BASE_URL)
    return post(uri, urlencode({"wallet_nonce": "of-this-wallet"}))


def nonce_and_state(desk: Desk) -> Request:
    request = desk.fetch(desk.ask())
    form = build_response({"card": [desk.card(request)]}, request.state)
    return post("/responses", urlencode(form))


def key_of_the_answer(desk: Desk) -> Request:
    request = desk.fetch(desk.ask(response_mode="direct_post.jwt"))
    recipient, enc = response_encryption(request.client_metadata)
    jwe = encrypt_response(
        {"card": [desk.card(request)]},
        request.state,
        recipient=recipient,
        enc=enc,
        nonce=request.nonce,
    )
    return post("/responses", urlencode({"response": jwe}))


def answered(desk: Desk, **options: Any) -> tuple[JsonObject, JsonObject]:
    opened = desk.ask(**options)
    request = desk.fetch(opened)
    answer: JsonObject = desk.post(request, {"card": [desk.card(request)]}).get_json()
    return opened, answer


def response_code(desk: Desk) -> Request:
    opened, answer = answered(desk, flow="same_device", return_uri="https://agency.example/done")
    code = answer["redirect_uri"].rpartition("=")[2]
    path = opened["result_uri"].removeprefix(BASE_URL)
    body = json.dumps({"response_code": code})
    return post(path, body, "application/json", opened["result_token"])


def disclosed_claims(desk: Desk) -> Request:
    opened, _ = answered(desk)
    path = opened["result_uri"].removeprefix(BASE_URL)
    headers = {"Authorization": f"Bearer {opened['result_token']}"}
    return {"method": "GET", "path": path, "headers": headers}


def page_answer(desk: Desk) -> Request:
    opened = desk.ask(
        flow="dc_api", client_id_prefix="redirect_uri", expected_origins=["https://a.example"]
    )
    nonce = opened["dc_request"]["data"]["nonce"]
    card = desk.world.present(
        desk.world.issue(),
        audience="origin:https://a.example",
        nonce=nonce,
        issued_at=desk.clock.now(),
    )
    body = json.dumps({"data": {"vp_token": {"card": [card]}}})
    path = f"/v1/requests/{opened['request_id']}/response"
    return post(path, body, "application/json", opened["result_token"])


def is_ok(answer: Answer) -> bool:
    return answer[0] == 200


def has_claims(answer: Answer) -> bool:
    return answer[0] == 200 and json.loads(answer[1])["credentials"] is not None


VALUES: dict[str, tuple[Prepare, Callable[[Answer], bool]]] = {
    "request_uri": (request_uri, is_ok),
    "wallet_nonce": (wallet_nonce, is_ok),
    "nonce and state": (nonce_and_state, is_ok),
    "key of the answer": (key_of_the_answer, is_ok),
    "response_code": (response_code, is_ok),
    "disclosed claims": (disclosed_claims, has_claims),
    "answer of a page": (page_answer, is_ok),
}


@pytest.mark.timeout(3600)
def test_every_one_time_value_works_once_in_two_processes_and_not_after_a_restart(
    desk: Desk, twin: Twin
) -> None:
    used = []
    for _ in range(ROUNDS):
        for name, (prepare, succeeded) in VALUES.items():
            request = prepare(desk)
            half = [request] * (TRIES // 2)
            twin.begin(half)
            answers = [*send_at_once(desk, half), *twin.answers()]
            assert sum(map(succeeded, answers)) == 1, name
            assert all(status < 500 for status, _ in answers), name
            used.append((name, request, succeeded))
    restarted = open_again(desk.folder, "restarted")
    for name, request, succeeded in used[-len(VALUES) :]:
        (answer,) = send_at_once(restarted, [request])
        assert not succeeded(answer), name
    restarted.verifier.close()
