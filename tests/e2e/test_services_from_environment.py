"""Both services as processes of their own, configured by the environment, over a real node."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from seoul_wallet.anvil import AnvilMissing
from seoul_wallet.chain import LocalChain, anvil_chain
from seoul_wallet.cli import main
from seoul_wallet.sample.register import make_sample_register
from seoul_wallet.server import free_port
from wallet.adapters.evm.deployment import ANCHOR, BOARD, REGISTRY, ContractPin, Deployment
from wallet.adapters.http.fetch import FetchFailed, GuardedClient
from wallet.adapters.sql.engine import sqlite_url
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object

pytestmark = [pytest.mark.loopback, pytest.mark.anvil, pytest.mark.timeout(120)]
START_TIMEOUT_S = 60
END_TIMEOUT_S = 60
READY = {
    "issuer": "/.well-known/did.json",
    "verifier": "/healthz",
}


@contextmanager
def running_chain() -> Iterator[LocalChain]:
    try:
        started = anvil_chain()
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with running_chain() as started:
        yield started


@pytest.fixture
def chain_of_its_own() -> Iterator[LocalChain]:
    with running_chain() as started:
        yield started


@contextmanager
def started(
    name: str, port: int, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service until the block ends, then tell it to end and wait for it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "seoul_wallet", "run", name, "--port", str(port)],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()}") from error
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_TIMEOUT_S)
        finally:
            # A worker notices that its parent is gone.
            process.kill()
            process.wait()


@contextmanager
def service(
    name: str, port: int, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service, which at the end must stop in order and leave no database open."""
    with started(name, port, environment, log) as process:
        yield process
    assert process.returncode == 0
    assert "Killing worker" not in log.read_text()
    # SQLite removes its log with the last connection.
    assert list(log.parent.glob("*-wal")) == []


@contextmanager
def busy(url: str, clients: int = 4) -> Iterator[None]:
    """Have clients ask all the time, over connections that stay open, for as long as they may."""
    ended = threading.Event()
    parts = urlsplit(url)
    connections = [HTTPConnection(parts.netloc, timeout=5) for _ in range(clients)]

    def ask(connection: HTTPConnection) -> None:
        while not ended.is_set():
            try:
                connection.request("GET", parts.path)
                connection.getresponse().read()
            except ConnectionRefusedError:
                return
            except (OSError, HTTPException):
                connection.close()

    threads = [threading.Thread(target=ask, args=(each,)) for each in connections]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread, connection in zip(threads, connections, strict=True):
            thread.join()
            connection.close()


def accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(
    client: GuardedClient, url: str, process: subprocess.Popen[bytes]
) -> dict[str, object]:
    ends_at = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < ends_at:
        assert process.poll() is None, "the service ended"
        try:
            answer = client.get(url)
        except FetchFailed:
            time.sleep(0.1)
            continue
        if answer.status == 200:
            return parse_json_object(answer.body)
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer in time")


def common(chain: LocalChain, folder: Path, name: str) -> dict[str, str]:
    deployment = folder / "deployment.json"
    deployment.write_text(json.dumps(chain.deployment.to_json()))
    key = folder / f"{name}-key"
    key.write_text(base64url.encode(Es256SigningKey.generate().secret()))
    return {
        "SEOUL_WALLET_RPC_URL": str(chain.w3.provider.endpoint_uri),  # type: ignore[attr-defined]
        "SEOUL_WALLET_DEVELOPMENT_CHAIN": "1",
        "SEOUL_WALLET_DEPLOYMENT": str(deployment),
        "SEOUL_WALLET_REPLICA_URL": sqlite_url(folder / f"{name}-replica.db"),
    }


