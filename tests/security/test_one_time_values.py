"""Every one-time value of the issuer: sixteen tries, two processes, exactly one success."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.issuing import ALICE, BOB, FAMILY, HOLDER, NOW, IssuerWorld, key_of
from tests.support.oid4vci_wallet import CARD, CLIENT_ID, TestWallet
from tests.support.one_time_process import send_together, shared_world
from wallet.encoding.json import to_json
from wallet.protocols.oid4vci.token import RefreshTokenRequest, TokenRequest

pytestmark = pytest.mark.soak

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("SOAK_ONE_TIME_ROUNDS", "20"))
TRIES = 16
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
Request = dict[str, Any]


class Twin:
    """The other process, over the same database."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.one_time_process", folder],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def begin(self, requests: list[Request]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()

    def answers(self) -> list[Any]:
        found: list[Any] = json.loads(self._read())
        return found

    def close(self) -> None:
        self._process.communicate(timeout=30)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = shared_world(tmp_path)
    yield built
    built.close()


@pytest.fixture
def twin(world: IssuerWorld) -> Iterator[Twin]:
    other = Twin(world.folder)
    yield other
    other.close()


def post(path: str, body: bytes | str, headers: dict[str, Any]) -> Request:
    text = body if isinstance(body, str) else body.decode()
    return {"method": "POST", "path": path, "headers": headers, "body": text}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **JSON}


def codes(world: IssuerWorld) -> list[Request]:
    form = TokenRequest(world.offer()[0]).to_form()
    return [post("/token", form, FORM)] * TRIES


def nonces(world: IssuerWorld) -> list[Request]:
    nonce, token = world.nonce(), world.token()
    made = []
    for _ in range(TRIES):
        body = {"credential_configuration_id": CARD, "proofs": {"jwt": [world.proof(nonce=nonce)]}}
        made.append(post("/credential", to_json(body), bearer(token)))
    return made


def authorization_codes(world: IssuerWorld) -> list[Request]:
    wallet = TestWallet(world)
    form = wallet.code_request(wallet.authorize()["code"]).to_form()
    return [post("/token", form, FORM)] * TRIES


def request_uris(world: IssuerWorld) -> list[Request]:
    uri = TestWallet(world).push()
    path = f"/authorize?client_id={CLIENT_ID}&request_uri={uri}"
    return [{"method": "GET", "path": path, "headers": {}, "body": ""}] * TRIES


def dpop_proofs(world: IssuerWorld) -> list[Request]:
    wallet = TestWallet(world, key_of("dpop"))
    issued = wallet.credential(token := wallet.pre_authorized()["access_token"]).get_json()
    body = {"notification_id": issued["notification_id"], "event": "credential_accepted"}
    headers = {
        "Authorization": f"DPoP {token}",
        **JSON,
        **wallet.dpop_header("/notification", token),
    }
    return [post("/notification", to_json(body), headers)] * TRIES


def transactions(world: IssuerWorld) -> list[Request]:
    made = world.operate(
        "/credential-offers",
        {
            "configuration_id": CARD,
            "subject_id": FAMILY,
            "holder_id": HOLDER,
            "tx_code": False,
            "hold": True,
        },
    ).get_json()
    token = world.exchange(world.code_behind(made["link"])).get_json()["access_token"]
    told = TestWallet(world).credential(token).get_json()
    headers = {"Authorization": f"Bearer {ALICE}"}
    (found,) = world.client.get("/operator/approvals", headers=headers).get_json()["approvals"]
    assert (
        world.operate(f"/approvals/{found['approval_id']}/approve", {}, token=BOB).status_code
        == 200
    )
    body = to_json({"transaction_id": told["transaction_id"]})
    return [post("/deferred-credential", body, bearer(token))] * TRIES


def refresh_tokens(world: IssuerWorld) -> list[Request]:
    wallet = TestWallet(world, key_of("dpop"))
    tokens = wallet.pre_authorized()
    form = RefreshTokenRequest(tokens["refresh_token"]).to_form()
    return [post("/token", form, {**FORM, **wallet.dpop_header("/token")}) for _ in range(TRIES)]


LOST: dict[Callable[[IssuerWorld], list[Request]], set[tuple[int, str]]] = {
    codes: {(400, "invalid_grant")},
    # Who comes after the winner finds the access token used as well.
    nonces: {(400, "invalid_nonce"), (401, "invalid_token")},
    authorization_codes: {(400, "invalid_grant")},
    request_uris: {(409, "")},
    dpop_proofs: {(401, "invalid_dpop_proof")},
    transactions: {(400, "invalid_transaction_id")},
    refresh_tokens: {(400, "invalid_grant")},
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("value", LOST, ids=lambda make: make.__name__)
def test_of_sixteen_uses_in_two_processes_exactly_one_succeeds(
    world: IssuerWorld, twin: Twin, value: Callable[[IssuerWorld], list[Request]]
) -> None:
    for _ in range(ROUNDS):
        requests = value(world)
        twin.begin(requests[TRIES // 2 :])
        answers = send_together(world, requests[: TRIES // 2]) + twin.answers()
        won = [status for status, _ in answers if status < 300]
        lost = {(status, error) for status, error in answers if status >= 300}
        assert len(won) == 1, answers
        assert lost <= LOST[value]


@pytest.mark.parametrize("value", LOST, ids=lambda make: make.__name__)
def test_what_was_used_before_a_restart_stays_used(
    world: IssuerWorld, value: Callable[[IssuerWorld], list[Request]]
) -> None:
    requests = value(world)
    ((status, _),) = send_together(world, requests[:1])
    assert status < 300
    again = shared_world(world.folder)
    assert again.clock.now() == NOW
    ((status, error),) = send_together(again, requests[1:2])
    assert (status, error) in LOST[value]
    again.close()
