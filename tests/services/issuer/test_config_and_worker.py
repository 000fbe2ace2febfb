"""Configuration from the environment, and the worker's thread."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from issuer.config import PREFIX, ConfigurationInvalid, IssuerConfig
from tests.support.issuing import NOW, IssuerWorld, key_of
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A complete environment."""
    key = tmp_path / "key"
    key.write_text(base64url.encode(key_of("issuer").secret()) + "\n")
    return {
        PREFIX + "BASE_URL": "https://issuer.example",
        PREFIX + "KEY_FILE": str(key),
        PREFIX + "DATABASE_URL": f"sqlite:///{tmp_path}/issuer.db",
        PREFIX + "OPERATORS": f"alice:{sha256(b'a').hex()},bob:{sha256(b'b').hex()}",
    }


def test_reads_a_complete_environment(environment: dict[str, str]) -> None:
    config = IssuerConfig.from_env({**environment, PREFIX + "ANCHOR_INTERVAL_S": "30"})
    assert config.base_url == "https://issuer.example"
    assert [operator.name for operator in config.operators] == ["alice", "bob"]
    assert config.operators[1].token_digest == sha256(b"b")
    assert config.settings.anchoring.interval_s == 30
    assert config.signing_key.public_key.jwk == key_of("issuer").public_key.jwk


def test_shows_no_secret_when_printed(environment: dict[str, str]) -> None:
    text = repr(IssuerConfig.from_env(environment))
    for secret in (sha256(b"a").hex(), str(sha256(b"a")), "issuer.db", "signing_key"):
        assert secret not in text


@pytest.mark.parametrize("name", ["BASE_URL", "KEY_FILE", "DATABASE_URL"])
def test_refuses_to_start_without_what_has_no_default(
    environment: dict[str, str], name: str
) -> None:
    del environment[PREFIX + name]
    with pytest.raises(ConfigurationInvalid, match=name):
        IssuerConfig.from_env(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "http://issuer.example"),
        ("BASE_URL", "http://localhost:8001"),
        ("BASE_URL", "https://issuer.example/"),
        ("BASE_URL", "https://issuer.example?x=1"),
        ("BASE_URL", "https://user@issuer.example"),
        ("BASE_URL", "issuer.example"),
        ("KEY_FILE", "/nonexistent/key"),
        ("OPERATORS", "alice"),
        ("OPERATORS", "alice:1234"),
        ("OPERATORS", f"a:{'0' * 64},a:{'1' * 64}"),
        ("OPERATORS", f"a:{'0' * 64},b:{'0' * 64}"),
        ("TOKEN_TTL_S", "0"),
        ("TOKEN_TTL_S", "-1"),
        ("TOKEN_TTL_S", "ten"),
        ("TOKEN_TTL_S", "٣"),
        ("DEVELOPMENT", "yes"),
    ],
)
def test_refuses_to_start_with_a_setting_that_cannot_be_used(
    environment: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(ConfigurationInvalid):
        IssuerConfig.from_env({**environment, PREFIX + name: value})


@pytest.mark.parametrize("content", ["", "AAAA", "not base64url!", base64url.encode(bytes(32))])
def test_refuses_a_key_file_that_holds_no_key(environment: dict[str, str], content: str) -> None:
    Path(environment[PREFIX + "KEY_FILE"]).write_text(content)
    with pytest.raises(ConfigurationInvalid, match="KEY_FILE"):
        IssuerConfig.from_env(environment)


def test_development_allows_http_on_localhost_alone(environment: dict[str, str]) -> None:
    local = {
        **environment,
        PREFIX + "DEVELOPMENT": "1",
        PREFIX + "BASE_URL": "http://localhost:8001",
    }
    assert IssuerConfig.from_env(local).base_url == "http://localhost:8001"
    with pytest.raises(ConfigurationInvalid):
        IssuerConfig.from_env({**local, PREFIX + "BASE_URL": "http://issuer.example"})


def test_no_operators_means_that_nobody_operates(environment: dict[str, str]) -> None:
    assert IssuerConfig.from_env({**environment, PREFIX + "OPERATORS": ""}).operators == ()


def test_the_worker_anchors_what_is_due_and_stops_when_told(world: IssuerWorld) -> None:
    before = threading.active_count()
    world.issue()
    world.clock.set(NOW + 3600)
    arrived = threading.Event()
    world.ledger.on_batch = arrived.set
    world.application.run_worker()
    world.application.run_worker()
    assert threading.active_count() == before + 1
    assert arrived.wait(30)
    world.application.stop()
    assert threading.active_count() == before
    world.application.stop()


def test_building_an_issuer_starts_no_thread(world: IssuerWorld) -> None:
    assert not [thread for thread in threading.enumerate() if thread.name == "issuer-worker"]
    assert world.client.get("/healthz").status_code == 200


def test_the_worker_survives_a_database_that_fails(world: IssuerWorld) -> None:
    world.break_database()
    world.application.work_once()
    assert (
        "issuer_worker_failures_total 1.0" in world.application.metrics.exposition(0, 0).decode()
    )


def test_the_worker_goes_on_after_a_fault_whose_text_is_not_told(
    world: IssuerWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.issue()
    world.clock.set(NOW + 3600)
    met, went_on = threading.Event(), threading.Event()

    def fail_once() -> None:
        if met.is_set():
            went_on.set()
            return
        met.set()
        raise ZeroDivisionError("a name that nobody should read")

    world.ledger.on_batch = fail_once
    world.application.run_worker()
    assert met.wait(30)
    world.issue()
    world.clock.set(NOW + 7200)
    assert went_on.wait(30)
    world.application.stop()
    assert "ZeroDivisionError at " in caplog.text
    assert "nobody should read" not in caplog.text
    text = world.client.get("/metrics").text
    assert "issuer_worker_failures_total 1.0" in text


def test_the_worker_counts_what_a_silent_chain_did_not_take(world: IssuerWorld) -> None:
    world.issue()
    world.clock.set(NOW + 3600)
    world.ledger.silent = True
    world.application.work_once()
    text = world.client.get("/metrics").text
    assert "issuer_worker_failures_total 2.0" in text  # the batch, and the status digest
    assert "issuer_batches_not_final 1.0" in text


def test_without_funds_issuing_goes_on_and_the_operators_are_told(
    world: IssuerWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.ledger.unfunded = True
    first = world.issue()
    world.clock.set(NOW + 3600)
    for _ in range(2):
        world.application.work_once()
    told = [record.message for record in caplog.records if "must wait" in record.message]
    assert told == ["writing to the chain must wait: writer_unfunded"]
    assert 'issuer_ledger_blocked{code="writer_unfunded"} 1.0' in world.client.get("/metrics").text
    world.issue()
    assert world.client.get("/status-lists/1").status_code == 200
    path = first["anchor"]["receipt_uri"].removeprefix(world.base_url)
    assert world.client.get(path).status_code == 202
    world.ledger.unfunded = False
    world.application.work_once()
    assert world.client.get(path).status_code == 200
    assert 'issuer_ledger_blocked{code="writer_unfunded"} 0.0' in world.client.get("/metrics").text