def settings(name: str, chain: LocalChain, folder: Path, base: str) -> dict[str, str]:
    """Return the environment of a service at `base`, with all its files in `folder`."""
    if name == "issuer":
        make_sample_register(seed=1, households=30, on=date(2026, 11, 22), appointments=3).write(
            folder
        )
        (folder / "controller").write_text(secrets.token_hex(32))
        return common(chain, folder, name) | {
            "SEOUL_WALLET_REGISTER": str(folder),
            "SEOUL_WALLET_CONTROLLER_KEY": str(folder / "controller"),
            "SEOUL_WALLET_ISSUER_BASE_URL": base,
            "SEOUL_WALLET_ISSUER_KEY_FILE": str(folder / "issuer-key"),
            "SEOUL_WALLET_ISSUER_DATABASE_URL": sqlite_url(folder / "issuer.db"),
            "SEOUL_WALLET_ISSUER_DEVELOPMENT": "1",
        }
    tokens = folder / "agencies.json"
    tokens.write_text(json.dumps({"agency": sha256(b"token").hex()}))
    return common(chain, folder, name) | {
        "SEOUL_WALLET_VERIFIER_BASE_URL": base,
        "SEOUL_WALLET_VERIFIER_SIGNING_KEY_FILE": str(folder / "verifier-key"),
        "SEOUL_WALLET_VERIFIER_DATABASE_URL": sqlite_url(folder / "verifier.db"),
        "SEOUL_WALLET_VERIFIER_AGENCY_TOKENS_FILE": str(tokens),
        "SEOUL_WALLET_VERIFIER_DEVELOPMENT": "1",
        "SEOUL_WALLET_VERIFIER_FOLLOW_INTERVAL_S": "1",
    }


def test_the_issuer_answers_with_its_metadata_and_did_document_and_ends_while_busy(
    chain: LocalChain, tmp_path: Path
) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    environment = settings("issuer", chain, tmp_path, base)
    client = GuardedClient(allow_loopback_http=True)
    with (
        ExitStack() as load,
        service("issuer", port, environment, tmp_path / "log") as process,
    ):
        metadata = wait_for(client, f"{base}/.well-known/openid-credential-issuer", process)
        assert metadata["credential_issuer"] == base
        document = wait_for(client, f"{base}/.well-known/did.json", process)
        assert document["id"] == f"did:web:localhost%3A{port}"
        load.enter_context(busy(f"{base}{READY['issuer']}"))


def test_the_verifier_is_healthy_once_it_follows_the_chain_and_ends_while_busy(
    chain: LocalChain, tmp_path: Path
) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    environment = settings("verifier", chain, tmp_path, base)
    with (
        ExitStack() as load,
        service("verifier", port, environment, tmp_path / "log") as process,
    ):
        client = GuardedClient(allow_loopback_http=True)
        health = wait_for(client, f"{base}{READY['verifier']}", process)
        assert health["status"] == "ok"
        load.enter_context(busy(f"{base}{READY['verifier']}"))


def test_the_register_of_exclusion_groups_needs_no_chain_and_ends_while_busy(
    tmp_path: Path,
) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(base64url.encode(secrets.token_bytes(32)))
    (tmp_path / "groups.json").write_text(json.dumps({"youth-benefits": "lifetime"}))
    agencies = {"did:web:agency.example": sha256(b"token").hex()}
    (tmp_path / "agencies.json").write_text(json.dumps(agencies))
    environment = {
        "SEOUL_WALLET_EXCLUSIONS_BASE_URL": base,
        "SEOUL_WALLET_EXCLUSIONS_DATABASE_URL": sqlite_url(tmp_path / "register.db"),
        "SEOUL_WALLET_EXCLUSIONS_KEY_FILE": str(tmp_path / "key"),
        "SEOUL_WALLET_EXCLUSIONS_GROUPS_FILE": str(tmp_path / "groups.json"),
        "SEOUL_WALLET_EXCLUSIONS_AGENCIES_FILE": str(tmp_path / "agencies.json"),
        "SEOUL_WALLET_EXCLUSIONS_DEVELOPMENT": "1",
    }
    with (
        ExitStack() as load,
        service("register", port, environment, tmp_path / "log") as process,
    ):
        client = GuardedClient(allow_loopback_http=True)
        assert wait_for(client, f"{base}/healthz", process) == {"status": "ok"}
        told = wait_for(client, f"{base}/v1/exclusion-groups", process)
        assert (told["did"], told["groups"]) == (
            f"did:web:localhost%3A{port}",
            ["youth-benefits"],
        )
        load.enter_context(busy(f"{base}/v1/exclusion-groups"))


@pytest.mark.parametrize("name", ["issuer", "verifier"])
def test_a_service_that_is_told_to_end_while_it_starts_ends(
    chain: LocalChain, tmp_path: Path, name: str
) -> None:
    port = free_port()
    environment = settings(name, chain, tmp_path, f"http://localhost:{port}")
    log = tmp_path / "log"
    with service(name, port, environment, log) as process:
        ends_at = time.monotonic() + START_TIMEOUT_S
        while "Spawning worker" not in log.read_text():
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < ends_at
            time.sleep(0.01)
    assert "Started worker" not in log.read_text()


