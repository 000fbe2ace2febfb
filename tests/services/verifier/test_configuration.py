"""The verifier's configuration, and what it does between requests."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.desk import AGENCY_TOKEN, Desk
from verifier.background import Background
from verifier.config import ConfigurationError, VerifierConfig
from verifier.queries import QueryFileMalformed, UnsupportedQuery, parse_named_queries
from wallet.crypto.hashing import sha256
from wallet.ports.facts import ChainUnavailable


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The least that a verifier needs to be told."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps({"gate": sha256(AGENCY_TOKEN.encode()).hex()}))
    return {
        "SEOUL_WALLET_VERIFIER_BASE_URL": "https://verifier.example",
        "SEOUL_WALLET_VERIFIER_DATABASE_URL": "sqlite:///verifier.db",
        "SEOUL_WALLET_VERIFIER_SIGNING_KEY_FILE": "key",
        "SEOUL_WALLET_VERIFIER_AGENCY_TOKENS_FILE": str(tokens),
    }


def test_the_environment_gives_a_configuration_with_safe_defaults(environ: dict[str, str]) -> None:
    config = VerifierConfig.from_env(environ)
    assert config.did == "did:web:verifier.example"
    assert config.agency_token_digests == {"gate": sha256(AGENCY_TOKEN.encode())}
    assert set(config.queries) == {"family-card", "appointment-letter"}
    assert config.trust.require_status
    assert not config.development


def test_every_setting_reaches_its_place(environ: dict[str, str], tmp_path: Path) -> None:
    item = {"id": "c", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:x"]}}
    queries = tmp_path / "queries.json"
    queries.write_text(json.dumps({"q": {"dcql_query": {"credentials": [item]}, "purpose": "p"}}))
    config = VerifierConfig.from_env(
        environ
        | {
            "SEOUL_WALLET_VERIFIER_BASE_URL": "http://localhost:8002",
            "SEOUL_WALLET_VERIFIER_DEVELOPMENT": "1",
            "SEOUL_WALLET_VERIFIER_REQUIRE_RECEIPT": "1",
            "SEOUL_WALLET_VERIFIER_MANIFEST_STANDS_IN": "1",
            "SEOUL_WALLET_VERIFIER_MAX_REPLICA_AGE_S": "10",
            "SEOUL_WALLET_VERIFIER_LINK_TTL_S": "20",
            "SEOUL_WALLET_VERIFIER_QUERIES_FILE": str(queries),
        }
    )
    assert config.did == "did:web:localhost%3A8002"
    assert (config.trust.require_receipt, config.trust.max_replica_age_s) == (True, 10)
    assert config.trust.manifest_stands_in
    assert config.link_ttl_s == 20
    assert config.accepted_types == {"urn:x"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", ""),
        ("BASE_URL", "http://verifier.example"),
        ("BASE_URL", "http://localhost:8002"),
        ("BASE_URL", "https://verifier.example/"),
        ("BASE_URL", "https://verifier.example/path"),
        ("DATABASE_URL", ""),
        ("SIGNING_KEY_FILE", ""),
        ("AGENCY_TOKENS_FILE", "no-such-file"),
        ("LINK_TTL_S", "0"),
        ("LINK_TTL_S", "-1"),
        ("LINK_TTL_S", "soon"),
        ("DEVELOPMENT", "yes"),
        ("QUERIES_FILE", "no-such-file"),
    ],
)
def test_a_bad_setting_ends_the_start(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        VerifierConfig.from_env(environ | {"SEOUL_WALLET_VERIFIER_" + name: value})


def test_a_token_that_is_no_digest_ends_the_start(environ: dict[str, str], tmp_path: Path) -> None:
    tokens = Path(environ["SEOUL_WALLET_VERIFIER_AGENCY_TOKENS_FILE"])
    for digest in ("", "ab", "not hex"):
        tokens.write_text(json.dumps({"gate": digest}))
        with pytest.raises(ConfigurationError):
            VerifierConfig.from_env(environ)


def test_a_missing_signing_key_ends_the_start(open_desk: Callable[..., Desk]) -> None:
    with pytest.raises(ConfigurationError):
        open_desk(signing_key_file=Path("no-such-file"))


def test_a_queries_file_must_be_of_its_form() -> None:
    item = {"id": "c", "format": "mso_mdoc", "meta": {}}
    with pytest.raises(UnsupportedQuery):
        parse_named_queries({"q": {"dcql_query": {"credentials": [item]}, "purpose": "p"}})
    for value in ([], {}, {"q": []}, {"q": {"purpose": "p", "extra": 1}}, {"q": {"purpose": ""}}):
        with pytest.raises(QueryFileMalformed):
            parse_named_queries(value)


class CountingFollower:
    """Follows a chain that is away at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.runs = 0
        self.recovered = threading.Event()

    def run_once(self) -> None:
        self.runs += 1
        if self.runs <= self.failures:
            raise ChainUnavailable("the node is away")
        self.recovered.set()


def test_following_goes_on_after_a_failure_and_stops_when_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    follower, purged = CountingFollower(failures=2), threading.Event()
    background = Background(follower, purged.set, interval_s=0.001)
    with caplog.at_level(logging.WARNING):
        background.start()
        assert follower.recovered.wait(10)
        background.stop()
    assert purged.is_set()
    assert caplog.text.count("chain_unavailable") == 2
    runs = follower.runs
    background.run_once()
    assert follower.runs == runs + 1


def test_following_goes_on_after_a_fault_whose_text_is_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    purged = threading.Event()

    class Faulty:
        def run_once(self) -> None:
            raise ZeroDivisionError("a name that nobody should read")

    background = Background(Faulty(), purged.set, interval_s=0.001)
    background.run_once()
    assert purged.is_set()
    assert "ZeroDivisionError at " in caplog.text
    assert "nobody should read" not in caplog.text


def test_expired_requests_are_purged(desk: Desk) -> None:
    desk.ask()
    assert desk.verifier.service.purge() == 0
    desk.clock.set(desk.clock.now() + 120)
    assert desk.verifier.service.purge() == 1
