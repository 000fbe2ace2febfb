"""Decisions while the chain, the status server, the DID host and the network are down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from tests.support.evidence_bench import AUDIENCE, NONCE, EvidenceBench, noon
from tests.support.programmes import boundary_data, programme
from tests.support.town_network import Host
from verifier.catalogue import ProgrammeShelf, example_programme_files
from verifier.decision import Examiner
from verifier.eligibility import EligibilityDesk
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.sources import HttpDidResolver, HttpStatusListSource
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.fact_cache import SqlFactCache
from wallet.did.document import build_did_document
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import UnavailableError
from wallet.evidence import FactSources
from wallet.trust.facts import BlockRef
from wallet.verification.policy import TrustPolicy

CARD = programme("multi-child-card@from-2023-07")
CLAIMS: JsonObject = boundary_data()[CARD.name]["claims"]
NEED = CARD.evidence["family"]
NOW = noon(date.fromisoformat(boundary_data()[CARD.name]["on"]))
MAX_AGE_S = min(NEED.max_status_age_s, NEED.max_replica_age_s)
PARTS = ("chain", "status", "did", "network")
COMBINATIONS = [
    frozenset(name for name, is_down in zip(PARTS, flags, strict=True) if is_down)
    for flags in product((False, True), repeat=len(PARTS))
]


class Town:
    """Three hosts on loopback, and a desk that reads them through the guarded client."""

    def __init__(self, folder: Path) -> None:
        self.hosts = {name: Host() for name in ("chain", "status", "did")}
        self._urls = {name: f"http://localhost:{host.port}" for name, host in self.hosts.items()}
        issuer = f"did:web:localhost%3A{self.hosts['did'].port}"
        self.bench = EvidenceBench(
            NOW, issuer=issuer, status_uri=self._urls["status"] + "/status-lists/1"
        )
        self.clock = self.bench.clock
        document = to_json(build_did_document(issuer, {"key-1": self.bench.key.public_key}))
        self.hosts["did"].answers = {
            "/.well-known/did.json": lambda: ("application/json", document)
        }
        self.hosts["status"].answers = {
            "/status-lists/1": lambda: (
                "application/statuslist+jwt",
                self.bench.status_list(self.clock.now()),
            )
        }
        self.hosts["chain"].answers = {
            "/head": lambda: ("application/json", to_json({"time": self.clock.now()}))
        }
        self._engine = open_engine(sqlite_url(folder / "facts.db"))
        migrate(self._engine, "fact_cache")
        self._client = GuardedClient(allow_loopback_http=True, deadline_s=2)
        self._number = 1
        self.start()

    def start(self) -> None:
        """Compose the desk, as a new process would over the same database."""
        cache = SqlFactCache(self._engine)
        sources = FactSources(
            HttpDidResolver(self._client, cache, self.clock, development=True),
            HttpStatusListSource(self._client, cache, self.clock),
            self.bench.replica,
        )
        shelf = ProgrammeShelf(example_programme_files)
        shelf.load()
        examiner = Examiner(sources=sources, trust=TrustPolicy(), max_binding_age_s=300)
        self._desk = EligibilityDesk(shelf, examiner)

    def follow(self) -> None:
        """Let the replica see the chain's head, if the chain answers."""
        try:
            answer = self._client.get(self._urls["chain"] + "/head")
        except UnavailableError:
            return
        head = parse_json_object(answer.body)
        self._number += 1
        block = BlockRef(self._number, self._number.to_bytes(32, "big"), head["time"])
        self.bench.replica.apply([], block, self.clock.now())

    def take_down(self, down: frozenset[str]) -> None:
        """Stop the hosts named; with `network` close the way to all."""
        for name, host in self.hosts.items():
            if "network" in down:
                host.cut_off()
            if name in down:
                host.stop()

    def decide(self, now: int) -> JsonObject:
        """Decide on a fresh presentation at `now`."""
        self.clock.set(now)
        self.bench.now = now
        self.follow()
        shown = self.bench.present(CARD, "family", CLAIMS["family"])
        decision = self._desk.decide(
            f"programme:{CARD.name}",
            CARD.query,
            {"family": [shown]},
            audience=AUDIENCE,
            nonce=NONCE,
            now=now,
            application="one",
        )
        return decision.result

    def close(self) -> None:
        for host in self.hosts.values():
            host.close()
        self._client.close()
        self._engine.dispose()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    opened = Town(tmp_path)
    yield opened
    opened.close()


def fact_ages(result: JsonObject) -> dict[str, int]:
    (presentation,) = result["presentations"]
    return {
        step["name"]: step["facts_age_s"]
        for step in presentation["steps"]
        if "facts_age_s" in step
    }


@pytest.mark.loopback
@pytest.mark.parametrize("down", COMBINATIONS, ids=lambda down: "+".join(sorted(down)) or "none")
def test_each_outage_answers_as_specified_and_nothing_claims_fresher_facts_than_it_has(
    town: Town, down: frozenset[str]
) -> None:
    assert town.decide(NOW)["eligibility"]["outcome"] == "eligible"
    town.take_down(down)
    town.start()
    lost = {name for name in town.hosts if name in down or "network" in down}

    within = town.decide(NOW + MAX_AGE_S)
    assert within["eligibility"]["outcome"] == "eligible"
    assert fact_ages(within) == {
        "issuer_key": MAX_AGE_S if "did" in lost else 0,
        "accreditation": MAX_AGE_S if "chain" in lost else 0,
        "status": MAX_AGE_S if "status" in lost else 0,
    }
    assert within["facts_age_s"] == (MAX_AGE_S if lost else 0)
    assert within["eligibility"]["facts_as_of"] == (NOW if lost else NOW + MAX_AGE_S)

    beyond = town.decide(NOW + MAX_AGE_S + 1)["eligibility"]
    (seen,) = beyond["evidence"]
    if lost:
        assert beyond["outcome"] == "unknown"
        assert {reason["code"] for reason in beyond["reasons"]} == {"facts_too_old"}
        assert [item["cause"] for item in beyond["missing"]] == ["facts_too_old"]
        assert (seen["accepted"], seen["code"]) == (False, "facts_too_old")
        assert beyond["facts_age_s"] == MAX_AGE_S + 1
    else:
        assert beyond["outcome"] == "eligible"
        # Copies are at most as old as the interval after which they are renewed.
        assert beyond["facts_age_s"] == 1


@pytest.mark.loopback
@pytest.mark.parametrize("name", ["status", "did", "network"])
def test_without_a_copy_what_is_down_leaves_the_outcome_open(town: Town, name: str) -> None:
    town.take_down(frozenset((name,)))
    found = town.decide(NOW)["eligibility"]
    assert found["outcome"] == "unknown"
    assert {reason["code"] for reason in found["reasons"]} == {"could_not_check"}
    assert [item["cause"] for item in found["missing"]] == ["could_not_check"]