def test_a_worker_ends_with_the_process_that_started_it(chain: LocalChain, tmp_path: Path) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    environment = settings("verifier", chain, tmp_path, base)
    client = GuardedClient(allow_loopback_http=True)
    with started("verifier", port, environment, tmp_path / "log") as process:
        wait_for(client, f"{base}{READY['verifier']}", process)
        process.kill()
    client.close()
    ends_at = time.monotonic() + END_TIMEOUT_S
    while accepts_connections(port):
        assert time.monotonic() < ends_at, "the worker is still there"
        time.sleep(0.05)


def test_a_service_without_its_settings_ends_with_one_clear_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from seoul_wallet.wsgi import issuer_app; issuer_app()"],
        env={name: value for name, value in os.environ.items() if "SEOUL" not in name},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert b"SEOUL_WALLET_RPC_URL is not set" in done.stderr.splitlines()[-1]


def one_line(service: str, environment: dict[str, str]) -> str:
    """Return the one line with which the command ends at its start."""
    done = CliRunner().invoke(main, ["run", service, "--port", "1"], env=environment)
    assert done.exit_code == 1, done.output
    assert done.output.count("\n") == 1
    return done.output


def test_a_wrong_configuration_of_the_chain_ends_the_start_with_one_clear_line(
    chain: LocalChain, tmp_path: Path
) -> None:
    environment = common(chain, tmp_path, "verifier")
    there = chain.deployment
    board = there.contracts[BOARD]

    def told(deployment: Deployment) -> str:
        (tmp_path / "deployment.json").write_text(json.dumps(deployment.to_json()))
        return one_line("verifier", environment)

    def with_board(pin: ContractPin) -> Deployment:
        return replace(there, contracts={**there.contracts, BOARD: pin})

    nowhere = with_board(replace(board, address="0x" + "11" * 20))
    assert "no contract at the address of BallotBoard" in told(nowhere)
    assert "not the pinned code" in told(with_board(replace(board, code_hash=bytes(32))))
    assert "another chain" in told(replace(there, chain_id=there.chain_id + 1))
    copied = there.contracts[ANCHOR], there.contracts[REGISTRY]
    swapped = {**there.contracts, REGISTRY: copied[0], ANCHOR: copied[1]}
    assert "not list" in told(replace(there, contracts=swapped))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"RPC_URL": "http://node.seoul.example"}, "elsewhere it is https"),
        ({"RPC_URL": "https://a.example,https://a.example"}, "the same node is named twice"),
        ({"RPC_URL": "https://a.example"}, "at least 2 nodes must agree"),
        ({"DEVELOPMENT_CHAIN": "0"}, "2 nodes must agree and 1 are named"),
        ({"FINALITY": "soon"}, "finality is tag, instant or depth:N"),
        ({"DEPLOYMENT": "/nowhere"}, "names a file that cannot be read"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_clear_line(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    pin = ContractPin("0x" + "11" * 20, bytes(32))
    deployment = tmp_path / "deployment.json"
    there = Deployment(1, {REGISTRY: pin, ANCHOR: pin}, 0)
    deployment.write_text(json.dumps(there.to_json()))
    settings = {
        "RPC_URL": f"http://127.0.0.1:{free_port()}",
        "DEVELOPMENT_CHAIN": "1",
        "DEPLOYMENT": str(deployment),
        **changes,
    }
    environment = {f"SEOUL_WALLET_{name}": value for name, value in settings.items()}
    assert reason in one_line("verifier", environment)


def test_an_issuer_does_not_start_over_a_deprecated_contract(
    chain_of_its_own: LocalChain, tmp_path: Path
) -> None:
    chain = chain_of_its_own
    chain.directory.deprecate(ANCHOR, 1)
    told = one_line("issuer", common(chain, tmp_path, "issuer"))
    assert "CredentialAnchor is deprecated in the directory" in told
    # A verifier goes on: what the contract holds stays good. It ends for want of its own settings.
    assert "BASE_URL" in one_line("verifier", common(chain, tmp_path, "verifier"))
