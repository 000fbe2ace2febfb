"""The ballot box as a process of its own, configured by its file, over a real node."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ballotbox.config import VARIABLE
from seoul_wallet.anvil import AnvilNode
from seoul_wallet.cli import main
from seoul_wallet.server import free_port
from tests.support.ballot_chain import ElectionOnChain
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.voting import cast, manifest, public_hex, secret, voter
from wallet.adapters.http.fetch import FetchFailed, GuardedClient
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object

pytestmark = [pytest.mark.loopback, pytest.mark.anvil, pytest.mark.timeout(120)]
TIMEOUT_S = 60
# Between the opening of the board on the chain and that of the vote, in real seconds.
LEAD_S = 9


@pytest.fixture(scope="module")
def stack() -> Iterator[LedgerStack]:
    with ledger_stack("anvil") as started:
        yield started


def environment(stack: LedgerStack, folder: Path, octets: bytes, database_url: str) -> JsonObject:
    """Write the files of a ballot box, and return the variables that name them."""
    (folder / "manifest.json").write_bytes(octets)
    (folder / "key").write_text(base64url.encode(secret("sign board").to_bytes(32, "big")))
    (folder / "operator").write_text(bytes(stack.controller.account.key).hex())
    (folder / "deployment.json").write_text(json.dumps(stack.deployment.to_json()))
    (folder / "ballotbox.toml").write_text(
        'manifest = "manifest.json"\nsigning_key = "key"\nworker_interval_s = 0.1\n'
        f"database_url = {json.dumps(database_url)}\n"
    )
    return {
        "SEOUL_WALLET_RPC_URL": str(stack.w3.provider.endpoint_uri),  # type: ignore[attr-defined]
        "SEOUL_WALLET_DEVELOPMENT_CHAIN": "1",
        "SEOUL_WALLET_DEPLOYMENT": str(folder / "deployment.json"),
        "SEOUL_WALLET_CONTROLLER_KEY": str(folder / "operator"),
        VARIABLE: str(folder / "ballotbox.toml"),
    }


class Service:
    """What `seoul-wallet run ballotbox` serves, and a client of it."""

    def __init__(self, variables: JsonObject, log: Path) -> None:
        self._variables = variables
        self._log = log
        self._port = free_port()
        self._base = f"http://localhost:{self._port}"
        self._client = GuardedClient(allow_loopback_http=True)
        command = [sys.executable, "-m", "seoul_wallet", "run", "ballotbox"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port)],
                env={**os.environ, **self._variables},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, path: str, is_so: Callable[[JsonObject], bool]) -> JsonObject:
        ends_at = time.monotonic() + TIMEOUT_S
        while time.monotonic() < ends_at:
            assert self._process.poll() is None, self._log.read_text()
            try:
                answer = self._client.get(self._base + path)
            except FetchFailed:
                time.sleep(0.05)
                continue
            found = parse_json_object(answer.body)
            if answer.status == 200 and is_so(found):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{path} did not come to that\n{self._log.read_text()}")

    def cast(self, ballot: bytes) -> tuple[int, JsonObject]:
        headers = {"Content-Type": "application/cbor"}
        answer = self._client.request(
            "POST", f"{self._base}/ballots", headers=headers, body=ballot
        )
        return answer.status, parse_json_object(answer.body)

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(TIMEOUT_S)


@pytest.fixture
def opened(stack: LedgerStack, tmp_path: Path) -> ElectionOnChain:
    """An election whose ceremony is over and whose board is open on the chain."""
    assert isinstance(stack.chain, AnvilNode)
    # The times of the election are those of the service's clock: the chain comes to the present.
    stack.chain.request("anvil_mine", ["0x1"])
    election = ElectionOnChain(
        stack,
        tmp_path,
        lead_s=LEAD_S,
        board={"signing_key": public_hex("board"), "checkpoint_every_s": 2},
    )
    election.run_ceremony()
    election.settle(lambda: election.application.publication.state().opened is not None)
    election.application.close()
    return election


@pytest.fixture
def service(stack: LedgerStack, opened: ElectionOnChain) -> Iterator[Service]:
    assert isinstance(stack.chain, AnvilNode)
    stack.chain.request("evm_setIntervalMining", [1])
    folder = opened.folder
    variables = environment(stack, folder, opened.manifest.octets, opened.database_url)
    started = Service(variables, folder / "log")
    yield started
    started.end()


def test_takes_a_ballot_and_puts_its_checkpoint_on_the_chain(
    service: Service, opened: ElectionOnChain
) -> None:
    service.wait_for("/checkpoints/newest", lambda said: True)
    ballot = cast(opened.application.box.election(), voter(1), [1, 0, 1, 0, 0, 0])
    status, accepted = service.cast(ballot.octets)
    assert status == 201
    assert accepted["body"]["ballot"] == ballot.digest(opened.application.box.election()).hex()
    service.wait_for("/readyz", lambda said: True)
    newest = service.wait_for("/checkpoints/newest", lambda said: said["body"]["number"] > 1)
    number = newest["body"]["number"]
    service.wait_for("/anchors", lambda said: len(said["checkpoints"]) >= number)
    assert service.wait_for("/healthz", lambda said: True)["codes"] == []


def test_a_manifest_of_another_contract_ends_the_start_with_one_clear_line(
    stack: LedgerStack, tmp_path: Path
) -> None:
    octets = manifest(trustees=2, threshold=2).octets
    variables = environment(stack, tmp_path, octets, "sqlite:///nowhere.db")
    done = CliRunner().invoke(main, ["run", "ballotbox", "--port", "1"], env=variables)
    assert done.exit_code == 1
    assert "not the one of the manifest" in done.output
    assert done.output.count("\n") == 1


def test_the_organiser_opens_the_board_by_command_once_the_ceremony_is_over(
    stack: LedgerStack, tmp_path: Path
) -> None:
    election = ElectionOnChain(stack, tmp_path, organiser=stack.root_key.address)
    variables = environment(stack, tmp_path, election.manifest.octets, election.database_url)
    key = tmp_path / "organiser"
    key.touch(mode=0o600)
    key.write_text(bytes(stack.root_key.account.key).hex())
    operator = election.writer().operator
    arguments = ["ballotbox", "open", "--key-file", str(key), "--operator", operator]

    def opened() -> tuple[int, str]:
        done = CliRunner().invoke(main, arguments, env=variables)
        return done.exit_code, done.output.strip()

    assert opened() == (4, "record_incomplete: the key ceremony is not over")
    election.run_ceremony()
    status, transaction = opened()
    assert (status, len(transaction)) == (0, 66)
    election.settle(lambda: election.application.publication.state().opened is not None)
    assert election.application.publication.state().opened == bytes.fromhex(transaction[2:])
    assert opened() == (4, "ledger_refused: the contract refused: BoardExists")
    election.application.close()
